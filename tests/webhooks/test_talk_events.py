"""Webhooks on comments, discussions, tasks and invitations: whom they reach, and what expressions see."""

import json
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from records.actors import acting
from records.dispatch import dispatch_events
from records.expressions import ExpressionError, evaluate, render_text
from records.models import Event, ObjectDefinition, Record, User
from records.services import (
    add_comment,
    add_task,
    complete_task,
    edit_comment,
    invite,
    join_discussion,
    update_record,
)
from tests.records.making import make_object, make_record
from tests.webhooks.admin_webhooks.pages import filled
from webhooks.models import JobStatus, Webhook, WebhookJob
from webhooks.names import Names
from webhooks.payloads import context_of, default_payload
from webhooks.samples import MADE_UP, Samples
from webhooks.services import send_test

pytestmark = pytest.mark.django_db


@pytest.fixture
def leads() -> ObjectDefinition:
    return make_object("leads")


@pytest.fixture
def jane(leads: ObjectDefinition) -> Record:
    return make_record(leads, name="Jane", email="jane@example.com")


@pytest.fixture
def ada() -> User:
    return User.objects.create_superuser("ada", first_name="Ada")


def last(change: str, **only: Any) -> Event:
    return Event.objects.filter(type=change, **only).order_by("-pk")[0]


def hook(event: str, **values: Any) -> Webhook:
    values = {"name": event, "url": "https://example.com/{{ subject.id }}", **values}
    return Webhook.objects.create(event=event, **values)


def bodies(webhook: Webhook) -> list[Any]:
    return [json.loads(job.body) for job in WebhookJob.objects.filter(webhook=webhook)]


# --- what expressions see ---------------------------------------------------------------------


def test_a_comment_event_has_a_subject_and_its_record(jane: Record, ada: User) -> None:
    with acting(ada):
        comment = add_comment(record=jane, body="She called", author=ada)
    context = context_of(last("comment.created"), "comment.created")
    text = "{{ subject.author_name }}: {{ subject.body }} ({{ record.name }}, {{ record.stage }})"
    assert render_text(text, context) == "Ada: She called (Jane, new)"
    assert evaluate("subject.author", context) == evaluate("actor.id", context) == ada.pk
    assert evaluate("subject.id", context) == comment.pk
    assert evaluate("record.id", context) == evaluate("subject.record_id", context) == jane.pk
    assert evaluate("record.object_id", context) == "obj_def_leads"
    assert evaluate("record.amount", context) is None
    assert evaluate("record.created_at", context) == jane.created_at
    assert evaluate("object.slug", context) == "leads"
    assert evaluate("previous.body", context) is None
    with pytest.raises(ExpressionError, match="Leads has no field `nmae`; did you mean `name`"):
        evaluate("record.nmae", context)


def test_an_edited_comment_has_what_was_before(jane: Record, ada: User) -> None:
    comment = add_comment(record=jane, body="one", author=ada)
    edit_comment(comment=comment, body="two")
    context = context_of(last("comment.updated"), "comment.updated")
    assert evaluate("[previous.body, subject.body]", context) == ["one", "two"]


def test_the_record_is_as_it_is_now(jane: Record, ada: User) -> None:
    add_comment(record=jane, body="one", author=ada)
    update_record(record=jane, data={"name": "Janet"})
    context = context_of(last("comment.created"), "comment.created")
    assert evaluate("record.name", context) == "Janet"


def test_the_record_is_looked_up_when_it_is_asked_for_and_once(jane: Record, ada: User) -> None:
    add_comment(record=jane, body="one", author=ada)
    event = Event.objects.select_related("object").get(type="comment.created")
    event.object.schema  # noqa: B018  (kept in memory from here on)
    with CaptureQueriesContext(connection) as none:
        context = context_of(event, "comment.created")
        evaluate("subject.body", context)
        evaluate("record.id", context)
    assert len(none) == 0
    with CaptureQueriesContext(connection) as one:
        render_text("{{ record.name }} {{ record.email }} {{ record.stage }}", context)
    assert len(one) == 1


def test_a_record_that_is_gone_is_none(jane: Record, ada: User) -> None:
    add_comment(record=jane, body="one", author=ada)
    event = Event.objects.get(type="comment.created")
    Record.objects.filter(pk=jane.pk).delete()
    context = context_of(Event.objects.get(pk=event.pk), "comment.created")
    assert context["record"] is None
    assert default_payload(Event.objects.get(pk=event.pk), "comment.created")["record"] is None
    # Read before it went: there is nothing any more to read from it.
    assert evaluate("record.name", context_of(event, "comment.created")) is None


def test_the_default_payload_tells_of_the_comment_and_its_record(jane: Record, ada: User) -> None:
    comment = add_comment(record=jane, body="one", author=ada)
    payload = json.loads(json.dumps(default_payload(last("comment.created"), "comment.created")))
    assert payload["data"] == {
        "body": "one",
        "author": ada.pk,
        "author_name": "Ada",
        "record_id": jane.pk,
        "id": comment.pk,
        "label": "one",
    }
    assert payload["record"] == {
        "id": jane.pk,
        "object_id": "obj_def_leads",
        "field_values": jane.data,
        "stage": "new",
        "state": "submitted",
        "owner": None,
    }
    assert "previous" not in payload


def test_other_events_have_no_record_in_their_payload(ada: User) -> None:
    invite(email="jane@example.com", team=None, invited_by=ada)
    event = last("invitation.created")
    payload = default_payload(event, "invitation.created")
    assert "record" not in payload
    assert payload["data"]["email"] == "jane@example.com"
    assert context_of(event, "invitation.created")["record"] is None


