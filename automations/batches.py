"""Advancing claimed runs in batches: what the steps do, their rows and the runs' new place commit together.

Source of the promise: a worker that dies at any point leaves either all of a batch or nothing of it, so nothing is
done twice and nothing is left out.
"""

import logging
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from django.db import InterfaceError, OperationalError, connection, transaction
from django.utils import timezone

from automations.claims import claim_runs, held_by, release_runs
from automations.compiled import compiled_version, current_index
from automations.exceptions import VersionBroken
from automations.failures import settle_finished
from automations.interpreter import advance
from automations.models import Run, RunStatus, StepRun, StepStatus
from automations.plays import Play, Writes
from config.bulk import insert_rows, update_rows
from config.clocks import shared_now
from config.queues import TookTooLong, ring_on_commit, stopping
from webhooks.engine import deliver_soon
from webhooks.models import RequestLog

logger = logging.getLogger(__name__)

# So many runs commit together: SQLite's other writers wait for them for some tens of milliseconds.
BATCH_SIZE: Final = 100
# What one batch of steps may take before the rest is given back: far less than a lease.
BATCH_S: Final = 1.0
_RUN_COLUMNS: Final = (
    "status", "reason", "cursor", "variables", "error", "answer", "due_at", "waiting_job_id",
    "lease_token", "lease_until", "started_at", "finished_at",
)  # fmt: skip
_NEEDED: Final = (
    "automation", "version", "event", "event__object", "event__record", "event__actor",
)  # fmt: skip
# Documents are known by their version's id once they are compiled; they may be large.
_NOT_NEEDED: Final = ("automation__draft", "version__document")
_STEP_COLUMNS: Final = ("status", "output", "note", "error", "changes", "job_id", "finished_at")


def advance_ready_runs() -> int:
    """Claim and advance ready runs until there are none. How many turns runs had."""
    token = uuid.uuid4()
    turns, after = 0, ""
    while not stopping.is_set():
        claim = claim_runs(token=token, limit=BATCH_SIZE, after=after)
        if not claim.runs:
            return turns
        if len(claim.runs) == BATCH_SIZE:
            ring_on_commit("runs")  # more than one worker takes: idle ones may join in
        _advance_claimed(token, claim.runs)
        turns += len(claim.runs)
        after = claim.last
    return turns


def _advance_claimed(token: uuid.UUID, claimed: Sequence[str]) -> None:
    try:
        _advance_batch(token, claimed)
    except (OperationalError, InterfaceError, TookTooLong):
        release_runs(token)
        raise


def _advance_batch(token: uuid.UUID, claimed: Sequence[str]) -> None:
    """All of them together; one by one if that does not work out."""
    try:
        taken = _advance(token, claimed)
    except (OperationalError, InterfaceError, TookTooLong):
        raise
    except Exception:
        logger.exception("A batch of runs could not be advanced; trying them one by one")
        taken = sum(_advance_alone(token, pk) for pk in claimed)
    if taken < len(claimed):  # a person has locked one just now: it comes back at once
        release_runs(token)


def _advance_alone(token: uuid.UUID, pk: str) -> int:
    try:
        return _advance(token, [pk])
    except (OperationalError, InterfaceError, TookTooLong):
        raise
    except Exception as error:
        logger.exception("Run %s could not be advanced", pk)
        _give_up(token, pk, error)
    return 1


@transaction.atomic
def _advance(token: uuid.UUID, claimed: Sequence[str]) -> int:
    """How many of them were still this worker's."""
    current_index()  # forget versions that were compiled for objects that have changed since
    runs = list(
        held_by(token)
        .filter(pk__in=claimed)
        .select_related(*_NEEDED)
        .defer(*_NOT_NEEDED)
        .order_by("due_at", "pk")
        .select_for_update(of=("self",), skip_locked=True)
    )
    waited = _waited_steps(runs)
    answers = _answers(waited)
    writes = Writes()
    done: list[Run] = []
    clock = _shared_clock()
    deadline = time.monotonic() + BATCH_S
    for run in runs:
        if done and time.monotonic() > deadline:
            break
        run.waiting_job = None
        try:
            version = compiled_version(run.version)
        except VersionBroken as broken:
            _end_failed(run, str(broken), kind="version", now=clock())
        else:
            play = Play(
                run=run,
                version=version,
                automation_name=run.automation.name,
                event=run.event,
                writes=writes,
                waited=waited,
                answers=answers,
                clock=clock,
                deadline=deadline,
            )
            advance(play)
        done.append(run)
    _close_waits(done, waited, writes)
    _store(token, done, writes)
    left = [run.pk for run in runs[len(done) :]]
    if left:
        Run.objects.filter(pk__in=left).update(
            status=RunStatus.PENDING, lease_token=None, lease_until=None
        )
    return len(runs)


