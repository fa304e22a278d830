"""What people do to webhook jobs: test, retry, edit, cancel. One place for admin, API and actions."""

from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.db.models import Case, F, Value, When
from django.utils import timezone

from config.queues import ring_on_commit
from records.models import Event, User
from webhooks.endings import tell_of_ended
from webhooks.exceptions import (
    FilterSaysNo,
    JobHasEnded,
    JobIsBeingSent,
    JobRefused,
    JobWasDelivered,
    JobWentOn,
    RequestWasNeverMade,
)
from webhooks.job_secrets import JobText
from webhooks.models import JobChange, JobStatus, Webhook, WebhookJob
from webhooks.subscriptions import TEMPLATE_ERROR, make_job

RETRYABLE = (JobStatus.FAILED, JobStatus.PENDING, JobStatus.CANCELLED)
EDITABLE = (JobStatus.FAILED, JobStatus.PENDING)
# So many jobs are locked at once: a worker that wants one of them waits some milliseconds.
CHUNK_SIZE = 500
# What a job takes from its webhook when the request is made anew.
RENDERED_FIELDS = (
    "method", "url", "headers", "body", "credentials", "lane", "timeout_s", "max_redirects", "policy", "max_attempts",
    "order_key", "status", "error_kind", "error", "reason", "next_attempt_at", "finished_at",
)  # fmt: skip


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
def retry_job(
    *, job: WebhookJob, actor: User | None, seen_attempts: int | None = None
) -> WebhookJob:
    """Send a job again now. Raises JobRefused when it was delivered or is being sent.

    A pending automatic retry is replaced; the automatic retries that are left stay left. Two clicks make one
    retry: the second finds the job pending and due, or more attempts than `seen_attempts`, those the person
    had before their eyes. A request that could not be made is made anew, and may fail again.
    """
    locked = _lock(job)
    if seen_attempts is not None and locked.attempts != seen_attempts:
        return locked
    _require(locked, RETRYABLE)
    if not _is_due(locked):
        _send_again(locked, actor)
    return locked


def retry_jobs(*, ids: Sequence[str], actor: User | None, bulk_id: str = "") -> tuple[int, int]:
    """Retry many. How many were put back to pending, and how many were left as they are.

    `bulk_id`: the bulk retry that it is a step of; what is noted of each job names it.
    """
    retried = 0
    for start in range(0, len(ids), CHUNK_SIZE):
        retried += _retry_chunk(ids[start : start + CHUNK_SIZE], actor, bulk_id)
    return retried, len(ids) - retried


@transaction.atomic
def _retry_chunk(ids: Sequence[str], actor: User | None, bulk_id: str) -> int:
    """Always locked in the same order, so that two people who retry the same jobs do not wait for each other."""
    jobs = WebhookJob.objects.filter(pk__in=ids, status__in=RETRYABLE).order_by("pk")
    locked = [job for job in jobs.select_for_update() if not _is_due(job)]
    unmade = [job for job in locked if job.error_kind == TEMPLATE_ERROR]
    again = [job.pk for job in locked if job.error_kind != TEMPLATE_ERROR]
    retried = 0
    for job in unmade:
        try:
            _send_again(job, actor, bulk_id)
        except JobRefused:
            continue
        retried += job.status == JobStatus.PENDING
    # The same as _put_back, in one statement.
    is_manual = Case(
        When(attempts__gt=F("manual_attempts") + F("interruptions"), then=Value(1)),
        default=Value(0),
    )
    WebhookJob.objects.filter(pk__in=again).update(
        status=JobStatus.PENDING,
        manual_attempts=F("manual_attempts") + is_manual,
        max_attempts=F("max_attempts") + is_manual,
        next_attempt_at=timezone.now(),
        finished_at=None,
        reason="",
    )
    _note(again, JobChange.Action.RETRIED, actor, bulk_id)
    ring_on_commit("deliveries")
    return retried + len(again)


def _send_again(job: WebhookJob, actor: User | None, bulk_id: str = "") -> None:
    """`job` is locked."""
    if job.error_kind == TEMPLATE_ERROR:
        _render_again(job)
    else:
        _put_back(job)
    job.save()
    _note([job.pk], JobChange.Action.RETRIED, actor, bulk_id)
    ring_on_commit("deliveries")


@transaction.atomic
def edit_job(
    *,
    job: WebhookJob,
    url: str,
    headers: Sequence[tuple[str, str]],
    body: str,
    actor: User | None,
    seen_attempts: int | None = None,
) -> WebhookJob:
    """Change what a failed or pending job sends, and send it now. What differs is kept with who did it.

    Raises JobRefused when the job can't be edited, also because it was tried again since the person looked.
    """
    locked = _lock(job)
    _require(locked, EDITABLE)
    if seen_attempts is not None and locked.attempts != seen_attempts:
        raise JobWentOn
    before = _shown(locked)
    JobText(locked).put(url=url, headers=headers, body=body, actor=actor)
    after = _shown(locked)
    changes = {name: [before[name], after[name]] for name in after if before[name] != after[name]}
    if not changes and _is_due(locked) and locked.error_kind != TEMPLATE_ERROR:
        return locked  # a second click: it is as they want it, and about to be sent
    if locked.error_kind == TEMPLATE_ERROR:  # now there is a request
        locked.error_kind = locked.error = ""
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
    _note([locked.pk], JobChange.Action.CANCELLED, actor)
    tell_of_ended([locked.pk])
    return locked


def cancel_jobs(*, ids: Sequence[str], actor: User | None) -> tuple[int, int]:
    """Cancel many. How many were given up, and how many were left as they are."""
    cancelled = 0
    for start in range(0, len(ids), CHUNK_SIZE):
        cancelled += _cancel_chunk(ids[start : start + CHUNK_SIZE], actor)
    return cancelled, len(ids) - cancelled


@transaction.atomic
def _cancel_chunk(ids: Sequence[str], actor: User | None) -> int:
    pending = WebhookJob.objects.filter(pk__in=ids, status=JobStatus.PENDING).order_by("pk")
    locked = list(pending.select_for_update().values_list("pk", flat=True))
    WebhookJob.objects.filter(pk__in=locked).update(
        status=JobStatus.CANCELLED, next_attempt_at=None, finished_at=timezone.now()
    )
    _note(locked, JobChange.Action.CANCELLED, actor)
    tell_of_ended(locked)
    return len(locked)


def _note(
    ids: Sequence[str], action: JobChange.Action, actor: User | None, bulk_id: str = ""
) -> None:
    changes = {"bulk": bulk_id} if bulk_id else {}
    JobChange.objects.bulk_create(
        JobChange(job_id=pk, action=action, actor=actor, changes=changes) for pk in ids
    )


def _shown(job: WebhookJob) -> dict[str, Any]:
    return {"url": job.shown_url, "headers": job.shown_headers, "body": job.shown_body}


def _put_back(job: WebhookJob) -> None:
    job.status = JobStatus.PENDING
    # The very first attempt is an automatic one, also when it was cancelled and is made up for.
    if job.attempts > job.manual_attempts + job.interruptions:
        job.manual_attempts += 1
        job.max_attempts += 1
    job.next_attempt_at = timezone.now()
    job.finished_at = None
    job.reason = ""


def _render_again(job: WebhookJob) -> None:
    """The request was never made because of a mistake in the webhook; perhaps it has been mended."""
    if job.webhook is None or job.event is None:
        raise RequestWasNeverMade
    fresh = make_job(job.webhook, job.event, job.event_name, is_test=job.is_test)
    if fresh is None:
        raise FilterSaysNo
    for name in RENDERED_FIELDS:
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
