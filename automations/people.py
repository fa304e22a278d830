"""People that a step is told: by user name, id or e-mail address, as members of teams, or as who owns the record."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from django.contrib.auth.models import Group
from django.db.models import Q

from automations.steps import Scene, StepFailed, closest
from records.ids import decode
from records.models import User

# More people than this are not told by a step: it is a mistake in an expression.
MAX_PEOPLE: Final = 500
# So many names are compared for a suggestion.
_OFFERED: Final = 500


def users_in(scene: Scene, field: str, sources: Sequence[str]) -> list[User]:
    """The active users that some texts name, each an expression or not. Raises StepFailed for who is not there."""
    found: dict[str, User] = {}
    for place, source in enumerate(sources):
        where = f"{field}/{place}"
        for name in _names(scene.render(where, source), where, source):
            user = user_named(name, where, source)
            found[user.pk] = user
    return _bounded(found, field)


def user_named(name: str, field: str, source: str = "") -> User:
    """One active user by id, user name or e-mail address. Raises StepFailed."""
    user: User | None
    user = User.objects.filter(_is_called(name)).order_by("-is_active", "pk").first()
    if user is None:
        offered = User.objects.active().values_list("username", flat=True)[:_OFFERED]
        words = closest(f"There is no user “{name[:100]}”", name, offered)
        raise StepFailed(words, field=field, expression=source[:500], kind="people")
    if not user.is_active:
        words = f"“{user}” is not active any more; name somebody else."
        raise StepFailed(words, field=field, expression=source[:500], kind="people")
    return user


def members_of(scene: Scene, field: str, sources: Sequence[str]) -> list[User]:
    """The active members of teams by their names. Raises StepFailed for teams that are not there."""
    teams: list[Group] = []
    for place, source in enumerate(sources):
        where = f"{field}/{place}"
        names = _names(scene.render(where, source), where, source)
        teams += [_team(name, where, source) for name in names]
    if not teams:
        return []
    members = User.objects.active().filter(groups__in=teams).distinct().order_by("pk")
    return _bounded({user.pk: user for user in members[: MAX_PEOPLE + 1]}, field)


def owner_of(scene: Scene) -> User | None:
    """Who owns the run's record, if that is somebody active."""
    record = scene.load_record()
    if record is None or record.owner_id is None:
        return None
    owner: User | None = User.objects.active().filter(pk=record.owner_id).first()
    return owner


def united(*groups: Iterable[User]) -> list[User]:
    """Everybody once, in order."""
    return list({user.pk: user for group in groups for user in group}.values())


def _names(value: Any, field: str, source: str) -> list[str]:
    """One name or a list of them; empty ones are nobody."""
    if value is None or value == "":
        return []
    if isinstance(value, list):
        return [name for entry in value for name in _names(entry, field, source)]
    if isinstance(value, Mapping) and "id" in value:
        value = value["id"]
    if not isinstance(value, str):
        raise StepFailed(
            f"A name is needed here, not {type(value).__name__}: {str(value)[:100]}",
            field=field,
            expression=source[:500],
            kind="people",
        )
    return [value.strip()] if value.strip() else []


def _is_called(name: str) -> Q:
    if name.startswith("user_"):
        try:
            decode("user", name)
        except ValueError:
            return Q(username=name)
        return Q(pk=name)
    return Q(username=name) | Q(email__iexact=name)


def _team(name: str, field: str, source: str) -> Group:
    team = Group.objects.filter(name=name).first()
    if team is None:
        offered = Group.objects.values_list("name", flat=True)[:_OFFERED]
        words = closest(f"There is no team “{name[:100]}”", name, offered)
        raise StepFailed(words, field=field, expression=source[:500], kind="people")
    return team


def _bounded(found: dict[str, User], field: str) -> list[User]:
    if len(found) > MAX_PEOPLE:
        words = f"These are more than {MAX_PEOPLE} people; no step tells so many."
        raise StepFailed(words, field=field, kind="people")
    return list(found.values())
