"""The admin of objects, records, comments, tasks, events, people, teams, invitations and notifications."""

from records.admin import (
    comments,
    events,
    invitations,
    notifications,
    objects,
    people,
    records,
    tasks,
    teams,
)

__all__ = [
    "comments",
    "events",
    "invitations",
    "notifications",
    "objects",
    "people",
    "records",
    "tasks",
    "teams",
]
