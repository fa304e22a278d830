"""Every change becomes an event, in the transaction of the change: one file for each kind of subject.

Comments, tasks and invitations are told by their services; here is what happens to them by other changes.
"""

from records.signals import (
    discussions,
    invitations,
    logins,
    objects,
    people,
    records,
    tasks,
    teams,
)

__all__ = [
    "discussions",
    "invitations",
    "logins",
    "objects",
    "people",
    "records",
    "tasks",
    "teams",
]
