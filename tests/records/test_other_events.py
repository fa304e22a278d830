"""Events of objects, users, teams, logins and memberships."""

from typing import Any

import pytest
from django.contrib.auth import authenticate
from django.contrib.auth.models import Group, Permission
from django.contrib.auth.signals import user_login_failed
from django.db import transaction
from django.test import Client

from records.actors import acting
from records.exceptions import CannotRestore
from records.models import Event, FieldDefinition, ObjectDefinition, Stage, User
from records.services import deleted_teams, restore_team
from tests.records.making import (
    NewEvents,
    add_field,
    make_object,
    make_record,
    make_user,
    rolled_back,
)

pytestmark = pytest.mark.django_db


# --- objects ----------------------------------------------------------------------------------


def test_an_object_is_created_updated_deleted_and_restored() -> None:
    ada = make_user()
    new = NewEvents()
    with acting(ada):
        leads = ObjectDefinition.objects.create(slug="leads", name="Lead", plural="Leads")
        leads.description = "People"
        leads.save()
        leads.deleted_at = leads.updated_at
        leads.save()
        leads.deleted_at = None
        leads.save()
    created, updated, deleted, restored = new.list()
    assert {event.subject_id for event in new.list()} == {"obj_def_leads"}
    assert {event.actor for event in new.list()} == {ada}
    assert {event.object for event in new.list()} == {leads}
    assert (created.type, created.before, created.after["name"]) == ("object.created", None, "Lead")
    assert (updated.type, updated.changed) == ("object.updated", ["description"])
    assert (updated.before["description"], updated.after["description"]) == ("", "People")
    assert (deleted.type, deleted.before["plural"], deleted.after) == (
        "object.deleted",
        "Leads",
        None,
    )
    assert (restored.type, restored.before, restored.after["plural"]) == (
        "object.restored",
        None,
        "Leads",
    )


def test_fields_and_stages_are_parts_of_their_object() -> None:
    leads = make_object()
    new = NewEvents()
    field = add_field(leads, "city")
    field.label = "Town"
    field.save()
    field.delete()
    leads.stages.get(slug="won").delete()
    assert [event.changed for event in new.list()] == [["fields.city"]] * 3 + [["stages.won"]]
    added, renamed, removed, _ = new.list()
    assert "city" not in added.before["fields"]
    assert renamed.before["fields"]["city"]["label"] == "City"
    assert renamed.after["fields"]["city"]["label"] == "Town"
    assert "city" not in removed.after["fields"]


def test_one_transaction_is_one_event() -> None:
    leads = make_object()
    new = NewEvents()
    with transaction.atomic():
        leads.name = "Prospect"
        leads.save()
        add_field(leads, "city")
        field = leads.fields.get(slug="email")
        field.label = "Mail"
        field.save()
        Stage.objects.create(object=leads, slug="lost", label="Lost", position=9)
    event = new.one()
    assert event.type == "object.updated"
    assert event.changed == ["name", "fields.email", "fields.city", "stages.lost"]
    with transaction.atomic():
        deals = make_object("deals")
    assert len(new.list()) == 2
    created = new.list()[1]
    assert (created.type, list(created.after["fields"])) == (
        "object.created",
        ["name", "email", "amount"],
    )
    assert created.object == deals


def test_what_a_transaction_takes_back_is_not_told() -> None:
    leads = make_object()
    new = NewEvents()
    with transaction.atomic():
        add_field(leads, "city").delete()
    assert not new.list()


def test_a_savepoint_that_is_rolled_back_takes_its_part_of_the_story_along() -> None:
    leads = make_object()
    new = NewEvents()
    with transaction.atomic():
        with rolled_back():
            add_field(leads, "city")
        add_field(leads, "town")
    event = new.one()
    assert event.changed == ["fields.town"]


def test_a_save_of_an_object_that_changes_nothing_is_not_told() -> None:
    leads = make_object()
    new = NewEvents()
    leads.save()
    leads.fields.get(slug="name").save()
    assert not new.list()


