"""The one place for each change, whoever makes it: forms, admin, API, automations."""

from records.services.bulk import close_records, delete_records, move_records, restore_records
from records.services.comments import (
    add_comment,
    delete_comment,
    edit_comment,
    join_discussion,
    leave_discussion,
    set_participants,
)
from records.services.invitations import (
    accept_as_new_user,
    accept_invitation,
    decline_invitation,
    invite,
    revoke_invitation,
)
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
from records.services.tasks import (
    add_task,
    complete_task,
    delete_task,
    reopen_task,
    update_task,
)
from records.services.teams import deleted_teams, restore_team

__all__ = [
    "UNSET",
    "accept_as_new_user",
    "accept_invitation",
    "add_comment",
    "add_task",
    "close_record",
    "close_records",
    "complete_task",
    "create_record",
    "decline_invitation",
    "delete_comment",
    "delete_record",
    "delete_records",
    "delete_task",
    "deleted_teams",
    "edit_comment",
    "invite",
    "join_discussion",
    "leave_discussion",
    "move_records",
    "move_stage",
    "quarantine_record",
    "release_record",
    "reopen_record",
    "reopen_task",
    "restore_record",
    "restore_records",
    "restore_team",
    "revoke_invitation",
    "set_participants",
    "submit_record",
    "update_record",
    "update_task",
]
