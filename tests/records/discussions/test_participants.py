"""Who takes part in a discussion, and who is told what."""

from typing import Any

import pytest

from records.actors import acting
from records.exceptions import InvalidData
from records.models import Notification, ObjectDefinition, Record, User
from records.permissions import can, people_who_can
from records.services import (
    add_comment,
    edit_comment,
    join_discussion,
    leave_discussion,
    set_participants,
)
from tests.records.discussions.at_hand import participants, told
from tests.records.leads import make_user
from tests.records.making import NewEvents

pytestmark = pytest.mark.django_db


def test_the_author_and_who_is_mentioned_take_part(lead: Record, ada: User, bob: User) -> None:
    make_user("eve")  # may not see leads
    add_comment(record=lead, body="@bob @eve @nobody look", author=ada)
    assert participants(lead) == {"ada", "bob"}


def test_participants_are_told_of_comments_and_the_author_is_not(
    lead: Record, ada: User, bob: User
) -> None:
    join_discussion(record=lead, users=[ada, bob])
    Notification.objects.all().delete()
    comment = add_comment(record=lead, body="Look", author=ada)
    note = Notification.objects.get()
    assert (note.user, note.title, note.body) == (bob, "Ada commented on “Jane”", "Look")
    assert note.url == f"/o/leads/{lead.pk}/#{comment.pk}"


def test_who_is_mentioned_is_told_so_once(lead: Record, ada: User, bob: User) -> None:
    join_discussion(record=lead, users=[bob])
    Notification.objects.all().delete()
    comment = add_comment(record=lead, body="Look, @bob", author=ada)
    assert told(bob) == ["Ada mentioned you on “Jane”"]
    edit_comment(comment=comment, body="Look, @bob!")
    assert len(told(bob)) == 1


def test_an_edit_can_bring_somebody_in(lead: Record, ada: User, bob: User) -> None:
    comment = add_comment(record=lead, body="Look", author=ada)
    edit_comment(comment=comment, body="Look, @bob")
    assert participants(lead) == {"ada", "bob"}
    assert told(bob) == ["Ada mentioned you on “Jane”"]


def test_who_may_see_the_record_no_more_is_told_nothing(lead: Record, ada: User, bob: User) -> None:
    join_discussion(record=lead, users=[bob])
    Notification.objects.all().delete()
    bob.groups.clear()
    add_comment(record=lead, body="Look", author=ada)
    assert told(bob) == []


def test_a_change_of_participants_is_told(lead: Record, ada: User, bob: User) -> None:
    new = NewEvents()
    with acting(ada):
        set_participants(record=lead, users=[ada, bob])
    event = new.one()
    assert (event.type, event.subject_id, event.record) == (
        "discussion.membership_changed",
        lead.pk,
        lead,
    )
    assert event.object == lead.object
    assert event.before["participants"] == []
    assert event.after["participants"] == sorted([ada.pk, bob.pk])
    assert told(bob) == ["Ada added you to the discussion of “Jane”"]
    assert told(ada) == []
    with acting(ada):
        set_participants(record=lead, users=[ada, bob])
    assert len(new.list()) == 1
    leave_discussion(record=lead, users=[bob])
    assert new.list()[1].after["participants"] == [ada.pk]


def test_who_may_not_see_the_record_can_not_take_part(lead: Record, ada: User) -> None:
    eve = make_user("eve")
    with pytest.raises(InvalidData, match="eve may not see Leads"):
        set_participants(record=lead, users=[ada, eve])
    assert not participants(lead)


@pytest.mark.parametrize("permissions", [(), ("view_leads",), ("change_leads",), ("view_record",)])
def test_people_are_found_by_what_they_may(leads: ObjectDefinition, permissions: Any) -> None:
    user = make_user("uma", *permissions)
    make_user("gone", "view_leads", is_active=False)
    found = set(people_who_can("view", leads))
    assert (user in found) == can(user, "view", leads) == bool(permissions)
    assert not any(not one.is_active for one in found)
    assert set(people_who_can("change", leads)) == (
        {user} if "change_leads" in permissions else set()
    )
