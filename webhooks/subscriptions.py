"""From events to webhook jobs: which webhooks react, and the request that each of them sends."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from django.utils import timezone

from records.eventtypes import names_of
from records.models import Event
from webhooks.models import JobStatus, Webhook, WebhookJob
from webhooks.payloads import context_of, default_payload
from webhooks.rendering import RenderError, RequestTemplate, lane_of, matches, render_request

# The error kind of a job whose request could not be made, because an expression in it fails.
TEMPLATE_ERROR = "template"


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


def jobs_for(events: Sequence[Event], webhooks: Iterable[Webhook]) -> list[WebhookJob]:
    """Unsaved jobs for everything in `events` that the webhooks react to, in the events' order."""
    by_name: dict[str, list[Webhook]] = {}
    for webhook in webhooks:
        by_name.setdefault(webhook.event, []).append(webhook)
    jobs = []
    for event in events:
        names = names_of(event.type, changed=event.changed, before=event.before, after=event.after)
        for name in sorted(names & by_name.keys()):
            for webhook in by_name[name]:
                if webhook.object_id in (None, event.object_id):
                    jobs.append(make_job(webhook, event, name))
    return [job for job in jobs if job is not None]


def make_job(
    webhook: Webhook, event: Event, event_name: str, *, is_test: bool = False
) -> WebhookJob | None:
    """An unsaved job, or None when the filter says no.

    A mistake in the filter or the request makes a failed job with the mistake in words, so that it shows.
    """
    now = timezone.now()
    job = _blank_job(webhook, event, event_name, now, is_test=is_test)
    try:
        context = context_of(event, event_name)
        if not is_test and not matches(webhook.filter, context):
            return None
        request = render_request(template_of(webhook), context, default_payload(event, event_name))
    except RenderError as error:
        return _fail(job, error, now)
    job.url, job.body, job.lane = request.url, request.body, lane_of(request.url)
    job.headers = [list(pair) for pair in request.headers]
    return job


def _blank_job(
    webhook: Webhook, event: Event, event_name: str, now: datetime, *, is_test: bool
) -> WebhookJob:
    delays_s = [] if is_test else webhook.retry_delays_s
    return WebhookJob(
        webhook=webhook,
        webhook_name=webhook.name,
        event=None if event._state.adding else event,
        event_name=event_name,
        record_id=event.record_id,
        is_test=is_test,
        method=webhook.method,
        url=webhook.url,
        timeout_s=webhook.timeout_s,
        retry_delays_s=delays_s,
        max_attempts=1 + len(delays_s),
        next_attempt_at=now,
        created_at=now,
    )


def _fail(job: WebhookJob, error: RenderError, now: datetime) -> WebhookJob:
    job.status = JobStatus.FAILED
    job.error_kind = TEMPLATE_ERROR
    job.error = str(error)
    job.next_attempt_at = None
    job.finished_at = now
    return job
