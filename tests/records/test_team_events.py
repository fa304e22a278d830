"""Events of teams and of who is in them."""

from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission
from django.db import transaction

from records.exceptions import CannotRestore
from records.models import Event, ObjectDefinition, User
from records.services import deleted_teams, restore_team
from tests.records.making import (
    NewEvents,
    make_user,
)

pytestmark = pytest.mark.django_db


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
