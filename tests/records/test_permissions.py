"""Permissions per object and action, through groups."""

import pytest
from django.contrib.auth.models import AnonymousUser, Group, Permission
from django.core.exceptions import ValidationError

from records.models import ObjectDefinition, User
from records.permissions import ACTIONS, Action, can, permissions_of, visible_objects
from tests.records.making import make_object, make_user

pytestmark = pytest.mark.django_db


def grant(user: User, *codenames: str) -> User:
    team, _ = Group.objects.get_or_create(name=f"Team of {user.username}")
    rows = Permission.objects.filter(content_type__app_label="records", codename__in=codenames)
    assert rows.count() == len(codenames)
    team.permissions.add(*rows)
    user.groups.add(team)
    return User.objects.get(pk=user.pk)


def allowed(user: User, definition: ObjectDefinition) -> set[str]:
    actions: list[Action] = list(ACTIONS)  # type: ignore[arg-type]
    return {action for action in actions if can(user, action, definition)}


def test_an_object_has_its_permissions_from_the_start() -> None:
    leads = make_object()
    names = {row.name for row in permissions_of(leads).values()}
    assert names == {
        "Can view Leads",
        "Can add Leads",
        "Can change Leads",
        "Can move Leads to another stage",
        "Can close and reopen Leads",
        "Can delete and restore Leads",
    }


def test_nobody_may_anything_without_being_given_it() -> None:
    leads = make_object()
    assert allowed(make_user(), leads) == set()
    assert not can(AnonymousUser(), "view", leads)
    assert list(visible_objects(AnonymousUser())) == []


@pytest.mark.parametrize("action", list(ACTIONS))
def test_one_permission_is_for_one_action_on_one_object(action: str) -> None:
    leads, deals = make_object("leads"), make_object("deals")
    user = grant(make_user(), f"{action}_leads")
    assert allowed(user, leads) == ({"change", "view"} if action == "change" else {action})
    assert allowed(user, deals) == set()


def test_permissions_for_all_records_count_for_every_object() -> None:
    leads = make_object()
    assert allowed(grant(make_user("v"), "view_record"), leads) == {"view"}
    changer = grant(make_user("c"), "change_record")
    assert allowed(changer, leads) == {"view", "change", "move", "close"}
    assert list(visible_objects(changer)) == [leads]
    assert allowed(User.objects.create_superuser("root"), leads) == set(ACTIONS)


def test_who_is_not_active_may_nothing() -> None:
    leads = make_object()
    user = grant(make_user(), "view_leads")
    user.is_active = False
    assert not can(user, "view", leads)
    assert list(visible_objects(user)) == []


def test_visible_objects_are_those_whose_records_one_may_see() -> None:
    leads, deals = make_object("leads"), make_object("deals")
    make_object("secrets")
    user = grant(make_user(), "view_leads", "change_deals")
    assert set(visible_objects(user)) == {leads, deals}
    leads.deleted_at = leads.updated_at
    leads.save()
    assert set(visible_objects(user)) == {deals}


def test_a_renamed_object_takes_its_permissions_along() -> None:
    leads = make_object()
    user = grant(make_user(), "view_leads")
    leads.slug, leads.plural = "prospects", "Prospects"
    leads.save()
    leads.save()
    assert can(User.objects.get(pk=user.pk), "view", leads)
    assert permissions_of(leads)["view_prospects"].name == "Can view Prospects"
    assert not Permission.objects.filter(codename="view_leads").exists()


def test_with_the_object_go_its_permissions() -> None:
    leads = make_object()
    leads.delete()
    assert not Permission.objects.filter(codename__endswith="_leads").exists()


@pytest.mark.parametrize("slug", ["record", "event", "user", "task", "mail"])
def test_no_object_is_called_like_something_that_has_permissions_of_its_own(slug: str) -> None:
    definition = ObjectDefinition(slug=slug, name="X", plural="X")
    with pytest.raises(ValidationError, match="meaning of its own"):
        definition.full_clean()