def test_a_task_about_nothing_has_no_record(ada: User) -> None:
    add_task(record=None, title="Water the plants")
    event = last("task.created")
    assert context_of(event, "task.created")["record"] is None
    assert default_payload(event, "task.created")["record"] is None


@pytest.mark.parametrize(
    ("event", "path", "problem"),
    [
        ("comment.created", "record.name", None),
        ("task.completed", "record.nmae", "Leads has no field `nmae`"),
        ("discussion.membership_changed", "record.stage", None),
        ("invitation.created", "record.name", "only events of records, their comments and tasks"),
        ("user.created", "record.name", "only events of records, their comments and tasks"),
    ],
)
def test_mistakes_in_names_are_found_beforehand(
    leads: ObjectDefinition, event: str, path: str, problem: str | None
) -> None:
    names = Names(event, leads)
    found = names.problem_with(path, names.known())
    assert (found is None) == (problem is None)
    if found and problem:
        assert problem in found[0]


def test_the_menu_offers_the_subject_then_the_record(leads: ObjectDefinition) -> None:
    groups = Names("comment.created", leads).groups()
    assert [group.label for group in groups][:2] == ["Subject", "Lead"]
    assert {"subject.body", "subject.author"} <= {name.path for name in groups[0].names}
    assert "record.email" in {name.path for name in groups[1].names}


# --- whom they reach --------------------------------------------------------------------------


def test_a_webhook_limited_to_an_object_hears_of_its_comments_and_tasks(
    leads: ObjectDefinition, jane: Record, ada: User
) -> None:
    others = make_object("deals")
    hooks = {
        name: hook(name, object=leads)
        for name in ("comment.created", "discussion.membership_changed", "task.completed")
    }
    foreign = hook("comment.created", object=others)
    with acting(ada):
        add_comment(record=jane, body="one", author=ada)
        complete_task(task=add_task(record=jane, title="Call"))
    dispatch_events()
    assert WebhookJob.objects.filter(webhook=foreign).count() == 0
    for name, webhook in hooks.items():
        (body,) = bodies(webhook)
        assert (body["event"], body["record"]["field_values"]["name"]) == (name, "Jane")
        assert WebhookJob.objects.get(webhook=webhook).record_id == jane.pk


def test_a_filter_sees_subject_and_record(jane: Record, ada: User) -> None:
    webhook = hook("comment.created", filter="'offer' in subject.body and record.stage == 'new'")
    for text in ("call", "an offer"):
        add_comment(record=jane, body=text, author=ada)
    dispatch_events()
    assert [body["data"]["body"] for body in bodies(webhook)] == ["an offer"]


def test_dispatching_comments_looks_up_nothing_for_each(
    leads: ObjectDefinition, jane: Record, ada: User
) -> None:
    hook("comment.created", url="https://example.com/{{ record.name }}")
    dispatch_events()  # who listens is read once
    counts = []
    for number in (1, 5):
        join_discussion(record=jane, users=[ada])
        for _ in range(number):
            add_comment(record=jane, body="one", author=ada)
        with CaptureQueriesContext(connection) as queries:
            dispatch_events()
        counts.append(len(queries))
    assert counts[0] == counts[1]
    assert WebhookJob.objects.count() == 6
    assert set(WebhookJob.objects.values_list("url", flat=True)) == {"https://example.com/Jane"}


# --- trying them ------------------------------------------------------------------------------


def test_past_comments_are_samples_for_who_may_see_their_record(jane: Record, ada: User) -> None:
    add_comment(record=jane, body="Look here", author=ada)
    key = last("comment.created").pk
    samples = Samples(ada, "comment.created", jane.object)
    assert samples.get("").key == samples.get(key).key == key
    assert samples.get(jane.pk).key == key  # a record is no sample of a comment
    stranger = User.objects.create_user("eve")
    assert Samples(stranger, "comment.created", None).get(key).key == MADE_UP
    labels = [group for group, _ in samples.choices()]
    assert labels == ["Past events", "Without data"]


def test_a_done_task_and_an_answered_invitation_are_samples(jane: Record, ada: User) -> None:
    complete_task(task=add_task(record=jane, title="Call"))
    invite(email="jane@example.com", team=None, invited_by=ada)
    invite(email="jane@example.com", team=None, invited_by=ada)
    for name in ("task.completed", "invitation.revoked"):
        event = Samples(ada, name, None).get("").event
        assert event.type == f"{name.partition('.')[0]}.updated"


def test_a_made_up_comment_is_about_a_made_up_record(leads: ObjectDefinition, ada: User) -> None:
    webhook = hook("comment.created", object=leads)
    sample = Samples(ada, "comment.created", leads).get(MADE_UP)
    context = context_of(sample.event, "comment.created")
    assert evaluate("record.name", context) == "Example name"
    job = send_test(webhook=webhook, event=sample.event)
    assert (job.status, job.record_id) == (JobStatus.PENDING, None)


@pytest.mark.parametrize(
    ("event", "is_limited"),
    [
        ("comment.created", True),
        ("discussion.membership_changed", True),
        ("task.completed", True),
        ("invitation.accepted", False),
        ("user.login", False),
    ],
)
def test_the_form_keeps_an_object_where_events_have_one(
    leads: ObjectDefinition, ada: User, event: str, is_limited: bool
) -> None:
    client = Client()
    client.force_login(ada)
    address = "/admin/webhooks/webhook/add/"
    page = client.get(address).content.decode()
    assert 'data-with-object="comment discussion record task"' in page
    client.post(address, filled(event=event, object=str(leads.pk)))
    assert Webhook.objects.get().object == (leads if is_limited else None)
