"""A job's page: what was sent, every attempt, what people did, and what it all comes from."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from django.http import HttpRequest
from django.urls import reverse
from django.utils.safestring import SafeString

from records.eventtypes import label_of
from records.models import Event, Record
from webhooks.admin.bodies import BodyView, view_body, with_code
from webhooks.admin.links import admin_url, page_url
from webhooks.binding import Credentials
from webhooks.curl import curl_command
from webhooks.masking import mask_header
from webhooks.models import JobChange, JobStatus, RequestLog, Webhook, WebhookJob
from webhooks.models.jobs import OPEN_STATUSES
from webhooks.retries import RetryPolicy
from webhooks.runlinks import run_url
from webhooks.services import EDITABLE, RETRYABLE
from webhooks.statuses import parse_statuses
from webhooks.subscriptions import TEMPLATE_ERROR
from webhooks.summaries import Summary, attempt_summary, error_words, hint_of, summary_of

# Attempts and changes on one page; with their bodies more would be heavy.
_MAX_STEPS: Final = 40
_MAX_SIBLINGS: Final = 10


@dataclass(frozen=True, slots=True)
class AttemptView:
    """One request that was sent."""

    log: RequestLog
    at: datetime
    summary: Summary
    error: SafeString
    hint: str
    request_headers: list[list[str]]
    # None when it is the body that the job has now.
    request_body: BodyView | None
    response_headers: list[list[str]]
    response_body: BodyView
    is_latest: bool
    # Its error is what the top of the page says already.
    is_told_above: bool


@dataclass(frozen=True, slots=True)
class ChangeView:
    """What a person did: `rows` are (what, from, to)."""

    change: JobChange
    at: datetime
    who: str
    icon: str
    rows: Sequence[tuple[str, str, str]]
    # The bulk retry that it was a step of.
    bulk_url: str


@dataclass(frozen=True, slots=True)
class Sibling:
    job: WebhookJob
    url: str
    summary: Summary


def job_context(request: HttpRequest, job: WebhookJob, *, may_change: bool) -> dict[str, Any]:
    attempts = _attempts(job)
    changes = _changes(job)
    both: list[AttemptView | ChangeView] = [*attempts, *changes]
    steps = sorted(both, key=lambda step: step.at, reverse=True)
    latest = attempts[0] if attempts else None
    is_unmade = job.error_kind == TEMPLATE_ERROR
    return {
        "job": job,
        "summary": _short(_summary(job), job),
        "error_words": with_code(job.error),
        "hint": hint_of(
            is_success=job.status == JobStatus.SUCCEEDED,
            status_code=job.status_code,
            error_kind=job.error_kind,
        ),
        "waits_for": _waits_for(job),
        "headers": _masked(job.shown_headers),
        "certificate": Credentials.from_json(job.credentials).certificate,
        "is_open": job.status in OPEN_STATUSES,
        "is_unmade": is_unmade,
        "can_retry": may_change and job.status in RETRYABLE,
        "can_edit": may_change and job.status in EDITABLE,
        "can_cancel": may_change and job.status == JobStatus.PENDING,
        "body": view_body(job.shown_body, removed=job.body_removed),
        "curl": "" if is_unmade or job.body_removed else _curl(job, latest, in_full=may_change),
        "steps": steps[:_MAX_STEPS],
        "hidden_steps": max(0, len(steps) - _MAX_STEPS),
        **_cause(request, job),
    }


def load_job(pk: str) -> WebhookJob | None:
    """A job with all that its page names. One query."""
    related = ("webhook", "event", "event__actor", "record__object")
    return WebhookJob.objects.select_related(*related).filter(pk=pk).first()


def _summary(job: WebhookJob) -> Summary:
    return summary_of(
        status=job.status,
        status_code=job.status_code,
        error_kind=job.error_kind,
        error=job.error,
    )


def _short(summary: Summary, job: WebhookJob) -> Summary:
    """Of an error its kind; the whole of it stands below."""
    if not job.error_kind or summary.tone != "bad":
        return summary
    return replace(summary, text=error_words(job.error_kind, ""))


def _attempts(job: WebhookJob) -> list[AttemptView]:
    logs = list(RequestLog.objects.filter(job=job).order_by("-pk")[: _MAX_STEPS + 1])
    success = parse_statuses(RetryPolicy.from_json(job.policy).success)
    return [
        _attempt(log, job, is_success=log.status_code in success, is_latest=log is logs[0])
        for log in logs
    ]


def _attempt(log: RequestLog, job: WebhookJob, *, is_success: bool, is_latest: bool) -> AttemptView:
    is_same_body = log.request_body == job.shown_body and not log.bodies_removed
    return AttemptView(
        log=log,
        at=log.started_at,
        summary=attempt_summary(
            is_success=is_success,
            status_code=log.status_code,
            error_kind=log.error_kind,
            error=log.error,
        ),
        error=with_code(log.error),
        hint=hint_of(is_success=is_success, status_code=log.status_code, error_kind=log.error_kind),
        request_headers=_masked(log.request_headers),
        request_body=(
            None
            if is_same_body
            else view_body(
                log.request_body, truncated=log.request_truncated, removed=log.bodies_removed
            )
        ),
        response_headers=_masked(log.response_headers),
        response_body=view_body(
            log.response_body, truncated=log.response_truncated, removed=log.bodies_removed
        ),
        is_latest=is_latest,
        is_told_above=is_latest and job.status in (JobStatus.FAILED, JobStatus.PENDING),
    )


def _pairs(headers: Any) -> list[tuple[str, str]]:
    return [(name, value) for name, value in headers]


def _masked(headers: Any) -> list[list[str]]:
    """Without credentials; the name of a secret is none."""
    return [[name, value if "{{" in value else mask_header(name, value)] for name, value in headers]


def _waits_for(job: WebhookJob) -> tuple[str, str]:
    """Why a job waits for its turn, and the page of the job that comes first; empty when nothing holds it up."""
    if job.status != JobStatus.PENDING or job.order_key is None:
        return "", ""
    earlier = WebhookJob.objects.open().filter(order_key=job.order_key, pk__lt=job.pk)
    first = earlier.order_by("pk").values_list("pk", flat=True).first()
    if first is None:
        return "", ""
    return (
        "This webhook sends in order: an earlier job of the same record comes first.",
        reverse("admin:webhooks_webhookjob_change", args=[first]),
    )


def _changes(job: WebhookJob) -> list[ChangeView]:
    icons = {
        JobChange.Action.RETRIED: "replay",
        JobChange.Action.EDITED: "edit",
        JobChange.Action.CANCELLED: "block",
    }
    changes = job.changes.select_related("actor").order_by("-pk")[: _MAX_STEPS + 1]
    return [
        ChangeView(
            change=change,
            at=change.created_at,
            who=str(change.actor) if change.actor else "Somebody who is gone",
            icon=icons.get(JobChange.Action(change.action), "edit"),
            rows=[
                (label, _text(old), _text(new))
                for name, label in _NAMES.items()
                if name in change.changes
                for old, new in [change.changes[name]]
            ],
            bulk_url=_bulk_url(change),
        )
        for change in changes
    ]


def _bulk_url(change: JobChange) -> str:
    pk = change.changes.get("bulk")
    return reverse("admin:webhooks_bulkretry_change", args=[pk]) if pk else ""


_NAMES: Final = {"url": "URL", "headers": "Headers", "body": "Body"}


def _text(value: Any) -> str:
    """A value of an edit as text: headers as lines."""
    if isinstance(value, list):
        return "\n".join(f"{name}: {content}" for name, content in _masked(value))
    return str(value)


def _curl(job: WebhookJob, latest: AttemptView | None, *, in_full: bool) -> str:
    """What was sent last, or what will be sent first; with credentials only for those who may edit them."""
    method, url = (latest.log.method, latest.log.url) if latest else (job.method, job.shown_url)
    headers = latest.log.request_headers if latest else job.shown_headers
    pairs = _pairs(headers if in_full else _masked(headers))
    body = latest.log.request_body if latest else job.shown_body
    return curl_command(
        method=method,
        url=url,
        headers=pairs,
        body=body,
        certificate=Credentials.from_json(job.credentials).certificate,
    )


def _cause(request: HttpRequest, job: WebhookJob) -> dict[str, Any]:
    event = job.event
    return {
        "webhook_url": admin_url(request, Webhook, job.webhook_id),
        "event": event,
        "event_label": label_of(job.event_name),
        "event_url": admin_url(request, Event, job.event_id),
        "record_url": admin_url(request, Record, job.record_id),
        "record_page_url": (
            page_url("record_detail", job.record.object.slug, job.record_id) if job.record else ""
        ),
        "run_url": run_url(request, job.run_id, job.step_path),
        "cause_run_id": event.run_id if event else None,
        "cause_run_url": run_url(request, event.run_id if event else None),
        "siblings": _siblings(job),
        "history_of_webhook": _history(webhook=job.webhook_id),
        "history_of_record": _history(q=job.record_id),
    }


def _siblings(job: WebhookJob) -> list[Sibling]:
    if job.event_id is None:
        return []
    others = WebhookJob.objects.filter(event=job.event_id).exclude(pk=job.pk)
    return [
        Sibling(
            other, reverse("admin:webhooks_webhookjob_change", args=[other.pk]), _summary(other)
        )
        for other in others.defer("headers", "body").order_by("-pk")[:_MAX_SIBLINGS]
    ]


def _history(**parameters: str | None) -> str:
    """The history with one filter set; "" when there is nothing to filter by."""
    ((name, value),) = parameters.items()
    return f"{reverse('admin:webhooks_webhookjob_changelist')}?{name}={value}" if value else ""
