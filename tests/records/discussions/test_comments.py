"""Comments and their events."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from records.actors import acting
from records.exceptions import AlreadyGone, InvalidData, RecordDeleted
from records.models import Comment, Event, Notification, Participant, Record, User
from records.models.discussions import MAX_COMMENT_LENGTH
from records.services import (
    add_comment,
    delete_comment,
    delete_record,
    edit_comment,
    join_discussion,
    restore_record,
)
from tests.records.discussions.at_hand import participants
from tests.records.making import NewEvents, rolled_back

pytestmark = pytest.mark.django_db


def test_a_comment_is_told_with_its_record_and_object(lead: Record, ada: User) -> None:
    join_discussion(record=lead, users=[ada])
    new = NewEvents()
    with acting(ada):
        comment = add_comment(record=lead, body="  She called.\r\nTwice. ", author=ada)
    event = new.one()
    assert comment.pk.startswith("cmt_")
    assert (event.type, event.subject_id, event.actor) == ("comment.created", comment.pk, ada)
    assert (event.record, event.object) == (lead, lead.object)
    assert event.subject_label == "She called. Twice."
    assert event.before is None
    assert event.after == {
        "body": "She called.\nTwice.",
        "author": ada.pk,
        "author_name": "Ada",
        "record_id": lead.pk,
    }


def test_a_comment_is_changed_and_taken_back(lead: Record, ada: User) -> None:
    comment = add_comment(record=lead, body="one", author=ada)
    new = NewEvents()
    edited = edit_comment(comment=comment, body="two")
    edit_comment(comment=comment, body=" two ")  # changes nothing
    assert edited.edited_at is not None
    delete_comment(comment=comment)
    updated, deleted = new.list()
    assert (updated.type, updated.changed) == ("comment.updated", ["body"])
    assert (updated.before["body"], updated.after["body"]) == ("one", "two")
    assert (deleted.type, deleted.before["body"], deleted.after) == ("comment.deleted", "two", None)
    assert {one.subject_id for one in new.list()} == {comment.pk}
    assert {one.record_id for one in new.list()} == {lead.pk}
    with pytest.raises(AlreadyGone):
        edit_comment(comment=edited, body="three")


def test_an_event_knows_the_run_that_said_it(lead: Record) -> None:
    run = "run_01h455vb4pex5vsknk084sn02q"
    new = NewEvents()
    with acting(None, label="Automation “Welcome”", run_id=run, depth=2):
        comment = add_comment(record=lead, body="Hello", author=None)
    event = new.one()
    assert (event.run_id, event.depth) == (run, 2)
    assert comment.author_name == event.after["author_name"] == "Automation “Welcome”"
    assert not participants(lead)


def test_a_comment_and_who_it_brings_in_are_one_insert(lead: Record, ada: User, bob: User) -> None:
    new = NewEvents()
    with CaptureQueriesContext(connection) as queries:
        add_comment(record=lead, body="@bob, look", author=ada)
    inserts = [one for one in queries if 'INSERT INTO "records_event"' in one["sql"]]
    assert len(inserts) == 1
    assert new.types == ["comment.created", "discussion.membership_changed"]


def test_nothing_stays_of_a_comment_that_is_rolled_back(lead: Record, ada: User) -> None:
    new = NewEvents()
    with rolled_back():
        add_comment(record=lead, body="@ada", author=ada)
    assert not new.list()
    assert not Comment.objects.exists()
    assert not Notification.objects.exists()


@pytest.mark.parametrize("body", ["", "  \n ", "\0", "x" * (MAX_COMMENT_LENGTH + 1)])
def test_a_comment_has_some_words_but_not_too_many(lead: Record, ada: User, body: str) -> None:
    new = NewEvents()
    with pytest.raises(InvalidData) as error:
        add_comment(record=lead, body=body, author=ada)
    assert set(error.value.errors) == {"body"}
    assert not new.list()


def test_nobody_talks_about_a_deleted_record_but_what_was_said_is_kept(
    lead: Record, ada: User
) -> None:
    comment = add_comment(record=lead, body="one", author=ada)
    delete_record(record=lead)
    for act in (
        lambda: add_comment(record=lead, body="two", author=ada),
        lambda: edit_comment(comment=comment, body="two"),
        lambda: join_discussion(record=lead, users=[ada]),
    ):
        with pytest.raises(RecordDeleted):
            act()
    restore_record(record=lead)
    assert lead.comments.get().body == "one"


def test_with_the_row_of_the_record_goes_its_discussion(lead: Record, ada: User) -> None:
    add_comment(record=lead, body="one", author=ada)
    Record.objects.filter(pk=lead.pk).delete()
    assert not Comment.objects.exists()
    assert not Participant.objects.exists()
    assert Event.objects.filter(type="comment.created").get().record is None


def test_comments_outlive_their_author(lead: Record, ada: User, bob: User) -> None:
    add_comment(record=lead, body="one", author=ada)
    join_discussion(record=lead, users=[bob])
    new = NewEvents()
    with acting(bob):
        ada.delete()
    assert lead.comments.get().author_name == "Ada"
    event = next(one for one in new.list() if one.type == "discussion.membership_changed")
    assert (event.before["participants"], event.after["participants"]) == (
        sorted([event.actor_id, *set(event.before["participants"]) - {event.actor_id}]),
        [bob.pk],
    )
    assert event.record == lead