def test_an_object_deleted_for_good_is_told_with_its_fields() -> None:
    leads = make_object()
    new = NewEvents()
    leads.delete()
    event = new.one()
    assert (event.type, event.object, event.subject_id) == ("object.deleted", None, "obj_def_leads")
    assert list(event.before["fields"]) == ["name", "email", "amount"]


def test_fields_created_in_bulk_are_told_and_known() -> None:
    leads = make_object()
    known = leads.schema.by_slug
    new = NewEvents()
    FieldDefinition.objects.bulk_create(
        [FieldDefinition(object=leads, slug=slug, label=slug) for slug in ("x", "y")]
    )
    assert new.one().changed == ["fields.x", "fields.y"]
    assert set(leads.schema.by_slug) - set(known) == {"x", "y"}


def test_definitions_changed_in_bulk_are_told_and_known() -> None:
    leads = make_object()
    new = NewEvents()
    FieldDefinition.objects.filter(object=leads).update(required=True)
    assert new.one().changed == ["fields.email", "fields.amount"]
    stages = list(leads.stages.all())
    for stage in stages:
        stage.colour = "red"
    Stage.objects.bulk_update(stages, ["colour"])
    ObjectDefinition.objects.update(description="x")
    assert [event.changed for event in new.list()[1:]] == [
        ["stages.new", "stages.won"],
        ["description"],
    ]
    leads.refresh_from_db()
    assert all(field.required for field in leads.schema.fields)


def test_an_object_saved_from_an_old_copy_does_not_bring_old_fields_back() -> None:
    leads = make_object()
    old = ObjectDefinition.objects.get(pk=leads.pk)
    old.schema  # noqa: B018  (read into the cache)
    add_field(leads, "city")
    old.save()
    assert "city" in ObjectDefinition.objects.get(pk=leads.pk).schema.by_slug


# --- users ------------------------------------------------------------------------------------


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


# --- teams ------------------------------------------------------------------------------------


def test_a_team_is_created_renamed_and_granted_permissions() -> None:
    new = NewEvents()
    team = Group.objects.create(name="Sales")
    team.name = "Selling"
    team.save()
    team.save()
    permission = Permission.objects.get(codename="view_record")
    team.permissions.add(permission)
    team.permissions.add(permission)
    permission.group_set.clear()
    created, renamed, granted, revoked = new.list()
    assert {event.subject_id for event in new.list()} == {f"team_{team.pk}"}
    assert (created.type, created.after) == ("team.created", {"name": "Sales", "permissions": []})
    assert (renamed.type, renamed.changed) == ("team.updated", ["name"])
    assert (granted.changed, granted.after["permissions"]) == (
        ["permissions"],
        ["records.view_record"],
    )
    assert (revoked.changed, revoked.after["permissions"]) == (["permissions"], [])


def test_a_team_and_its_permissions_made_in_one_transaction_are_one_event() -> None:
    new = NewEvents()
    with transaction.atomic():
        team = Group.objects.create(name="Sales")
        team.permissions.set(Permission.objects.filter(codename="view_record"))
    event = new.one()
    assert event.after == {"name": "Sales", "permissions": ["records.view_record"]}


@pytest.mark.django_db(transaction=True)
def test_a_team_whose_event_cannot_be_written_is_not_saved(monkeypatch: Any) -> None:
    def fail(*args: Any, **kwargs: Any) -> None:
        raise RuntimeError("no event")

    monkeypatch.setattr("records.events.insert_rows", fail)
    with pytest.raises(RuntimeError):
        Group.objects.create(name="Sales")
    with pytest.raises(RuntimeError):
        make_user()
    with pytest.raises(RuntimeError):
        ObjectDefinition.objects.create(slug="leads", name="Lead", plural="Leads")
    assert not Group.objects.exists()
    assert not User.objects.exists()
    assert not ObjectDefinition.objects.exists()


