"""Discussions: comments, participants, mentions, their events and notifications, and their card."""

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from records.actors import acting
from records.exceptions import AlreadyGone, InvalidData, RecordDeleted
from records.mentions import MAX_MENTIONS, mentioned_names
from records.models import Comment, Event, Notification, ObjectDefinition, Participant, Record, User
from records.models.discussions import MAX_COMMENT_LENGTH
from records.permissions import can, people_who_can
from records.services import (
    add_comment,
    delete_comment,
    delete_record,
    edit_comment,
    join_discussion,
    leave_discussion,
    restore_record,
    set_participants,
)
from records.views import comments as pages
from tests.records.leads import make_lead, make_leads, make_user
from tests.records.making import NewEvents, rolled_back

pytestmark = pytest.mark.django_db


@pytest.fixture
def leads() -> ObjectDefinition:
    return make_leads()


@pytest.fixture
def ada(leads: ObjectDefinition) -> User:
    return make_user("ada", "view_leads", "change_leads", first_name="Ada")


@pytest.fixture
def bob(leads: ObjectDefinition) -> User:
    return make_user("bob", "view_leads", first_name="Bob")


@pytest.fixture
def lead(leads: ObjectDefinition) -> Record:
    return make_lead(leads, "Jane")


@pytest.fixture
def client(ada: User) -> Client:
    client = Client()
    client.force_login(ada)
    return client


def text(response: Any) -> str:
    return " ".join(response.content.decode().split())


def participants(record: Record) -> set[str]:
    return {one.user.username for one in Participant.objects.filter(record=record)}


def told(user: User) -> list[str]:
    return [note.title for note in Notification.objects.filter(user=user).order_by("pk")]


# --- mentions ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "names"),
    [
        ("", []),
        ("@ada look", ["ada"]),
        ("look, @ada.", ["ada"]),
        ("(@ada, @bob) and @ada", ["ada", "bob"]),
        ("@ada.smith+x@ and “@o'brien", ["ada.smith+x", "o"]),
        ("mail ada@example.com", []),
        ("https://example.com/@ada?q=@bob", []),
        ("@@ada", []),
        ("line\n@ada", ["ada"]),
        ("@", []),
        ("@élodie", ["élodie"]),
    ],
)
def test_names_are_mentioned_at_the_beginning_of_words(body: str, names: list[str]) -> None:
    assert mentioned_names(body) == names


def test_a_long_list_of_names_is_cut() -> None:
    assert len(mentioned_names(" ".join(f"@u{number}" for number in range(99)))) == MAX_MENTIONS


# --- comments and their events ----------------------------------------------------------------


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


# --- who takes part ---------------------------------------------------------------------------


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


# --- the card ---------------------------------------------------------------------------------


def add(client: Client, record: Record, body: str) -> Any:
    return client.post(
        reverse("comment_add", args=["leads", record.pk]), {"body": body}, follow=True
    )


def test_a_new_discussion_says_what_to_do(client: Client, lead: Record) -> None:
    page = text(client.get(f"/o/leads/{lead.pk}/"))
    assert "Nobody has said anything yet. Ask, answer" in page
    assert "Nobody takes part" in page


def test_comments_stand_in_order_and_are_escaped(
    client: Client, lead: Record, ada: User, bob: User
) -> None:
    add(client, lead, "first <b>one</b>")
    page = text(add(client, lead, "second for @bob at https://example.com/?a=1&b=2 not @ghost"))
    assert page.index("first &lt;b&gt;one&lt;/b&gt;") < page.index("second for")
    assert '<span class="mention">@bob</span>' in page
    assert 'href="https://example.com/?a=1&amp;b=2" rel="nofollow"' in page
    assert "not @ghost" in page
    assert "2 take part" in page
    assert "commented" in page[page.index('id="history"') :]


@pytest.mark.parametrize(
    "body", ['@bob"onclick="x', "<@bob>", "https://x.example/ @bob&amp;", "javascript:alert(1)"]
)
def test_no_text_becomes_html(body: str) -> None:
    html = pages.html_of(body, {"bob"})
    for tag in ('<span class="mention">', "</span>", "</a>"):
        html = html.replace(tag, "")  # type: ignore[assignment]
    assert "<" not in html.replace('<a href="https://x.example/" rel="nofollow">', "")


def test_a_comment_without_words_is_refused_in_words(client: Client, lead: Record) -> None:
    assert "Write something first." in text(add(client, lead, " "))
    assert not Comment.objects.exists()


def test_a_comment_is_edited_by_its_author_alone(
    client: Client, lead: Record, ada: User, bob: User
) -> None:
    own = add_comment(record=lead, body="mine", author=ada)
    others = add_comment(record=lead, body="his", author=bob)
    page = text(client.get(f"/o/leads/{lead.pk}/"))
    assert reverse("comment_edit", args=["leads", lead.pk, own.pk]) in page
    assert reverse("comment_edit", args=["leads", lead.pk, others.pk]) not in page
    edit = client.post(
        reverse("comment_edit", args=["leads", lead.pk, own.pk]), {"body": "ours"}, follow=True
    )
    assert "ours" in text(edit)
    for name in ("comment_edit", "comment_delete"):
        response = client.post(reverse(name, args=["leads", lead.pk, others.pk]), {"body": "x"})
        assert response.status_code == 403
    client.post(reverse("comment_delete", args=["leads", lead.pk, own.pk]))
    assert list(Comment.objects.all()) == [others]


