"""Logins, logouts and logins that failed."""

from collections.abc import Mapping
from typing import Any

from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.db import transaction
from django.dispatch import receiver
from django.http import HttpRequest

from records.actors import acting
from records.events import capture, make_event
from records.models import User

# As long as user names are; an attacker may send anything.
MAX_USERNAME = 150


@receiver(user_logged_in)
def logged_in(request: HttpRequest | None, user: User, **_: Any) -> None:
    _capture("user.login", user, request)


@receiver(user_logged_out)
def logged_out(request: HttpRequest | None, user: User | None, **_: Any) -> None:
    if user is not None:
        _capture("user.logout", user, request)


@receiver(user_login_failed)
def login_failed(
    credentials: Mapping[str, Any], request: HttpRequest | None = None, **_: Any
) -> None:
    """The name that was tried and where from; never the password."""
    tried = credentials.get(User.USERNAME_FIELD) or credentials.get("username") or ""
    username = _printable(str(tried))
    event = make_event(
        "space.login_failed",
        after={"username": username, **_where(request)},
        subject_id="space",
        subject_label=username,
    )
    with transaction.atomic():
        capture(event)


def _capture(change: str, user: User, request: HttpRequest | None) -> None:
    with acting(user), transaction.atomic():
        capture(
            make_event(change, after=_where(request), subject_id=user.pk, subject_label=str(user))
        )


def _where(request: HttpRequest | None) -> dict[str, str]:
    address = request.META.get("REMOTE_ADDR") if request is not None else None
    return {"ip": str(address)} if address else {}


def _printable(text: str) -> str:
    """Nothing that the database could not keep."""
    return text[:MAX_USERNAME].replace("\x00", "�").encode(errors="replace").decode()
