"""Claims of webhook jobs: who sends what, and for how long that holds. Nothing here sends.

A claim is a lease: the job says whose it is (`lease_token`) and until when. Whoever sends renews its leases;
a lease that runs out means that its worker is gone, and the job is put back for everybody.
"""

import uuid
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import zip_longest
from typing import Any, Final

from django.db import connection, transaction
from django.db.models import F, Q

from config.clocks import shared_now
from config.queues import LEASE_S
from records.ids import new_id
from webhooks.endings import tell_of_ended
from webhooks.failures import note_failed_jobs
from webhooks.keyring import Keyring
from webhooks.lanes import allowances
from webhooks.models import Direction, JobStatus, RequestLog, WebhookJob, WebhookJobQuerySet
from webhooks.retries import MAX_INTERRUPTIONS
from webhooks.vault import current_keyring

# The error kind of an attempt whose worker died: whether the receiver got the request is not known.
INTERRUPTED: Final = "interrupted"
_CLAIMED_COLUMNS: Final = (
    "id", "webhook_id", "method", "url", "headers", "body", "timeout_s", "max_redirects", "lane", "attempts",
    "manual_attempts", "interruptions", "policy", "created_at", "credentials",
)  # fmt: skip
# One claim looks at so many lanes; the next claim goes on behind them.
_LANES_PER_CLAIM: Final = 32


@dataclass(frozen=True, slots=True)
class ClaimedJob:
    """What is needed to send a job and to record what came of it. `attempts` counts the one to come."""

    id: str
    webhook_id: str | None
    method: str
    url: str
    headers: list[list[str]]
    body: str
    timeout_s: int
    max_redirects: int
    lane: str
    attempts: int
    manual_attempts: int
    interruptions: int
    policy: dict[str, Any]
    created_at: datetime
    # webhooks.binding.Credentials as JSON; None for jobs that need no secrets.
    credentials: dict[str, Any] | None = None

    @property
    def tries(self) -> int:
        """Automatic attempts, this one included."""
        return self.attempts - self.manual_attempts - self.interruptions


@dataclass(frozen=True, slots=True)
class Claim:
    """What was claimed. `again_in_s`: when a rate limit lets the next job go, or None.

    `keyring`: the opened secrets, if any of the jobs needs some.
    """

    jobs: list[ClaimedJob]
    again_in_s: float | None = None
    keyring: Keyring | None = None


def claim_jobs(
    *, token: uuid.UUID, limit: int, room: Callable[[str], int], after_lane: str = ""
) -> Claim:
    """Claim up to `limit` due jobs, shared fairly over their lanes.

    `room(lane)` says how many more this worker can send there. Lanes behind `after_lane` come first, so that
    with more lanes than one claim looks at each gets its turn.
    """
    with transaction.atomic():
        now = shared_now()  # inside: it may have taken a while to get here
        lanes = _lanes_with_work(after_lane)
        allowed = allowances(lanes, now)
        rooms = {lane: allowed.room(lane, otherwise=room(lane)) for lane in lanes}
        jobs = _take_shares({lane: free for lane, free in rooms.items() if free > 0}, limit, now)
        for lane, count in Counter(job.lane for job in jobs).items():
            allowed.spend(lane, count)
        WebhookJob.objects.filter(pk__in=[job.id for job in jobs]).update(
            status=JobStatus.SENDING,
            attempts=F("attempts") + 1,
            lease_token=token,
            lease_until=now + timedelta(seconds=LEASE_S),
        )
        keyring = current_keyring() if any(job.credentials for job in jobs) else None
    return Claim(jobs, allowed.again_in_s, keyring)


def renew_leases(token: uuid.UUID, jobs: Sequence[ClaimedJob]) -> set[str]:
    """Keep these claimed jobs. The ids of those that are no longer this worker's.

    Only what the worker knows that it has: a claim whose answer was lost with the connection must run out.
    """
    held = _held_by(token).filter(pk__in=[job.id for job in jobs])
    if held.update(lease_until=shared_now() + timedelta(seconds=LEASE_S)) == len(jobs):
        return set()
    return {job.id for job in jobs} - set(held.values_list("pk", flat=True))


def release_leases(token: uuid.UUID, jobs: Sequence[ClaimedJob]) -> None:
    """Give back claimed jobs that were not begun: as if they had never been claimed."""
    _held_by(token).filter(pk__in=[job.id for job in jobs]).update(
        status=JobStatus.PENDING, attempts=F("attempts") - 1, lease_token=None, lease_until=None
    )


def free_lapsed_jobs() -> int:
    """Put back the jobs of dead workers, with a row that says so in their attempts. How many."""
    now = shared_now()
    return _interrupt_all(_lapsed(now), now)


def interrupt_jobs(token: uuid.UUID) -> int:
    """Put back what a worker has to leave in the air when it stops: nobody need wait for its leases. How many."""
    return _interrupt_all(_held_by(token), shared_now())