def test_administrators_delete_any_comment(lead: Record, bob: User) -> None:
    comment = add_comment(record=lead, body="his", author=bob)
    client = Client()
    client.force_login(User.objects.create_superuser("root"))
    client.post(reverse("comment_delete", args=["leads", lead.pk, comment.pk]))
    assert not Comment.objects.exists()


@pytest.mark.parametrize(
    "name", ["comment_add", "participants_change", "comment_edit", "comment_delete"]
)
def test_who_may_not_see_the_record_does_nothing(lead: Record, ada: User, name: str) -> None:
    comment = add_comment(record=lead, body="mine", author=ada)
    client = Client()
    client.force_login(make_user("eve"))
    more = [comment.pk] if name in ("comment_edit", "comment_delete") else []
    response = client.post(reverse(name, args=["leads", lead.pk, *more]), {"body": "x"})
    assert response.status_code == 403
    assert client.get(reverse(name, args=["leads", lead.pk, *more])).status_code == 405


@pytest.mark.parametrize("pk", ["nonsense", "cmt_00000000000000000000000000", "rec_x"])
def test_a_comment_that_is_not_there_is_not_found(client: Client, lead: Record, pk: str) -> None:
    assert client.post(reverse("comment_delete", args=["leads", lead.pk, pk])).status_code == 404


def test_a_comment_of_another_record_is_not_found(
    client: Client, leads: ObjectDefinition, lead: Record, ada: User
) -> None:
    other = add_comment(record=make_lead(leads, "Joe"), body="x", author=ada)
    response = client.post(reverse("comment_delete", args=["leads", lead.pk, other.pk]))
    assert response.status_code == 404


def test_people_join_and_leave_on_the_page(
    client: Client, lead: Record, ada: User, bob: User
) -> None:
    address = reverse("participants_change", args=["leads", lead.pk])
    client.post(address, {"join": [ada.pk, bob.pk]})
    assert participants(lead) == {"ada", "bob"}
    client.post(address, {"leave": bob.pk})
    assert participants(lead) == {"ada"}


def test_who_may_only_see_takes_nobody_else_out(lead: Record, ada: User, bob: User) -> None:
    join_discussion(record=lead, users=[ada, bob])
    client = Client()
    client.force_login(bob)
    address = reverse("participants_change", args=["leads", lead.pk])
    assert client.post(address, {"leave": ada.pk}).status_code == 403
    client.post(address, {"leave": bob.pk})
    assert participants(lead) == {"ada"}


def test_the_closed_card_of_a_deleted_record_has_no_forms(
    client: Client, lead: Record, ada: User
) -> None:
    add_comment(record=lead, body="kept", author=ada)
    delete_record(record=lead)
    page = text(client.get(f"/o/leads/{lead.pk}/"))
    assert "kept" in page
    assert "comment_add" not in page
    assert f"/o/leads/{lead.pk}/comments/" not in page


def test_a_long_discussion_shows_its_end_at_the_same_cost(
    client: Client, lead: Record, ada: User
) -> None:
    add_comment(record=lead, body="number 0;", author=ada)
    with CaptureQueriesContext(connection) as few:
        client.get(f"/o/leads/{lead.pk}/")
    for number in range(1, pages.SHOWN + 3):
        add_comment(record=lead, body=f"number {number};", author=ada)
    with CaptureQueriesContext(connection) as many:
        page = text(client.get(f"/o/leads/{lead.pk}/"))
    assert len(many) <= len(few)
    assert "number 2;" not in page
    assert page.index("number 3;") < page.index(f"number {pages.SHOWN + 2};")
    assert "Show earlier comments" in page
    page = text(client.get(f"/o/leads/{lead.pk}/?comments=all"))
    assert "number 0;" in page
    assert "Show earlier comments" not in page


def test_the_history_tells_of_the_discussion_without_repeating_it(
    client: Client, lead: Record, ada: User, bob: User
) -> None:
    with acting(bob):
        join_discussion(record=lead, users=[bob, ada])
        comment = add_comment(record=lead, body="a secret slip", author=bob)
        edit_comment(comment=comment, body="another slip")
        leave_discussion(record=lead, users=[bob])
    with acting(ada):
        delete_comment(comment=comment)
    history = text(client.get(f"/o/leads/{lead.pk}/history/"))
    for words in (
        "<strong>Bob</strong> joined the discussion and brought Ada in",
        "<strong>Bob</strong> commented",
        "<strong>Bob</strong> edited a comment",
        "<strong>Bob</strong> left the discussion",
        "<strong>Ada</strong> deleted a comment of Bob",
    ):
        assert words in history
    assert "slip" not in history


# --- the admin --------------------------------------------------------------------------------


def test_the_admin_reads_and_deletes(lead: Record, ada: User) -> None:
    comment = add_comment(record=lead, body="<i>said</i>", author=ada)
    client = Client()
    client.force_login(User.objects.create_superuser("root"))
    assert "&lt;i&gt;said&lt;/i&gt;" in text(client.get("/admin/records/comment/?q=said"))
    address = f"/admin/records/comment/{comment.pk}/"
    assert "&lt;i&gt;said&lt;/i&gt;" in text(client.get(f"{address}change/"))
    new = NewEvents()
    client.post(f"{address}delete/", {"post": "yes"})
    assert "comment.deleted" in new.types


def test_staff_see_comments_of_what_they_may_see(lead: Record, ada: User) -> None:
    comment = add_comment(record=lead, body="said", author=ada)
    client = Client()
    client.force_login(make_user("sam", "view_comment", is_staff=True))
    assert "said" not in text(client.get("/admin/records/comment/"))
    assert client.get(f"/admin/records/comment/{comment.pk}/change/").status_code == 302
