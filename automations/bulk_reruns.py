"""Retrying any number of failed runs, little by little, in the manner of `webhooks.bulk_retries`.

A bulk retry goes on in short steps, one a second. Each is one transaction: the new runs, how many they are, and how
far it has come. A worker that dies in a step has done nothing; another one does it. While many of its runs wait for a
worker it makes no more, so that what fires meanwhile has its turn.
"""

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import transaction
from django.db.models import Count, Q
from django.utils.dateparse import parse_datetime

from automations.history import RunsQuery, failed_of
from automations.models import OPEN_STATUSES, BulkRerun, Run, RunStatus
from automations.services.retry_plans import From, On
from automations.services.runs import retry_runs
from config.clocks import shared_now
from config.queues import ring_on_commit
from records.actors import acting
from records.exceptions import RecordsError
from records.models import Record, User
from records.permissions import can
from records.services import release_record
from webhooks.models import BulkRetryStatus
from webhooks.walks import look_on

STEP_INTERVAL: Final = timedelta(seconds=1)
# So many runs are retried in one step: about so many a second.
BATCH_SIZE: Final = 100
# While so many of its runs are ready and wait for a worker, there come no more.
MAX_READY: Final = 500
# One look goes through so many failed runs.
WINDOW: Final = 20_000
# Counting, and looking for runs in between, take no longer than this in one step.
STEP_BUDGET_S: Final = 0.3
# What became of its runs is counted up to here.
OUTCOMES_CAP: Final = 100_000
_TIMES: Final = ("since", "until")
# A cursor behind every run.
_THE_END: Final = "run_7" + "z" * 25


@transaction.atomic
def start_bulk_rerun(
    *,
    query: RunsQuery,
    until: datetime | None = None,
    begin: From = "failed_step",
    on: On = "same",
    releases: bool = False,
    actor: User | None,
) -> BulkRerun:
    """Begin to retry what has failed until then. The same that runs already is not begun again."""
    now = shared_now()
    values = {"which": which_of(query), "begin": begin, "on": on, "releases": releases}
    if running := BulkRerun.objects.running().filter(**values).first():
        return running
    bulk = BulkRerun.objects.create(
        **values,
        until=min(until or now, now),
        created_by=actor,
        created_at=now,
        step_at=now,
    )
    ring_on_commit("chores")
    return bulk


def cancel_bulk_rerun(*, bulk: BulkRerun) -> bool:
    """Leave the rest as it is; what was begun goes on. Whether it was still running."""
    running = BulkRerun.objects.running().filter(pk=bulk.pk)
    return bool(running.update(status=BulkRetryStatus.CANCELLED, finished_at=shared_now()))


def which_of(query: RunsQuery) -> dict[str, Any]:
    """The filters that are set, as JSON; of tab and status nothing, since all of them have failed."""
    set_ones = {name: value for name, value in asdict(query).items() if value}
    set_ones = {name: each for name, each in set_ones.items() if name not in ("tab", "status")}
    return {name: each.isoformat() if name in _TIMES else each for name, each in set_ones.items()}


def query_of(bulk: BulkRerun) -> RunsQuery:
    known = {each.name for each in fields(RunsQuery)}
    values = {name: value for name, value in bulk.which.items() if name in known}
    times = {name: parse_datetime(values[name]) for name in _TIMES if name in values}
    return RunsQuery(**{**values, **times})


def failed_before(until: datetime) -> Q:
    return Q(finished_at__lte=until) | Q(finished_at=None)


@dataclass(frozen=True, slots=True)
class Outcomes:
    """What the new runs have come to by now. `counted` of them were looked at."""

    succeeded: int
    failed: int
    open: int
    others: int

    @property
    def counted(self) -> int:
        return self.succeeded + self.failed + self.open + self.others


