"""Which webhooks react to an event, and what becomes of it."""

import json
import re
from typing import Any

import pytest
from django.db import connection
from django.db.models import prefetch_related_objects
from django.test.utils import CaptureQueriesContext

from records.actors import acting
from records.dispatch import dispatch_events
from records.models import Event, FieldDefinition, ObjectDefinition, Record, User
from webhooks import subscriptions
from webhooks.models import JobStatus, Webhook, WebhookJob
from webhooks.services import send_test
from webhooks.subscriptions import jobs_for, webhooks_for

pytestmark = pytest.mark.django_db


def make_object(slug: str) -> ObjectDefinition:
    definition = ObjectDefinition.objects.create(slug=slug, name=slug, plural=slug.title())
    for field, kind in (("name", "text"), ("value", "currency")):
        FieldDefinition.objects.create(object=definition, slug=field, label=field, kind=kind)
    return ObjectDefinition.objects.get(pk=definition.pk)


@pytest.fixture
def leads() -> ObjectDefinition:
    return make_object("leads")


def make_webhook(**values: Any) -> Webhook:
    defaults = {"name": "Hook", "event": "record.submitted", "url": "https://example.com/hook"}
    return Webhook.objects.create(**(defaults | values))


def make_event(leads: ObjectDefinition, **data: Any) -> Event:
    Record.objects.create(object=leads, data={"name": "Jane", "value": 10, **data})
    event = Event.objects.filter(type="record.created").order_by("-id").first()
    assert event is not None
    return event


def test_an_event_makes_a_job_for_each_webhook_that_reacts(leads: ObjectDefinition) -> None:
    deals = make_object("deals")
    make_webhook(name="of leads", object=leads)
    make_webhook(name="of every object")
    make_webhook(name="of deals", object=deals)
    make_webhook(name="of another event", event="record.deleted")
    make_webhook(name="switched off", is_active=False)
    make_webhook(name="filtered", filter="record.value > 10000")
    make_webhook(name="let through", filter="record.value > 1 and previous.stage != record.name")
    event = make_event(leads)
    dispatch_events()
    jobs = WebhookJob.objects.filter(event=event)
    assert {job.webhook_name for job in jobs} == {"of leads", "of every object", "let through"}
    job = jobs.get(webhook_name="of leads")
    assert (job.status, job.lane, job.record_id) == (
        JobStatus.PENDING,
        "https://example.com:443",
        event.record_id,
    )
    assert json.loads(job.body)["event"] == "record.submitted"
    assert job.max_attempts == 4


def test_one_event_goes_by_several_names(leads: ObjectDefinition) -> None:
    for name in ("record.created", "record.submitted", "record.updated"):
        make_webhook(name=name, event=name)
    event = make_event(leads)
    jobs = jobs_for([event], Webhook.objects.active())
    assert [job.webhook_name for job in jobs] == ["record.created", "record.submitted"]
    assert [json.loads(job.body)["event"] for job in jobs] == ["record.created", "record.submitted"]


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"filter": "record.nmae == 1"}, "Filter, column 8: .*did you mean `name`"),
        ({"filter": "record.name > 3"}, "Filter, .*can't compare"),
        ({"url": "https://x.example/{record.nmae}"}, "URL, column 27: .*`nmae`"),
        ({"url": "{{ record.name }}"}, "URL: `Jane`"),
        ({"url": "https://x.example/{{ 'a' }}" + "b" * 9000}, "URL: .*8192"),
        ({"headers": [{"name": "X-Id", "value": "{{ record.nmae }}"}]}, "Header `X-Id`, column 11"),
        ({"body_kind": "json", "body": '{"a":\n"{{ record.nmae }}"}'}, "Body, line 2, column 2"),
        ({"body_kind": "json", "body": "{"}, "Body, column 2: not valid JSON"),
        (
            {"body_kind": "rows", "body_rows": [{"name": "n", "type": "number", "value": "x"}]},
            "Body row `n`: `x` is no number",
        ),
    ],
)
def test_a_mistake_ends_in_a_failed_job_that_says_it(
    leads: ObjectDefinition, values: dict[str, Any], words: str
) -> None:
    make_webhook(**values)
    make_event(leads)
    dispatch_events()
    job = WebhookJob.objects.get()
    assert job.status == JobStatus.FAILED
    assert job.error_kind == "template"
    assert job.finished_at is not None
    assert job.lane
    assert re.search(words, job.error)
    assert Event.objects.undispatched().count() == 0


