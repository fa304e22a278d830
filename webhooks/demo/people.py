"""The demo's people: two logins (only where DEBUG is on) and two teams."""

from typing import Final

from django.conf import settings
from django.contrib.auth.models import Group

from records.models import User
from records.permissions import Action, permission_codename, permissions_of
from webhooks.demo.objects import COMPANIES, LEADS, TICKETS, Definitions

# team → object → what its members may do with the object's records.
_TEAMS: Final[dict[str, dict[str, tuple[Action, ...]]]] = {
    "Sales": {
        LEADS: ("view", "add", "change", "move", "close", "delete"),
        COMPANIES: ("view", "add", "change", "move"),
    },
    "Support": {
        TICKETS: ("view", "add", "change", "move", "close"),
        COMPANIES: ("view",),
    },
}


def make_logins() -> list[User]:
    """`admin`, who may do everything, and `demo`, an end user; names that are taken stay with who has them."""
    return [
        user
        for user in (
            _make_login("admin", "Ada", "Admin", is_staff=True, is_superuser=True),
            _make_login("demo", "Dana", "Demo"),
        )
        if user
    ]


def make_first_logins() -> list[User]:
    """The logins, where nobody at all could log in; the end user belongs to what is left of the teams."""
    if User.objects.exists():
        return []
    users = make_logins()
    for team in Group.objects.filter(name__in=_TEAMS):
        team.user_set.set(_end_users(users))
    return users


def _make_login(username: str, first_name: str, last_name: str, **flags: bool) -> User | None:
    if User.objects.filter(username=username).exists():
        return None
    user = User(
        username=username,
        first_name=first_name,
        last_name=last_name,
        email=f"{username}@signalbox.example",
        **flags,
    )
    user.set_password(settings.DEMO_PASSWORD)
    user.save()
    return user


def make_teams(definitions: Definitions, users: list[User]) -> None:
    """The teams that are not there yet, with their permissions; the end user belongs to both."""
    for name, actions in _TEAMS.items():
        team, is_new = Group.objects.get_or_create(name=name)
        if is_new:
            team.permissions.set(_permissions(definitions, actions))
            team.user_set.set(_end_users(users))


def _end_users(users: list[User]) -> list[User]:
    return [user for user in users if not user.is_superuser]


def _permissions(definitions: Definitions, actions: dict[str, tuple[Action, ...]]) -> list[int]:
    return [
        permission.pk
        for slug, wanted in actions.items()
        for codename, permission in permissions_of(definitions[slug]).items()
        if codename in {permission_codename(action, definitions[slug]) for action in wanted}
    ]
