"""Jobs for tests, as the engine would have left them."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.utils import timezone

from records.ids import decode, encode, new_id
from records.models import Event, FieldDefinition, ObjectDefinition, Record, User
from records.services import create_record
from webhooks.models import RequestLog, Webhook, WebhookJob

URL = "https://api.example.com/leads"


def a_person(name: str = "ada", **values: Any) -> User:
    return User.objects.create_user(name, password="secret", **values)


def a_webhook(name: str = "Notify CRM", **values: Any) -> Webhook:
    return Webhook.objects.create(name=name, url=URL, event="record.submitted", **values)


def an_object(slug: str = "leads") -> ObjectDefinition:
    found = ObjectDefinition.objects.filter(slug=slug).first()
    return found or ObjectDefinition.objects.create(slug=slug, name="Lead", plural="Leads")


def a_record(title: str = "Grace Hopper") -> Record:
    leads = an_object()
    FieldDefinition.objects.get_or_create(object=leads, slug="name", label="Name", kind="text")
    return create_record(object_definition=an_object(), data={"name": title})


def an_event(record: Record | None = None, **values: Any) -> Event:
    given = {
        "type": "record.updated",
        "object": record.object if record else None,
        "record": record,
        "subject_id": record.pk if record else "",
        "subject_label": str(record) if record else "",
        "changed": ["stage"],
        "before": {"stage": "new", "data": {}},
        "after": {"stage": "won", "data": {}},
        "created_at": timezone.now(),
        "dispatched_at": timezone.now(),
    }
    return Event.objects.create(**{**given, **values})


def a_job(**values: Any) -> WebhookJob:
    given: dict[str, Any] = {
        "webhook_name": "Notify CRM",
        "event_name": "record.submitted",
        "method": "POST",
        "url": URL,
        "headers": [["Content-Type", "application/json"]],
        "body": '{"a":1}',
        "lane": "https://api.example.com:443",
        "policy": {"delays_s": [60, 300, 1800]},
        "max_attempts": 4,
        "created_at": timezone.now(),
    }
    if values.get("status", "pending") == "pending":
        given["next_attempt_at"] = timezone.now()
    return WebhookJob.objects.create(**{**given, **values})


def a_failed_job(**values: Any) -> WebhookJob:
    given = {
        "status": "failed",
        "status_code": 500,
        "attempts": 4,
        "finished_at": timezone.now(),
        "reason": "All attempts are used up.",
    }
    return a_job(**{**given, **values})


def an_attempt(job: WebhookJob, number: int = 1, **values: Any) -> RequestLog:
    given: dict[str, Any] = {
        "direction": "out",
        "attempt": number,
        "method": job.method,
        "url": job.url,
        "request_headers": [["webhook-id", job.pk], *job.headers],
        "request_body": job.body,
        "started_at": timezone.now(),
        "duration_ms": 12,
        "remote_address": "93.184.216.34:443",
    }
    return RequestLog.objects.create(job=job, **{**given, **values})


def id_of_age(age: timedelta, now: datetime | None = None) -> str:
    """A job's id as one made so long ago would have it."""
    then = (now or timezone.now()) - age
    low = decode("job", new_id("job")).int & ((1 << 80) - 1)
    return encode("job", UUID(int=int(then.timestamp() * 1000) << 80 | low))