@pytest.mark.parametrize(
    "broken",
    [{"headers": [{"nome": 1}]}, {"headers": 3}, {"body_kind": "rows", "body_rows": ["x"]}],
)
def test_not_even_broken_rows_raise(leads: ObjectDefinition, broken: dict[str, Any]) -> None:
    make_webhook(**broken)
    make_webhook(name="sound")
    make_event(leads)
    dispatch_events()
    jobs = {job.webhook_name: job for job in WebhookJob.objects.all()}
    assert jobs["Hook"].status == JobStatus.FAILED
    assert "its log has the details" in jobs["Hook"].error
    assert jobs["sound"].status == JobStatus.PENDING


def test_only_webhooks_that_may_react_are_loaded(leads: ObjectDefinition) -> None:
    deals = make_object("deals")
    wanted = make_webhook(object=leads)
    make_webhook(object=deals)
    make_webhook(event="user.created")
    assert webhooks_for([make_event(leads)]) == [wanted]


def test_webhooks_of_other_objects_and_events_are_not_rendered(
    leads: ObjectDefinition, monkeypatch: pytest.MonkeyPatch
) -> None:
    deals = make_object("deals")
    others = [
        Webhook(name="x", event="record.submitted", object=deals, url="{{ broken"),
        Webhook(name="y", event="record.closed", url="{{ broken"),
    ]
    rendered: list[str] = []
    original = subscriptions.render_request

    def spy(*args: Any) -> Any:
        rendered.append(args[0].url)
        return original(*args)

    monkeypatch.setattr(subscriptions, "render_request", spy)
    mine = make_webhook(object=leads)
    assert len(jobs_for([make_event(leads)], [*others * 500, mine])) == 1
    assert rendered == [mine.url]


def test_the_context_is_made_once_for_all_webhooks_of_an_event(
    leads: ObjectDefinition, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []
    original = subscriptions.context_of

    def spy(event: Event, name: str) -> Any:
        calls.append(name)
        return original(event, name)

    monkeypatch.setattr(subscriptions, "context_of", spy)
    webhooks = [make_webhook(filter="record.value > 1") for _ in range(20)]
    assert len(jobs_for([make_event(leads)], webhooks)) == 20
    assert calls == ["record.submitted"]


@pytest.mark.parametrize(
    ("values", "looked_up"),
    [
        ({}, set()),
        ({"url": "https://x.example/{actor.id}/{actor.name}"}, set()),
        ({"url": "https://x.example/{actor.email}"}, {"records_user"}),
        ({"url": "https://x.example/{record.created_at}"}, {"records_record"}),
        ({"body_kind": "json", "body": '["{{ record }}"]'}, {"records_record"}),
    ],
)
def test_record_and_actor_are_looked_up_only_when_they_are_asked_for(
    leads: ObjectDefinition, values: dict[str, str], looked_up: set[str]
) -> None:
    webhook = make_webhook(**values)
    with acting(User.objects.create_user("ada", email="ada@example.com")):
        event = Event.objects.get(pk=make_event(leads).pk)
    prefetch_related_objects([event], "object")
    assert event.object is not None
    assert event.object.schema  # kept by the process
    with CaptureQueriesContext(connection) as queries:
        (job,) = jobs_for([event], [webhook])
    assert job.status == JobStatus.PENDING, job.error
    tables = {query["sql"].split('FROM "')[1].split('"')[0] for query in queries}
    assert tables == looked_up


def test_a_test_ignores_the_filter_and_is_not_retried(leads: ObjectDefinition) -> None:
    webhook = make_webhook(filter="false")
    job = send_test(webhook=webhook, event=make_event(leads))
    assert (job.is_test, job.max_attempts, job.status) == (True, 1, JobStatus.PENDING)
    assert job.webhook == webhook


def test_a_test_of_an_unsaved_webhook_and_event_refers_to_neither(leads: ObjectDefinition) -> None:
    event = make_event(leads)
    unsaved = Event(type=event.type, object=leads, after=event.after, created_at=event.created_at)
    webhook = Webhook(name="New", event="record.created", url="https://example.com/{object.slug}")
    job = send_test(webhook=webhook, event=unsaved)
    job.refresh_from_db()
    assert (job.webhook, job.event, job.record) == (None, None, None)
    assert job.url == "https://example.com/leads"


def test_events_of_users_reach_webhooks_of_every_object() -> None:
    make_webhook(event="user.created", url="https://example.com/{subject.username}")
    User.objects.create_user("ada")
    dispatch_events()
    assert WebhookJob.objects.get().url == "https://example.com/ada"
