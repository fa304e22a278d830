"""Claims of webhook jobs: who sends what, and for how long that holds. Nothing here sends.

A claim is a lease: the job says whose it is (`lease_token`) and until when. Whoever sends renews its leases;
a lease that runs out means that its worker is gone, and the job is put back for everybody.
"""

import uuid
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from itertools import zip_longest
from typing import Final

from django.db import transaction
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
from webhooks.taking import ClaimedJob, look_for_work, take_jobs
from webhooks.vault import current_keyring

# The error kind of an attempt whose worker died: whether the receiver got the request is not known.
INTERRUPTED: Final = "interrupted"


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
        look = look_for_work(after_lane)
        if look is None:
            return Claim([])
        allowed = allowances(look.guarded, look.now)
        rooms = {lane: allowed.room(lane, otherwise=room(lane)) for lane in look.lanes}
        take = partial(take_jobs, token=token, now=look.now)
        jobs = _take_shares({lane: free for lane, free in rooms.items() if free > 0}, limit, take)
        for lane, count in Counter(job.lane for job in jobs).items():
            allowed.spend(lane, count)
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


def _take_shares(
    lanes: dict[str, int], limit: int, take: Callable[[str, int], list[ClaimedJob]]
) -> list[ClaimedJob]:
    """An equal share of `limit` from each lane; what some leave over goes to those that have more."""
    taken: dict[str, list[ClaimedJob]] = {lane: [] for lane in lanes}
    hungry = list(lanes)
    while hungry and limit > 0:
        share = -(-limit // len(hungry))
        still_hungry = []
        for lane in hungry:
            wanted = min(share, lanes[lane] - len(taken[lane]), limit)
            jobs = take(lane, wanted) if wanted else []
            taken[lane] += jobs
            limit -= len(jobs)
            if len(jobs) == wanted and len(taken[lane]) < lanes[lane]:
                still_hungry.append(lane)
        hungry = still_hungry
    rounds = zip_longest(*taken.values())  # in turns, so that no lane waits behind another's share
    return [job for turn in rounds for job in turn if job is not None]


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