def outcomes_of(bulk: BulkRerun) -> Outcomes:
    """Bounded work, along an index; runs that were cleaned up are not among them."""
    ids = Run.objects.filter(bulk=bulk.pk).order_by().values("pk")[:OUTCOMES_CAP]
    rows = Run.objects.filter(pk__in=ids) if bulk.done > OUTCOMES_CAP else bulk.runs.all()
    counted = rows.order_by().values_list("status").annotate(number=Count("pk"))
    numbers: dict[str, int] = dict(counted)
    known = (RunStatus.SUCCEEDED, RunStatus.FAILED, *OPEN_STATUSES)
    return Outcomes(
        succeeded=numbers.get(RunStatus.SUCCEEDED, 0),
        failed=numbers.get(RunStatus.FAILED, 0),
        open=sum(numbers.get(status, 0) for status in OPEN_STATUSES),
        others=sum(number for status, number in numbers.items() if status not in known),
    )


def go_on_with_bulk_reruns() -> int:
    """One step of each that is due. How many runs were retried."""
    due = BulkRerun.objects.due(shared_now()).order_by("step_at").values_list("pk", flat=True)
    return sum(_step(pk) for pk in list(due[:10]))


@transaction.atomic
def _step(pk: str) -> int:
    now = shared_now()
    rows = BulkRerun.objects.due(now).filter(pk=pk).select_related("created_by")
    bulk = rows.select_for_update(of=("self",), skip_locked=True).first()
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


def _count(bulk: BulkRerun, deadline: float, now: datetime) -> None:
    runs, rest = failed_of(query_of(bulk))
    while bulk.counted_at is None and time.monotonic() < deadline:
        look = look_on(
            runs,
            rest & failed_before(bulk.until),
            after=bulk.count_cursor,
            limit=WINDOW,
            window=WINDOW,
            columns=(),
        )
        bulk.total += len(look.found)
        bulk.count_cursor = look.cursor
        if look.cursor is None:
            bulk.counted_at = now


def _retry_some(bulk: BulkRerun, deadline: float) -> None:
    room = min(BATCH_SIZE, MAX_READY - ready_of(bulk))
    runs, rest = failed_of(query_of(bulk))
    while room > 0 and bulk.cursor != _THE_END and time.monotonic() < deadline:
        look = look_on(
            runs,
            rest & failed_before(bulk.until),
            after=bulk.cursor,
            limit=room,
            window=WINDOW,
            columns=(),
        )
        _retry(bulk, [pk for (pk,) in look.found])
        bulk.cursor = look.cursor or _THE_END
        room -= len(look.found)
    if bulk.cursor == _THE_END:
        bulk.status = BulkRetryStatus.FINISHED
        bulk.finished_at = shared_now()
        # Tried again or cleaned up by somebody meanwhile.
        bulk.left = max(bulk.left, bulk.total - bulk.done)


def ready_of(bulk: BulkRerun) -> int:
    """How many of its runs a worker could take at once, up to the limit. Those that wait for a time, an answer, their
    turn or a person hold nobody up."""
    ready: int = bulk.runs.ready().unblocked()[:MAX_READY].count()
    return ready


def _retry(bulk: BulkRerun, ids: Sequence[str]) -> None:
    if not ids:
        return
    begin: From = "start" if bulk.begin == "start" else "failed_step"
    on: On = "current" if bulk.on == "current" else "same"
    fresh, left = retry_runs(ids=ids, actor=bulk.created_by, begin=begin, on=on, bulk=bulk)
    bulk.done += len(fresh)
    bulk.left += left
    if bulk.releases and bulk.created_by is not None:
        _release(bulk.created_by, [run.record_id for run in fresh if run.record_id])


def _release(user: User, ids: Sequence[str]) -> None:
    """The records that the person may change; of the others the runs wait until somebody does."""
    held = Record.objects.filter(pk__in=ids).exclude(quarantined_at=None)
    with acting(user):
        for record in held.select_related("object").order_by("pk"):
            if not can(user, "change", record.object):
                continue
            try:
                release_record(record=record)
            except RecordsError:  # somebody has just changed it
                continue
