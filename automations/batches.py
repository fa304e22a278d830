"""Advancing claimed runs in batches: what the steps do, their rows and the runs' new place commit together.

Source of the promise: a worker that dies at any point leaves either all of a batch or nothing of it, so nothing is
done twice and nothing is left out.
"""

import logging
import time
import uuid
from collections.abc import Mapping, Sequence
from typing import Final

from django.db import InterfaceError, OperationalError, transaction
from django.utils import timezone

from automations.claims import claim_runs, held_by, release_runs
from automations.compiled import compiled_version, current_index
from automations.failures import settle_finished
from automations.interpreter import Play, Writes
from automations.models import Run, RunStatus, StepRun
from config.bulk import update_rows
from config.queues import TookTooLong, ring_on_commit, stopping
from webhooks.engine import deliver_soon
from webhooks.models import RequestLog, WebhookJob

logger = logging.getLogger(__name__)

# So many runs commit together: what a SQLite's other writers wait for, at most, is some tens of milliseconds.
BATCH_SIZE: Final = 40
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
        claimed = claim_runs(token=token, limit=BATCH_SIZE, after=after)
        if not claimed:
            return turns
        if len(claimed) == BATCH_SIZE:
            ring_on_commit("runs")  # more than one worker takes: idle ones may join in
        after = _advance_claimed(token, claimed)
        turns += len(claimed)
    return turns


def _advance_claimed(token: uuid.UUID, claimed: Sequence[str]) -> str:
    """The automation of the last one, so that the next claim goes on behind it."""
    try:
        return _advance(token, claimed)
    except TookTooLong:
        release_runs(token)
        raise
    except (OperationalError, InterfaceError):
        release_runs(token)
        raise
    except Exception:
        logger.exception("A batch of runs could not be advanced; trying them one by one")
    after = ""
    for pk in claimed:
        try:
            after = _advance(token, [pk])
        except (OperationalError, InterfaceError, TookTooLong):
            release_runs(token)
            raise
        except Exception as error:
            logger.exception("Run %s could not be advanced", pk)
            _give_up(token, pk, error)
    return after


@transaction.atomic
def _advance(token: uuid.UUID, claimed: Sequence[str]) -> str:
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
    deadline = time.monotonic() + BATCH_S
    for run in runs:
        if done and time.monotonic() > deadline:
            break
        _play(run, waited, answers, writes).advance()
        done.append(run)
    _store(token, done, writes)
    left = [run.pk for run in runs[len(done) :]]
    if left:
        Run.objects.filter(pk__in=left).update(
            status=RunStatus.PENDING, lease_token=None, lease_until=None
        )
    return runs[-1].automation_id if runs else ""


def _play(
    run: Run, waited: dict[str, StepRun], answers: Mapping[str, RequestLog], writes: Writes
) -> Play:
    run.waiting_job = None
    return Play(
        run=run,
        version=compiled_version(run.version),
        automation_name=run.automation.name,
        event=run.event,
        writes=writes,
        waited=waited,
        answers=answers,
    )


def _waited_steps(runs: Sequence[Run]) -> dict[str, StepRun]:
    """What these runs waited for, with the jobs that have ended meanwhile. One query."""
    ids = [frame["waiting"] for run in runs for frame in run.cursor if frame.get("waiting")]
    if not ids:
        return {}
    rows = StepRun.objects.filter(pk__in=ids).select_related("job")
    # What was sent is of no interest any more.
    rows = rows.defer("job__headers", "job__body", "job__credentials", "job__policy")
    return {row.pk: row for row in rows}


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
        WebhookJob.objects.bulk_create(writes.jobs, batch_size=500)
        transaction.on_commit(deliver_soon, robust=True)
    StepRun.objects.bulk_create(writes.steps, batch_size=500)
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
    run.status = RunStatus.FAILED
    run.reason = f"Signalbox could not go on with this run ({type(error).__name__}); its log has the details."
    run.error = {"message": run.reason, "step": "", "path": "", "field": "", "kind": "internal"}
    run.error["cursor"] = run.cursor
    run.cursor, run.due_at, run.finished_at = [], None, timezone.now()
    _store(token, [run], Writes())
