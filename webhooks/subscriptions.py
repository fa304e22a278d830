"""From events to webhook jobs: which webhooks react, and the request that each of them sends."""

import hashlib
import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import cached_property
from typing import Any

from django.db.models import Q
from django.utils import timezone

from records.eventtypes import names_of
from records.models import Event
from webhooks.auth import Auth
from webhooks.binding import Credentials, context_with_secrets, nonce_of
from webhooks.models import JobStatus, Webhook, WebhookJob
from webhooks.payloads import context_of, default_payload
from webhooks.rendering import RenderError, RequestTemplate, lane_of, matches, render_request

logger = logging.getLogger(__name__)

# The error kind of a job whose request could not be made, because an expression in it fails.
TEMPLATE_ERROR = "template"
_UNEXPECTED = (
    "Signalbox made a mistake with this webhook; its log has the details. Nothing was sent."
)


class Occasion:
    """One event by one of its names. What expressions see is made once for all webhooks, when needed."""

    def __init__(self, event: Event, name: str) -> None:
        self.event = event
        self.name = name

    @cached_property
    def context(self) -> dict[str, Any]:
        return context_of(self.event, self.name)

    @cached_property
    def payload(self) -> dict[str, Any]:
        return default_payload(self.event, self.name)


def template_of(webhook: Webhook) -> RequestTemplate:
    return RequestTemplate(
        method=webhook.method,
        url=webhook.url,
        path_params=webhook.path_params,
        query_params=webhook.query_params,
        headers=webhook.headers,
        body_kind=webhook.body_kind,
        body=webhook.body,
        body_rows=webhook.body_rows,
    )


def credentials_of(webhook: Webhook, nonce: str = "") -> Credentials:
    """The secrets that the webhook's requests need, by name."""
    return Credentials(
        nonce=nonce,
        auth=Auth.from_json(webhook.auth or {}),
        signing=webhook.signing_secret,
        certificate=webhook.client_certificate,
    )


def event_names_of(event: Event) -> frozenset[str]:
    return names_of(event.type, changed=event.changed, before=event.before, after=event.after)


def webhooks_for(events: Sequence[Event]) -> list[Webhook]:
    """The active webhooks that may react to these events, and no others. One query, unless all of the events are
    meant for an automation."""
    events = [event for event in events if not event.target]
    if not events:
        return []
    names = {name for event in events for name in event_names_of(event)}
    objects = {event.object_id for event in events} - {None}
    return list(
        Webhook.objects.active().filter(
            Q(object_id=None) | Q(object_id__in=objects), event__in=names
        )
    )


def jobs_for(events: Sequence[Event], webhooks: Iterable[Webhook]) -> list[WebhookJob]:
    """Unsaved jobs for everything in `events` that the webhooks react to, in the events' order.

    A webhook has one event name, so it makes at most one job of one event.
    """
    listeners: dict[tuple[str, int | None], list[Webhook]] = {}
    for webhook in webhooks:
        listeners.setdefault((webhook.event, webhook.object_id), []).append(webhook)
    jobs = [job for event in events for job in _jobs_of(event, listeners)]
    return [job for job in jobs if job is not None]


def _jobs_of(
    event: Event, listeners: Mapping[tuple[str, int | None], Sequence[Webhook]]
) -> Iterable[WebhookJob | None]:
    for name in sorted(event_names_of(event)):
        occasion = Occasion(event, name)
        for object_id in dict.fromkeys((None, event.object_id)):
            for webhook in listeners.get((name, object_id), ()):
                yield _make_job(webhook, occasion, is_test=False)


def make_job(
    webhook: Webhook, event: Event, event_name: str, *, is_test: bool = False
) -> WebhookJob | None:
    """An unsaved job, or None when the filter says no.

    A mistake in the filter or the request makes a failed job with the mistake in words, so that it shows.
    A webhook or event that is not in the database is not referred to.
    """
    return _make_job(webhook, Occasion(event, event_name), is_test=is_test)


def _make_job(webhook: Webhook, occasion: Occasion, *, is_test: bool) -> WebhookJob | None:
    now = timezone.now()
    job = _blank_job(webhook, occasion, now, is_test=is_test)
    try:
        if not is_test and not matches(webhook.filter, occasion.context):
            return None
        template = template_of(webhook)
        context = context_with_secrets(template, occasion.context)
        request = render_request(template, context, occasion.payload)
    except RenderError as error:
        return _fail(job, str(error), now)
    except Exception:  # one webhook's trouble must not keep the others from reacting
        logger.exception("Webhook %s can't make its request", webhook.pk)
        return _fail(job, _UNEXPECTED, now)
    job.url, job.body, job.lane = request.url, request.body, request.lane
    job.headers = [list(pair) for pair in request.headers]
    job.credentials = credentials_of(webhook, nonce_of(context)).to_json()
    return job


def _blank_job(webhook: Webhook, occasion: Occasion, now: datetime, *, is_test: bool) -> WebhookJob:
    event = occasion.event
    policy = webhook.retry_policy
    if is_test:
        policy = replace(policy, delays_s=[])
    return WebhookJob(
        webhook=None if webhook._state.adding else webhook,
        webhook_name=webhook.name,
        event=None if event._state.adding else event,
        event_name=occasion.name,
        record_id=_record_id_of(event),
        is_test=is_test,
        depth=event.depth + 1,
        method=webhook.method,
        url=webhook.url,
        credentials=credentials_of(webhook).to_json(),
        timeout_s=webhook.timeout_s,
        max_redirects=webhook.max_redirects,
        order_key=order_key_of(webhook, event) if webhook.is_ordered and not is_test else None,
        policy=policy.to_json(),
        max_attempts=1 + len(policy.delays_s),
        next_attempt_at=now,
        created_at=now,
    )


def _record_id_of(event: Event) -> str | None:
    """A made-up event may have a record that is in no database."""
    if event._state.adding and event.record is not None and event.record._state.adding:
        return None
    pk: str | None = event.record_id
    return pk


def order_key_of(webhook: Webhook, event: Event) -> str:
    """Jobs of one webhook and one subject have the same key."""
    return hashlib.sha256(f"{webhook.pk} {event.subject_id}".encode()).hexdigest()[:40]


def _fail(job: WebhookJob, words: str, now: datetime) -> WebhookJob:
    """The URL stays the template, since there is no other; so does its origin, where it has one."""
    job.status = JobStatus.FAILED
    job.lane = lane_of(job.url)
    job.error_kind = TEMPLATE_ERROR
    job.error = words
    job.next_attempt_at = None
    job.finished_at = now
    return job
