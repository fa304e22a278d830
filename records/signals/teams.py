"""Teams (Django's groups): created, updated, deleted, restored; and who belongs to them."""

from collections.abc import Callable, Collection
from typing import Any

from django.contrib.auth.models import Group
from django.db import transaction
from django.db.models.signals import m2m_changed, post_delete, post_save, pre_delete, pre_save
from django.dispatch import receiver

from records.capturing import Story, story_of, tell, write_events
from records.events import make_event
from records.models import Event, User

Membership = User.groups.through


def _in_one_transaction(save: Callable[..., None]) -> Callable[..., None]:
    def save_with_event(self: Group, *args: Any, **kwargs: Any) -> None:
        with transaction.atomic(using=kwargs.get("using")):
            save(self, *args, **kwargs)

    return save_with_event


# Django saves a group with a single statement and no transaction; its event belongs to the same one.
Group.save = _in_one_transaction(Group.save)  # type: ignore[method-assign]


def team_id(pk: int) -> str:
    return f"team_{pk}"


def team_snapshot(pk: int) -> dict[str, Any] | None:
    """A team's name and permissions, as the database has them."""
    group = Group.objects.filter(pk=pk).first()
    if group is None:
        return None
    permissions = group.permissions.values_list("content_type__app_label", "codename")
    return {
        "name": group.name,
        "permissions": sorted(f"{app}.{codename}" for app, codename in permissions),
    }


# --- The team itself --------------------------------------------------------------------------


@receiver(pre_save, sender=Group)
def team_changes(instance: Group, raw: bool, **_: Any) -> None:
    if instance.pk and not raw:
        _story(instance.pk)


@receiver(post_save, sender=Group)
def team_saved(instance: Group, raw: bool, **_: Any) -> None:
    if not raw:
        _tell(instance.pk, restored=getattr(instance, "is_being_restored", False))


@receiver(pre_delete, sender=Group)
def team_goes(instance: Group, **_: Any) -> None:
    rows = Membership.objects.filter(group=instance).values_list("user_id", flat=True)
    members: list[Any] = sorted(rows)
    instance.last_snapshot = {  # type: ignore[attr-defined]
        **(team_snapshot(instance.pk) or {}),
        "members": members,
    }
    _write_membership_events(members, [instance.pk], joined=False, teams=False)


@receiver(post_delete, sender=Group)
def team_deleted(instance: Group, **_: Any) -> None:
    before = instance.last_snapshot  # type: ignore[attr-defined]
    write_events(_event("team.deleted", instance.pk, before["name"], before=before))


@receiver(m2m_changed, sender=Group.permissions.through)
def team_permissions_changed(
    instance: Any, action: str, reverse: bool, pk_set: set[int] | None, **_: Any
) -> None:
    """Granting and revoking permissions changes the team. `reverse` is when a permission is told its groups."""
    groups = _groups_of(instance, pk_set) if reverse else [instance.pk]
    for pk in groups:
        if action.startswith("pre_"):
            _story(pk)
        else:
            _tell(pk)


def _groups_of(permission: Any, pk_set: set[int] | None) -> list[int]:
    if pk_set is not None:
        return sorted(pk_set)
    if not hasattr(permission, "groups_before_clear"):
        permission.groups_before_clear = list(permission.group_set.values_list("pk", flat=True))
        return list(permission.groups_before_clear)
    groups: list[int] = permission.groups_before_clear
    del permission.groups_before_clear
    return groups


def _story(pk: int) -> Story:
    return story_of(f"team {pk}", lambda: team_snapshot(pk))


def _tell(pk: int, *, restored: bool = False) -> None:
    """All that one transaction changes in a team is one event."""
    story = story_of(f"team {pk}", lambda: None)
    before, after = story.before, team_snapshot(pk) or {}
    name = after.get("name", "")
    if before is None:
        change = "team.created"
        if restored or (story.event and story.event.type == "team.restored"):
            change = "team.restored"
        tell(story, _event(change, pk, name, after=after))
        return
    changed = [key for key in after if before[key] != after[key]]
    values = {"before": before, "after": after, "changed": changed}
    tell(story, _event("team.updated", pk, name, **values) if changed else None)


def _event(change: str, pk: int, name: str, **values: Any) -> Event:
    return make_event(change, subject_id=team_id(pk), subject_label=name, **values)


# --- Who belongs to it ------------------------------------------------------------------------


@receiver(m2m_changed, sender=Membership)
def membership_changed(
    instance: Any, action: str, reverse: bool, pk_set: set[Any] | None, **_: Any
) -> None:
    """`reverse` is when a group is told its users. What is removed is known before, what is added after."""
    if action in ("pre_remove", "pre_clear"):
        rows = Membership.objects.filter(**{"group" if reverse else "user": instance.pk})
        column = "user_id" if reverse else "group_id"
        if pk_set is not None:
            rows = rows.filter(**{f"{column}__in": pk_set})
        instance.leaving = list(rows.values_list(column, flat=True))
    elif action in ("post_remove", "post_clear", "post_add"):
        joined = action == "post_add"
        others = list(pk_set or ()) if joined else instance.__dict__.pop("leaving")
        users, groups = (others, [instance.pk]) if reverse else ([instance.pk], others)
        if others:
            _write_membership_events(users, groups, joined=joined)


def _write_membership_events(
    users: Collection[Any],
    groups: Collection[Any],
    *,
    joined: bool,
    people: bool = True,
    teams: bool = True,
) -> None:
    """Events for users that joined or left groups: of each user, of each team, with all that belong now."""
    users, groups = sorted(users), sorted(groups)
    events = []
    if people:
        names = User.objects.in_bulk(users)
        of_users = _grouped("user_id", "group_id", users)
        for pk in users:
            now = set(of_users.get(pk, ()))
            values = _change("teams", now, set(groups), joined, team_id)
            label = str(names[pk]) if pk in names else pk
            change = "user.membership_changed"
            events.append(make_event(change, subject_id=pk, subject_label=label, **values))
    if teams:
        labels = dict(Group.objects.filter(pk__in=groups).values_list("pk", "name"))
        of_groups = _grouped("group_id", "user_id", groups)
        for group in groups:
            now = set(of_groups.get(group, ()))
            values = _change("members", now, set(users), joined, str)
            events.append(_event("team.membership_changed", group, labels.get(group, ""), **values))
    write_events(*events)


def _change(
    name: str, now: set[Any], others: set[Any], joined: bool, text: Callable[[Any], str]
) -> dict[str, Any]:
    """before, after and changed of one side."""
    without, with_ = now - others, now | others
    before, after = (without, with_) if joined else (with_, without)
    return {
        "before": {name: [text(pk) for pk in sorted(before)]},
        "after": {name: [text(pk) for pk in sorted(after)]},
        "changed": [name],
    }


def _grouped(key: str, value: str, keys: Collection[Any]) -> dict[Any, list[Any]]:
    found: dict[Any, list[Any]] = {}
    rows = Membership.objects.filter(**{f"{key}__in": keys}).values_list(key, value)
    for one, other in rows:
        found.setdefault(one, []).append(other)
    return found


@receiver(pre_delete, sender=User)
def user_leaves_teams(instance: User, **_: Any) -> None:
    groups = list(instance.groups.values_list("pk", flat=True))
    _write_membership_events([instance.pk], groups, joined=False, people=False)
