"""Events of users: accounts, passwords, logins."""

from typing import Any

import pytest
from django.contrib.auth import authenticate
from django.contrib.auth.signals import user_login_failed
from django.test import Client

from records.actors import acting
from records.models import Event, User
from tests.records.making import (
    NewEvents,
    make_user,
)

pytestmark = pytest.mark.django_db


def test_a_user_is_created_updated_and_deleted() -> None:
    admin = make_user("admin")
    new = NewEvents()
    with acting(admin):
        ada = make_user("ada", email="ada@example.com")
        ada.first_name, ada.is_staff = "Ada", True
        ada.save()
        pk = ada.pk
        ada.delete()
    created, updated, deleted = new.list()
    assert [event.type for event in new.list()] == ["user.created", "user.updated", "user.deleted"]
    assert {event.subject_id for event in new.list()} == {pk}
    assert {event.actor for event in new.list()} == {admin}
    assert created.after["email"] == "ada@example.com"
    assert updated.changed == ["first_name", "is_staff"]
    assert (updated.before["first_name"], updated.after["first_name"]) == ("", "Ada")
    assert deleted.before["is_staff"] is True
    assert deleted.after is None


def test_a_password_is_never_told_only_that_it_changed() -> None:
    ada = make_user()
    new = NewEvents()
    ada.set_password("other")
    ada.save()
    event = new.one()
    assert event.changed == ["password"]
    for told in Event.objects.all():
        assert ada.password not in str([told.before, told.after])
        assert "password" not in str([told.before, told.after])


def test_a_password_that_is_only_hashed_anew_is_not_told(settings: Any) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.PBKDF2PasswordHasher"]
    make_user()
    settings.PASSWORD_HASHERS = [
        "django.contrib.auth.hashers.MD5PasswordHasher",
        "django.contrib.auth.hashers.PBKDF2PasswordHasher",
    ]
    new = NewEvents()
    assert authenticate(username="ada", password="pw")
    assert User.objects.get().password.startswith("md5")
    assert not new.list()


def test_users_that_change_in_bulk_are_told() -> None:
    make_user("ada")
    make_user("bob", is_active=False)
    new = NewEvents()
    User.objects.update(is_active=False)
    event = new.one()
    assert (event.subject_label, event.changed) == ("ada", ["is_active"])
    User.objects.bulk_create([User(username="cleo"), User(username="dora")])
    assert new.types[1:] == ["user.created"] * 2


def test_a_user_who_deletes_the_own_account_is_named_but_not_linked() -> None:
    ada = make_user()
    new = NewEvents()
    with acting(User.objects.get(pk=ada.pk)):
        ada.delete()
    event = new.one()
    assert (event.actor, event.actor_label) == (None, "ada")


def test_login_and_logout(client: Client) -> None:
    ada = make_user()
    new = NewEvents()
    assert client.login(username="ada", password="pw")
    client.logout()
    login, logout = new.list()
    assert (login.type, logout.type) == ("user.login", "user.logout")
    assert (login.subject_id, login.actor, login.actor_label) == (ada.pk, ada, "ada")


def test_a_failed_login_tells_the_name_and_the_address_never_the_password(client: Client) -> None:
    make_user()
    new = NewEvents()
    client.post("/admin/login/", {"username": "ada", "password": "secret-guess"})
    event = new.one()
    assert (event.type, event.subject_id, event.subject_label) == (
        "space.login_failed",
        "space",
        "ada",
    )
    assert event.after == {"username": "ada", "ip": "127.0.0.1"}
    assert event.actor is None


@pytest.mark.parametrize("username", ["a" * 5000, "a\x00b", "\ud800", ""])
def test_whatever_is_tried_as_a_name_can_be_kept(username: str) -> None:
    new = NewEvents()
    user_login_failed.send(sender=__name__, credentials={"username": username}, request=None)
    assert len(new.one().after["username"]) <= 150
