"""Retrying everything that failed for a cause, little by little: a receiver that is back is not knocked down again.

A bulk retry goes on in short steps, one a second. Each is one transaction: the jobs it puts back, how many they are,
and how far it has come. A worker that dies in a step has done nothing; another one does it. A destination gets no
more while it has many open jobs; the others go on meanwhile.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import transaction
from django.db.models import Count, Q

from config.clocks import shared_now
from config.queues import ring_on_commit
from records.ids import decode, encode
from records.models import User
from webhooks.models import (
    BulkRetry,
    BulkRetryStatus,
    Circuit,
    Destination,
    JobChange,
    JobStatus,
    Webhook,
    WebhookJob,
    WebhookJobQuerySet,
)
from webhooks.models.jobs import OPEN_STATUSES
from webhooks.retry_filters import RetryFilter
from webhooks.services import retry_jobs
from webhooks.walks import look_on

STEP_INTERVAL: Final = timedelta(seconds=1)
# So many jobs are put back in one step: about so many a second.
BATCH_SIZE: Final = 100
# A destination that has so many jobs waiting gets no more for the time being.
MAX_WAITING: Final = 500
# One look goes through so many failed jobs: some 20 ms on PostgreSQL.
WINDOW: Final = 20_000
# Counting and looking for jobs in between take no longer than this in one step.
STEP_BUDGET_S: Final = 0.3
# Destinations that had enough are looked at again, so many in a step.
_HELD_AT_ONCE: Final = 8
# What became of its jobs is counted among so many of the newest retries: some 30 ms on PostgreSQL.
OUTCOMES_WINDOW: Final = 20_000
# A cursor behind every job.
_THE_END: Final = "job_7" + "z" * 25


@transaction.atomic
def start_bulk_retry(*, which: RetryFilter, actor: User | None) -> BulkRetry:
    """Begin to retry what has failed until now. The same that runs already is not begun again."""
    now = shared_now()
    until = min(which.until or now, now)
    webhook = Webhook.objects.filter(pk=which.webhook_id).first() if which.webhook_id else None
    values = {
        "webhook_id": which.webhook_id or None,
        "lane": which.lane,
        "error_kind": which.error_kind,
        "http_status": which.http_status,
        "since": which.since,
    }
    if running := BulkRetry.objects.running().filter(**values).first():
        return running
    bulk = BulkRetry.objects.create(
        **values,
        until=until,
        webhook_name=webhook.name if webhook else "",
        created_by=actor,
        created_at=now,
        step_at=now,
    )
    ring_on_commit("chores")
    return bulk


def cancel_bulk_retry(*, bulk: BulkRetry) -> bool:
    """Leave the rest as it is; what was put back to pending stays so. Whether it was still running."""
    running = BulkRetry.objects.running().filter(pk=bulk.pk)
    return bool(running.update(status=BulkRetryStatus.CANCELLED, finished_at=shared_now()))


def filter_of(bulk: BulkRetry) -> RetryFilter:
    return RetryFilter(
        webhook_id=bulk.webhook_id or "",
        lane=bulk.lane,
        error_kind=bulk.error_kind,
        http_status=bulk.http_status,
        since=bulk.since,
        until=bulk.until,
    )


@dataclass(frozen=True, slots=True)
class Outcomes:
    """What the jobs that were put back have come to by now. `counted` of them were looked at."""

    succeeded: int
    failed: int
    waiting: int
    cancelled: int

    @property
    def counted(self) -> int:
        return self.succeeded + self.failed + self.waiting + self.cancelled


def outcomes_of(bulk: BulkRetry) -> Outcomes:
    """Bounded work: it looks at the newest retries, and jobs that were cleaned up are not among them."""
    changes = JobChange.objects.order_by("-pk")
    end = changes.values_list("pk", flat=True)[OUTCOMES_WINDOW - 1 : OUTCOMES_WINDOW].first()
    if end is not None:
        changes = changes.filter(pk__gte=end)
    # Retried again by somebody: it is one job all the same, and this bulk retry noted it once.
    retried = changes.filter(action=JobChange.Action.RETRIED, changes__bulk=bulk.pk)
    rows = retried.order_by().values_list("job__status").annotate(number=Count("pk"))
    numbers = dict(rows)
    return Outcomes(
        succeeded=numbers.get(JobStatus.SUCCEEDED, 0),
        failed=numbers.get(JobStatus.FAILED, 0),
        waiting=sum(numbers.get(status, 0) for status in OPEN_STATUSES),
        cancelled=numbers.get(JobStatus.CANCELLED, 0),
    )


def go_on_with_bulk_retries() -> int:
    """One step of each that is due. How many jobs were put back."""
    due = BulkRetry.objects.due(shared_now()).order_by("step_at").values_list("pk", flat=True)
    return sum(_step(pk) for pk in list(due[:10]))


@transaction.atomic
def _step(pk: str) -> int:
    now = shared_now()
    rows = BulkRetry.objects.due(now).filter(pk=pk)
    bulk = rows.select_for_update(skip_locked=True).first()
    if bulk is None:  # another worker is at it, or has just been
        return 0
    before = bulk.done
    deadline = time.monotonic() + STEP_BUDGET_S
    if bulk.counted_at is None:
        _count(bulk, deadline, now)
    if bulk.counted_at is not None:
        _retry_some(bulk, deadline)
    bulk.step_at = now + STEP_INTERVAL
    bulk.save()
    return bulk.done - before


def _count(bulk: BulkRetry, deadline: float, now: datetime) -> None:
    which = filter_of(bulk).condition()
    while bulk.counted_at is None and time.monotonic() < deadline:
        look = look_on(
            _failed(), which, after=bulk.count_cursor, limit=WINDOW, window=WINDOW, columns=()
        )
        bulk.total += len(look.found)
        bulk.count_cursor = look.cursor
        if look.cursor is None:
            bulk.counted_at = now


def _retry_some(bulk: BulkRetry, deadline: float) -> None:
    room = _Room(bulk, BATCH_SIZE)
    held = [lane for lane, cursor in bulk.held.items() if cursor]
    for lane in held[:_HELD_AT_ONCE]:
        bulk.held[lane] = bulk.held.pop(lane)  # at the end: the others come first next time
        if room.left and room.of(lane):
            _retry_held(bulk, lane, room)
        elif room.is_disabled(lane):
            bulk.held[lane] = ""
    is_over = False
    while room.left and not is_over and time.monotonic() < deadline:
        is_over = _retry_on(bulk, room)
    if is_over and not any(bulk.held.values()):
        bulk.status = BulkRetryStatus.FINISHED
        bulk.finished_at = shared_now()
        # Retried, delivered or cancelled by somebody meanwhile.
        bulk.left = max(bulk.left, bulk.total - bulk.done)


def _retry_on(bulk: BulkRetry, room: "_Room") -> bool:
    """The next jobs of the destinations that are not held. Whether there are no more."""
    if bulk.cursor == _THE_END:
        return True
    which = filter_of(bulk).condition() & ~Q(lane__in=list(bulk.held))
    look = look_on(
        _failed(), which, after=bulk.cursor, limit=room.left, window=WINDOW, columns=("lane",)
    )
    chosen = []
    for pk, lane in look.found:
        if lane in bulk.held:
            continue
        if room.take(lane):
            chosen.append(pk)
        elif not room.is_disabled(lane):
            bulk.held[lane] = _before(pk)
    _retry(bulk, chosen)
    bulk.cursor = look.cursor or _THE_END
    return look.cursor is None


def _retry_held(bulk: BulkRetry, lane: str, room: "_Room") -> None:
    """The next jobs of one destination that had enough, from where it was left behind."""
    which = filter_of(bulk).condition() & Q(lane=lane)
    look = look_on(
        _failed(),
        which,
        after=bulk.held[lane],
        limit=min(room.left, room.of(lane)),
        window=WINDOW,
        columns=(),
    )
    chosen = [pk for (pk,) in look.found if room.take(lane)]
    _retry(bulk, chosen)
    bulk.held[lane] = look.cursor or ""


def _retry(bulk: BulkRetry, ids: Sequence[str]) -> None:
    if ids:
        retried, left = retry_jobs(ids=ids, actor=bulk.created_by, bulk_id=bulk.pk)
        bulk.done += retried
        bulk.left += left


def _before(pk: str) -> str:
    """An id just before this one, for a look that begins with it."""
    return encode("job", UUID(int=decode("job", pk).int - 1))


def _failed() -> WebhookJobQuerySet:
    return WebhookJob.objects.failures()


class _Room:
    """How many jobs this step may still put back, in all and for each destination."""

    def __init__(self, bulk: BulkRetry, limit: int) -> None:
        self._bulk = bulk
        self.left = limit
        self._lanes: dict[str, int] = {}
        self._disabled: set[str] = set()

    def of(self, lane: str) -> int:
        if lane not in self._lanes:
            if Destination.objects.filter(lane=lane, circuit=Circuit.DISABLED).exists():
                self._disabled.add(lane)
            waiting = WebhookJob.objects.filter(status=JobStatus.PENDING, lane=lane)
            self._lanes[lane] = max(0, MAX_WAITING - waiting[:MAX_WAITING].count())
        return 0 if lane in self._disabled else self._lanes[lane]

    def is_disabled(self, lane: str) -> bool:
        return lane in self._disabled

    def take(self, lane: str) -> bool:
        """Take one. Of a disabled destination it is left as it is."""
        free = self.of(lane)
        if lane in self._disabled:
            self._bulk.left += 1
            return False
        if not free or not self.left:
            return False
        self._lanes[lane] -= 1
        self.left -= 1
        return True
