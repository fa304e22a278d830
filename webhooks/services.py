"""What people do to webhook jobs: test, retry, edit, cancel. One place for admin, API and actions."""

from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.utils import timezone

from config.queues import ring_on_commit
from records.models import Event, User
from webhooks.exceptions import (
    FilterSaysNo,
    JobHasEnded,
    JobIsBeingSent,
    JobRefused,
    JobWasDelivered,
)
from webhooks.models import JobChange, JobStatus, Webhook, WebhookJob, WebhookJobQuerySet
from webhooks.rendering import lane_of
from webhooks.subscriptions import TEMPLATE_ERROR, make_job

RETRYABLE = (JobStatus.FAILED, JobStatus.PENDING, JobStatus.CANCELLED)
EDITABLE = (JobStatus.FAILED, JobStatus.PENDING)
RENDERED_FIELDS = ("method", "url", "headers", "body", "lane", "timeout_s")


@transaction.atomic
def send_test(*, webhook: Webhook, event: Event) -> WebhookJob:
    """Send the webhook's request once for this event, whatever the filter says, without retries.

    The webhook may be unsaved changes on a saved one; a mistake in it ends in a failed job.
    """
    job = make_job(webhook, event, webhook.event, is_test=True)
    assert job is not None  # a test has no filter
    job.save(force_insert=True)
    ring_on_commit("deliveries")
    return job


@transaction.atomic
def retry_job(*, job: WebhookJob, actor: User | None) -> WebhookJob:
    """Send a job again now. Raises JobRefused when it was delivered or is being sent.

    A pending automatic retry is replaced; the automatic retries that are left stay left. Two clicks at
    the same time make one retry, because the second finds the job pending and due.
    """
    locked = _lock(job)
    _require(locked, RETRYABLE)
    if _is_due(locked):
        return locked
    if locked.error_kind == TEMPLATE_ERROR and locked.webhook and locked.event:
        _render_again(locked)
    else:
        _put_back(locked)
    locked.save()
    JobChange.objects.create(job=locked, action=JobChange.Action.RETRIED, actor=actor)
    ring_on_commit("deliveries")
    return locked


def retry_jobs(*, jobs: WebhookJobQuerySet, actor: User | None) -> tuple[int, int]:
    """Retry many. How many were put back to pending, and how many could not be."""
    retried = refused = 0
    for job in jobs.iterator(chunk_size=500):
        try:
            retry_job(job=job, actor=actor)
            retried += 1
        except JobRefused:
            refused += 1
    return retried, refused


@transaction.atomic
def edit_job(
    *,
    job: WebhookJob,
    url: str,
    headers: Sequence[tuple[str, str]],
    body: str,
    actor: User | None,
) -> WebhookJob:
    """Change what a failed or pending job sends, and send it now. What differs is kept with who did it."""
    locked = _lock(job)
    _require(locked, EDITABLE)
    edited: dict[str, Any] = {"url": url, "headers": [list(pair) for pair in headers], "body": body}
    changes = {
        name: [getattr(locked, name), value]
        for name, value in edited.items()
        if getattr(locked, name) != value
    }
    for name, value in edited.items():
        setattr(locked, name, value)
    locked.lane = lane_of(url)
    if not _is_due(locked):
        _put_back(locked)
    locked.save()
    JobChange.objects.create(
        job=locked, action=JobChange.Action.EDITED, actor=actor, changes=changes
    )
    ring_on_commit("deliveries")
    return locked


@transaction.atomic
def cancel_job(*, job: WebhookJob, actor: User | None) -> WebhookJob:
    """Give a pending job up. Raises JobRefused when it has ended or is being sent."""
    locked = _lock(job)
    if locked.status == JobStatus.SENDING:
        raise JobIsBeingSent
    if locked.status != JobStatus.PENDING:
        raise JobHasEnded
    locked.status = JobStatus.CANCELLED
    locked.next_attempt_at = None
    locked.finished_at = timezone.now()
    locked.save(update_fields=["status", "next_attempt_at", "finished_at"])
    JobChange.objects.create(job=locked, action=JobChange.Action.CANCELLED, actor=actor)
    return locked


def _put_back(job: WebhookJob) -> None:
    job.status = JobStatus.PENDING
    job.manual_attempts += 1
    job.max_attempts += 1
    job.next_attempt_at = timezone.now()
    job.finished_at = None


def _render_again(job: WebhookJob) -> None:
    """The request was never made because of a mistake in the webhook; perhaps it has been mended."""
    assert job.webhook and job.event
    fresh = make_job(job.webhook, job.event, job.event_name, is_test=job.is_test)
    if fresh is None:
        raise FilterSaysNo
    for name in (
        "status",
        "error_kind",
        "error",
        "next_attempt_at",
        "finished_at",
        *RENDERED_FIELDS,
    ):
        setattr(job, name, getattr(fresh, name))


def _lock(job: WebhookJob) -> WebhookJob:
    return WebhookJob.objects.select_for_update().get(pk=job.pk)


def _is_due(job: WebhookJob) -> bool:
    return (
        job.status == JobStatus.PENDING
        and job.next_attempt_at is not None
        and job.next_attempt_at <= timezone.now()
    )


def _require(job: WebhookJob, statuses: Sequence[str]) -> None:
    if job.status == JobStatus.SENDING:
        raise JobIsBeingSent
    if job.status not in statuses:
        raise JobWasDelivered