def _shared_clock() -> Callable[[], datetime]:
    """The clock that wakes runs, asked once: what a run waits for must not depend on this machine's."""
    ahead = shared_now() - timezone.now() if connection.vendor == "postgresql" else timedelta()
    return lambda: timezone.now() + ahead


def _waited_steps(runs: Sequence[Run]) -> dict[str, StepRun]:
    """What these runs waited for, with the jobs that have ended meanwhile. One query."""
    ids = [frame["waiting"] for run in runs for frame in run.cursor if frame.get("waiting")]
    if not ids:
        return {}
    rows = StepRun.objects.filter(pk__in=ids).select_related("job")
    # What was sent is of no interest any more.
    rows = rows.defer("job__headers", "job__body", "job__credentials", "job__policy")
    return {row.pk: row for row in rows}


def _close_waits(runs: Sequence[Run], waited: Mapping[str, StepRun], writes: Writes) -> None:
    """Steps whose run has ended as a whole wait for nothing any more."""
    ended = {run.pk: run.finished_at for run in runs if run.finished_at is not None}
    for row in waited.values():
        if row.status == StepStatus.WAITING and row.run_id in ended:
            row.status, row.finished_at = StepStatus.SKIPPED, ended[row.run_id]
            row.note = "The run ended while it waited"
            writes.resumed.append(row)


def _answers(waited: Mapping[str, StepRun]) -> dict[str, RequestLog]:
    """The last attempt of each job that was waited for. One query."""
    jobs = [row.job_id for row in waited.values() if row.job_id]
    if not jobs:
        return {}
    attempts = RequestLog.objects.filter(job__in=jobs).defer("request_body", "request_headers")
    return {str(row.job_id): row for row in attempts.order_by("pk")}


def _store(token: uuid.UUID, runs: Sequence[Run], writes: Writes) -> None:
    for run in runs:
        run.lease_token = run.lease_until = None
    if writes.jobs:
        insert_rows(writes.jobs)
        transaction.on_commit(deliver_soon, robust=True)
    insert_rows(writes.steps)
    update_rows(
        StepRun,
        _STEP_COLUMNS,
        ("id",),
        [[*(getattr(row, name) for name in _STEP_COLUMNS), row.pk] for row in writes.resumed],
    )
    update_rows(
        Run,
        _RUN_COLUMNS,
        ("id", "lease_token"),
        [[*(getattr(run, name) for name in _RUN_COLUMNS), run.pk, token] for run in runs],
    )
    settle_finished([run for run in runs if run.finished_at is not None])
    if any(run.status == RunStatus.PENDING for run in runs):
        ring_on_commit("runs")


@transaction.atomic
def _give_up(token: uuid.UUID, pk: str, error: Exception) -> None:
    """A run that can't be advanced at all ends, and says why."""
    run = held_by(token).filter(pk=pk).select_related("automation", "version").first()
    if run is None:
        return
    words = f"Signalbox could not go on with this run ({type(error).__name__}); its log has the details."
    _end_failed(run, words, kind="internal", now=shared_now())
    _store(token, [run], Writes())


def _end_failed(run: Run, words: str, *, kind: str, now: datetime) -> None:
    """It fails as a whole, at no step of its own."""
    run.status, run.reason = RunStatus.FAILED, words[:500]
    run.error = {"message": words, "step": "", "path": "", "field": "", "kind": kind}
    run.cursor, run.due_at, run.finished_at = [], None, now
