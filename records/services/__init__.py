"""The one place for each change of records and teams, whoever makes it: forms, admin, API, automations."""

from records.services.bulk import close_records, delete_records, move_records, restore_records
from records.services.records import (
    UNSET,
    close_record,
    create_record,
    delete_record,
    move_stage,
    quarantine_record,
    release_record,
    reopen_record,
    restore_record,
    submit_record,
    update_record,
)
from records.services.teams import deleted_teams, restore_team

__all__ = [
    "UNSET",
    "close_record",
    "close_records",
    "create_record",
    "delete_record",
    "delete_records",
    "deleted_teams",
    "move_records",
    "move_stage",
    "quarantine_record",
    "release_record",
    "reopen_record",
    "restore_record",
    "restore_records",
    "restore_team",
    "submit_record",
    "update_record",
]