def test_membership_is_told_of_both_sides() -> None:
    ada, bob, team = make_user("ada"), make_user("bob"), Group.objects.create(name="Sales")
    new = NewEvents()
    ada.groups.add(team)
    user_event, team_event = new.list()
    assert (user_event.type, user_event.subject_id) == ("user.membership_changed", ada.pk)
    assert (user_event.before, user_event.after) == ({"teams": []}, {"teams": [f"team_{team.pk}"]})
    assert (team_event.type, team_event.subject_label) == ("team.membership_changed", "Sales")
    assert (team_event.before, team_event.after) == ({"members": []}, {"members": [ada.pk]})

    new = NewEvents()
    team.user_set.set([bob])
    assert new.types == [
        "user.membership_changed",
        "team.membership_changed",
        "user.membership_changed",
        "team.membership_changed",
    ]
    last = new.list()[-1]
    assert (last.before, last.after) == ({"members": []}, {"members": [bob.pk]})


@pytest.mark.parametrize("reverse", [True, False])
def test_only_real_changes_of_membership_are_told(reverse: bool) -> None:
    ada, bob = make_user("ada"), make_user("bob")
    team = Group.objects.create(name="Sales")
    team.user_set.add(ada)
    new = NewEvents()
    if reverse:
        team.user_set.add(ada)
        team.user_set.remove(bob)
    else:
        ada.groups.add(team)
        bob.groups.remove(team)
        bob.groups.clear()
    assert not new.list()
    if reverse:
        team.user_set.clear()
    else:
        ada.groups.clear()
    assert new.types == ["user.membership_changed", "team.membership_changed"]


def test_a_deleted_team_leaves_its_members_and_can_be_restored() -> None:
    ada = make_user("ada")
    team = Group.objects.create(name="Sales")
    team.permissions.set(Permission.objects.filter(codename="view_record"))
    ada.groups.add(team)
    pk = team.pk
    new = NewEvents()
    team.delete()
    left, deleted = new.list()
    assert (left.type, left.before, left.after) == (
        "user.membership_changed",
        {"teams": [f"team_{pk}"]},
        {"teams": []},
    )
    assert deleted.type == "team.deleted"
    assert deleted.before == {
        "name": "Sales",
        "permissions": ["records.view_record"],
        "members": [ada.pk],
    }
    assert deleted_teams() == [deleted]

    new = NewEvents()
    restored = restore_team(event=deleted)
    assert (restored.pk, restored.name) == (pk, "Sales")
    assert list(ada.groups.all()) == [restored]
    assert ada.has_perm("records.view_record")
    assert new.types == ["team.restored", "user.membership_changed", "team.membership_changed"]
    assert new.list()[0].after["permissions"] == ["records.view_record"]
    assert deleted_teams() == []
    with pytest.raises(CannotRestore, match="already"):
        restore_team(event=deleted)


def test_a_team_is_not_restored_beside_another_of_its_name() -> None:
    team = Group.objects.create(name="Sales")
    team.delete()
    Group.objects.create(name="Sales")
    with pytest.raises(CannotRestore, match="rename that one first"):
        restore_team(event=deleted_teams()[0])
    with pytest.raises(CannotRestore, match="Only the deletion"):
        restore_team(event=Event.objects.filter(type="team.created")[0])


def test_teams_deleted_together_are_told_one_by_one() -> None:
    Group.objects.create(name="Sales")
    Group.objects.create(name="Support")
    new = NewEvents()
    Group.objects.all().delete()
    assert sorted(event.before["name"] for event in new.list()) == ["Sales", "Support"]


def test_a_deleted_user_leaves_the_teams() -> None:
    ada, team = make_user(), Group.objects.create(name="Sales")
    team.user_set.add(ada)
    new = NewEvents()
    ada.delete()
    assert new.types == ["team.membership_changed", "user.deleted"]
    assert new.list()[0].after == {"members": []}


def test_a_request_is_acted_by_its_user(client: Client) -> None:
    boss = User.objects.create_superuser("boss", password="pw")
    record = make_record(make_object())
    client.force_login(boss)
    new = NewEvents()
    client.post(f"/admin/records/record/{record.pk}/act/", {"act": "close", "version": "1"})
    assert new.one().actor == boss
