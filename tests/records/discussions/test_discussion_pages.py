"""The card of a discussion on its record's page, and comments in the admin."""

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from records.actors import acting
from records.models import Comment, ObjectDefinition, Record, User
from records.services import (
    add_comment,
    delete_comment,
    delete_record,
    edit_comment,
    join_discussion,
    leave_discussion,
)
from records.views import comments as pages
from tests.records.discussions.at_hand import participants, text
from tests.records.leads import make_lead, make_user
from tests.records.making import NewEvents

pytestmark = pytest.mark.django_db


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