def _interrupt_all(jobs: WebhookJobQuerySet, now: datetime) -> int:
    with transaction.atomic():
        locked = list(jobs.select_for_update(skip_locked=True)[:500])
        RequestLog.objects.bulk_create([_interruption_row(job, now) for job in locked])
        for job in locked:
            _interrupt(job, now)
        WebhookJob.objects.bulk_update(
            locked,
            ["status", "interruptions", "max_attempts", "next_attempt_at", "finished_at", "error",
             "error_kind", "status_code", "lease_token", "lease_until"],
        )  # fmt: skip
        failed = [job.pk for job in locked if job.status == JobStatus.FAILED]
        note_failed_jobs(failed, now)
        tell_of_ended(failed)
    return len(locked)


def _lanes_with_work(after_lane: str) -> list[str]:
    """Lanes that have pending jobs, by hops through the index: its cost follows the lanes, not the jobs.

    Source of the scheme: https://wiki.postgresql.org/wiki/Loose_indexscan
    """
    lanes = _hop(after_lane, _LANES_PER_CLAIM)
    if after_lane and len(lanes) < _LANES_PER_CLAIM:
        lanes += [lane for lane in _hop("", _LANES_PER_CLAIM) if lane <= after_lane]
    return lanes[:_LANES_PER_CLAIM]


def _hop(after_lane: str, limit: int) -> list[str]:
    table = WebhookJob._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH RECURSIVE hop(lane) AS (
                SELECT MIN(lane) FROM {table} WHERE status = 'pending' AND lane > %s
                UNION ALL
                SELECT (SELECT MIN(lane) FROM {table} WHERE status = 'pending' AND lane > hop.lane)
                FROM hop WHERE hop.lane IS NOT NULL
            )
            SELECT lane FROM hop WHERE lane IS NOT NULL LIMIT %s
            """,  # noqa: S608  (the only thing put in is the table's name)
            [after_lane, limit],
        )
        return [lane for (lane,) in cursor.fetchall()]


def _take_shares(lanes: dict[str, int], limit: int, now: datetime) -> list[ClaimedJob]:
    """An equal share of `limit` from each lane; what some leave over goes to those that have more."""
    taken: dict[str, list[ClaimedJob]] = {lane: [] for lane in lanes}
    hungry = list(lanes)
    while hungry and limit > 0:
        share = -(-limit // len(hungry))
        still_hungry = []
        for lane in hungry:
            wanted = min(share, lanes[lane] - len(taken[lane]), limit)
            jobs = _take(lane, wanted, now, [job.id for job in taken[lane]])
            taken[lane] += jobs
            limit -= len(jobs)
            if len(jobs) == wanted and len(taken[lane]) < lanes[lane]:
                still_hungry.append(lane)
        hungry = still_hungry
    rounds = zip_longest(*taken.values())  # in turns, so that no lane waits behind another's share
    return [job for turn in rounds for job in turn if job is not None]


def _take(lane: str, limit: int, now: datetime, taken: Sequence[str]) -> list[ClaimedJob]:
    due = WebhookJob.objects.due(now).filter(lane=lane).exclude(pk__in=taken).unblocked()
    rows = (
        due.order_by("next_attempt_at")
        .select_for_update(skip_locked=True)
        .values_list(*_CLAIMED_COLUMNS)[:limit]
    )
    jobs = []
    for row in rows:
        values = dict(zip(_CLAIMED_COLUMNS, row, strict=True))
        values["attempts"] += 1
        jobs.append(ClaimedJob(**values))
    return jobs


def _held_by(token: uuid.UUID) -> WebhookJobQuerySet:
    return WebhookJob.objects.filter(status=JobStatus.SENDING, lease_token=token)


def _lapsed(now: datetime) -> WebhookJobQuerySet:
    """Also leases that end absurdly far ahead: a clock that jumped back must not freeze a job."""
    absurd = now + timedelta(seconds=10 * LEASE_S)
    return WebhookJob.objects.filter(
        Q(lease_until__lt=now) | Q(lease_until__gt=absurd), status=JobStatus.SENDING
    )


_INTERRUPTION: Final = (
    "The worker stopped while it was sending this request. Whether the receiver got it is not known; "
    "it is sent again with the same webhook-id."
)


def _interruption_row(job: WebhookJob, now: datetime) -> RequestLog:
    return RequestLog(
        id=new_id("req"),
        direction=Direction.OUT,
        job=job,
        attempt=job.attempts,
        method=job.method,
        url=job.shown_url,
        request_headers=[["webhook-id", job.pk], *job.shown_headers],
        request_body=job.shown_body,
        error_kind=INTERRUPTED,
        error=_INTERRUPTION,
        started_at=now,
    )


def _interrupt(job: WebhookJob, now: datetime) -> None:
    job.interruptions += 1
    job.max_attempts += 1
    job.lease_token = job.lease_until = job.status_code = None
    job.error_kind, job.error = INTERRUPTED, _INTERRUPTION
    if job.interruptions < MAX_INTERRUPTIONS:
        job.status, job.next_attempt_at = JobStatus.PENDING, now
    else:
        job.status, job.next_attempt_at, job.finished_at = JobStatus.FAILED, None, now
