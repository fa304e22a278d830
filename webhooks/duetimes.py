"""Due times that a clock set wrong has put off: a clock that was an hour ahead must not hold jobs up for an hour."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from django.db.models import QuerySet

from records.ids import first_id_at
from webhooks.models import JobStatus, WebhookJob
from webhooks.retries import ASKS_FOR_PATIENCE, MAX_RETRY_AFTER_S, RetryPolicy

# Clocks of different machines may differ by so much without anything being wrong.
TOLERANCE: Final = timedelta(seconds=60)
_CHUNK: Final = 500
_COLUMNS: Final = (
    "id", "next_attempt_at", "policy", "status_code", "attempts", "manual_attempts", "interruptions",
)  # fmt: skip


def mend_due_times(now: datetime) -> int:
    """Bring forward pending jobs that are due later than their own policy can have meant. How many.

    It looks at every job that waits for a retry: for when a clock was seen to jump, not for every sweep.
    """
    mended = 0
    for due_at, ids in _absurd(now):
        # Only those that nobody has touched meanwhile.
        mended += WebhookJob.objects.filter(
            pk__in=ids, status=JobStatus.PENDING, next_attempt_at__gt=due_at
        ).update(next_attempt_at=due_at)
    return mended


def mend_new_jobs(now: datetime) -> int:
    """Make due what was created “in the future”, by a machine whose clock is ahead. How many. Cheap."""
    limit = now + TOLERANCE
    # By the primary key, which begins with the time: no index is needed for `created_at`.
    new = _waiting(now).filter(pk__gt=first_id_at("job", limit), created_at__gt=limit, attempts=0)
    return new.update(next_attempt_at=now)


def _waiting(now: datetime) -> "QuerySet[WebhookJob]":
    return WebhookJob.objects.filter(status=JobStatus.PENDING, next_attempt_at__gt=now)


def _absurd(now: datetime) -> Iterator[tuple[datetime, list[str]]]:
    """Groups of jobs that are due too late, with the time at which they should be."""
    groups: dict[float, list[str]] = {}
    # A job that was never tried has no delay of its policy's: see `mend_new_jobs`.
    waiting = _waiting(now).filter(attempts__gt=0).only(*_COLUMNS)
    for job in waiting.iterator(chunk_size=_CHUNK):
        delay_s = longest_delay_s(job)
        latest = now + timedelta(seconds=delay_s) + TOLERANCE
        if job.next_attempt_at is None or job.next_attempt_at <= latest:
            continue
        groups.setdefault(delay_s, []).append(job.pk)
    for delay_s, ids in groups.items():
        for start in range(0, len(ids), _CHUNK):
            yield now + timedelta(seconds=delay_s), ids[start : start + _CHUNK]


def longest_delay_s(job: WebhookJob) -> float:
    """The longest that this job can have been told to wait after its latest attempt."""
    policy = RetryPolicy.from_json(job.policy)
    tries = job.attempts - job.manual_attempts - job.interruptions
    if tries < 1 or tries > len(policy.delays_s):
        return 0.0
    delay_s = policy.delays_s[tries - 1] * (1 + policy.jitter_percent / 100)
    return max(delay_s, MAX_RETRY_AFTER_S) if job.status_code in ASKS_FOR_PATIENCE else delay_s
