"""Teams that were deleted, and how they come back."""

from typing import Any

from django.contrib.auth.models import Group, Permission
from django.db import transaction

from records.exceptions import CannotRestore
from records.models import Event, User

# The page of deleted teams looks no further back.
MAX_LISTED = 100


def deleted_teams() -> list[Event]:
    """The deletions of teams that are still deleted, newest first."""
    events = Event.objects.filter(type="team.deleted").select_related("actor")[:MAX_LISTED]
    alive = {f"team_{pk}" for pk in Group.objects.values_list("pk", flat=True)}
    seen: set[str] = set()
    teams = []
    for event in events:
        if event.subject_id not in alive | seen:
            seen.add(event.subject_id)
            teams.append(event)
    return teams


def restore_team(*, event: Event) -> Group:
    """Recreate a team from the event of its deletion: its id, name, permissions and members.

    Permissions and people that are gone by now are left out. Raises CannotRestore.
    """
    if event.type != "team.deleted" or not event.before:
        raise CannotRestore("Only the deletion of a team can be undone here.")
    pk, name = int(event.subject_id.removeprefix("team_")), event.before["name"]
    if Group.objects.filter(pk=pk).exists():
        raise CannotRestore(f"The team “{name}” has been restored already.")
    if Group.objects.filter(name=name).exists():
        raise CannotRestore(f"There is another team called “{name}” by now; rename that one first.")
    with transaction.atomic():
        group = Group(pk=pk, name=name)
        group.is_being_restored = True  # type: ignore[attr-defined]  # heard by the signal
        group.save(force_insert=True)
        group.permissions.set(_permissions(event.before.get("permissions", [])))
        members = User.objects.filter(pk__in=event.before.get("members", []))
        group.user_set.set(members)
    return group


def _permissions(names: list[str]) -> list[Any]:
    wanted = {tuple(name.split(".", 1)) for name in names}
    rows = Permission.objects.filter(codename__in=[codename for _, codename in wanted])
    return [
        row
        for row in rows.select_related("content_type")
        if (row.content_type.app_label, row.codename) in wanted
    ]
