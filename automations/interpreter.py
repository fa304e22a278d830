"""Advancing one run: step after step until it waits, ends, or has had its turn. Writes nothing but what actions
write; rows to be stored are handed to `Writes`, which the caller stores in the same transaction."""

import logging
import time
from contextlib import nullcontext
from datetime import timedelta
from typing import Any, Final

from django.db import InterfaceError, OperationalError, transaction

from automations.compiled import CompiledStep
from automations.cursors import Frame, enter, start, step_over
from automations.document.schema import FALLBACK
from automations.loopresults import outcome_of
from automations.matching import GOES_ON_IN_QUARANTINE
from automations.models import RunStatus, StepStatus
from automations.plays import MAX_CARRIED, Play, Turn
from automations.rounds import end_round
from automations.stepfailures import step_failed, stop_for
from automations.steps import Answer, Done, End, Enter, StepFailed, WaitForJob, WaitUntil
from config.queues import TookTooLong
from records.actors import acting
from records.exceptions import RecordsError
from webhooks.models import JobStatus

logger = logging.getLogger(__name__)

# A run with more to do comes back with the next batch: no run keeps others waiting for long.
STEPS_AT_ONCE: Final = 50
# A loop in a loop can multiply; a run this long is a mistake.
MAX_STEPS_OF_A_RUN: Final = 10_000
# The reason of a run whose record is in quarantine; it looks again after so many seconds.
HELD: Final = "Waits: the record is in quarantine until a person releases it."
_LOOK_AGAIN_S: Final = 30
_MISTAKE: Final = "Signalbox made a mistake in this step; its log has the details."
_CARRIES_TOO_MUCH: Final = (
    f"What the run carries is larger than {MAX_CARRIED // 1024 // 1024} MB: outputs of steps, variables, and the "
    "entries of loops. Take only what later steps need from answers, and loop over shorter lists."
)


def advance(play: Play) -> None:
    """Go on until the run waits, ends, or has had its turn (then it stays pending)."""
    run = play.run
    run.started_at = run.started_at or play.clock()
    if _is_held(play) or _still_waits(play):
        return
    if run.reason == HELD:
        run.reason = ""
    if play.carries_too_much():
        play.finish(RunStatus.FAILED, _CARRIES_TOO_MUCH)
        return
    if not run.cursor:
        run.cursor = start()
    play.look()
    label = f"Automation “{play.automation_name}”"
    with acting(label=label, run_id=run.pk, depth=run.depth + 1):
        for _ in range(STEPS_AT_ONCE):
            _go_on(play)
            if run.status != RunStatus.RUNNING:
                return
            if time.monotonic() > play.deadline:
                break
    run.status = RunStatus.PENDING
    run.due_at = play.clock()


def _is_held(play: Play) -> bool:
    """A run whose record a person has to look at first waits for that; the fallback goes on."""
    run, event = play.run, play.event
    if play.is_dry or run.error is not None or run.variables.get("quarantined"):
        return False
    if (event.type if event else run.event_name) in GOES_ON_IN_QUARANTINE:
        return False
    record = play.load_record()
    if record is None or record.quarantined_at is None:
        return False
    run.reason = HELD
    play.wait(play.clock() + timedelta(seconds=_LOOK_AGAIN_S))
    return True


def _still_waits(play: Play) -> bool:
    """The job has failed and a person has at once retried it: its end is still to come.

    The run also looks again by itself, since that end may be told before this is committed.
    """
    waited = play.waited_for(play.run.cursor[-1]) if play.run.cursor else None
    if waited is None or waited.job is None:
        return False
    if waited.job.status not in (JobStatus.PENDING, JobStatus.SENDING):
        return False
    play.run.waiting_job = waited.job
    play.wait(play.clock() + timedelta(seconds=_LOOK_AGAIN_S))
    return True


def _go_on(play: Play) -> None:
    """The next step, or the end of a block."""
    run = play.run
    frame = run.cursor[-1]
    if frame["index"] >= len(play.version.blocks.get(frame["block"], ())):
        _leave(play, frame)
        return
    count = run.variables.get("count", 0) + 1
    run.variables["count"] = count
    if count > MAX_STEPS_OF_A_RUN:
        words = f"More than {MAX_STEPS_OF_A_RUN:,} steps: a loop goes round too often."
        play.finish(RunStatus.FAILED, words)
        return
    step = play.step_at(frame)
    turn = Turn(step, frame, play.scene(step, frame), play.waited_for(frame))
    if step.disabled:
        play.log(turn, StepStatus.SKIPPED, note="Switched off")
        step_over(frame)
        return
    try:
        answer = _execute(play, turn)
    except StepFailed as failure:
        step_failed(play, turn, failure)
    else:
        _take(play, turn, answer)


def _leave(play: Play, frame: Frame) -> None:
    """A block has come to its end: the next round of a loop, the step behind the block, or the end of the run."""
    run = play.run
    if frame.get("items") is not None:
        end_round(play, frame)
        return
    run.cursor.pop()
    if frame["block"] == FALLBACK or not run.cursor:
        play.finish(RunStatus.FAILED if run.error else RunStatus.SUCCEEDED, run.reason)
        return
    step_over(run.cursor[-1])


def _execute(play: Play, turn: Turn) -> Answer:
    """What the action answers. What it has begun is undone when it fails. Raises StepFailed."""
    step, scene = turn.step, turn.scene
    if step.action is None:
        raise StepFailed(f"The action “{step.type}” is not installed (any more).", kind="missing")
    config = _config_of(step, turn.frame)
    changes = step.action.writes(config)
    try:
        with transaction.atomic() if changes else nullcontext():
            if turn.waited is not None:
                return step.action.resume(config, scene, turn.waited, step.prepared)
            return step.action.execute(config, scene, step.prepared)
    except (OperationalError, InterfaceError, TookTooLong):
        raise  # the database's trouble, not the step's: the batch is undone and claimed again
    except Exception as error:  # one step's trouble must not stop the other runs
        if changes:
            play.forget_record()  # what is in memory may be what was undone
        raise _failure_of(error, turn, play.run.pk) from error


def _failure_of(error: Exception, turn: Turn, run_id: str) -> StepFailed:
    if isinstance(error, StepFailed):
        return error
    if isinstance(error, RecordsError):
        return StepFailed(str(error), kind="record")
    logger.error("Step %s of run %s failed", turn.scene.path, run_id, exc_info=error)
    return StepFailed(_MISTAKE, kind="internal")


def _config_of(step: CompiledStep, frame: Frame) -> Any:
    """What the step is told; a person who retried a run may have changed that for this once."""
    assert step.action is not None
    return step.action.Config.model_validate(frame["config"]) if "config" in frame else step.config


def _take(play: Play, turn: Turn, answer: Answer) -> None:
    """Go where the action's answer leads."""
    if isinstance(answer, Done):
        _go_behind(play, turn, answer)
    elif isinstance(answer, Enter):
        _enter(play, turn, answer)
    elif isinstance(answer, End):
        _end(play, turn, answer)
    else:
        _wait(play, turn, answer)


def _go_behind(play: Play, turn: Turn, answer: Done) -> None:
    if answer.job is not None and not play.is_dry:
        play.writes.jobs.append(answer.job)
    play.log(
        turn,
        StepStatus.SUCCEEDED,
        output=answer.output,
        note=answer.note,
        changes=answer.changes,
        job=answer.job,
    )
    play.remember(turn.step, answer.output)
    step_over(turn.frame)


def _enter(play: Play, turn: Turn, answer: Enter) -> None:
    play.log(turn, StepStatus.SUCCEEDED, output=answer.output, note=answer.note)
    frame = enter(answer.block, answer.items, answer.as_name)
    if answer.items is not None and not answer.items:
        play.remember(turn.step, outcome_of(frame))
        step_over(turn.frame)
        return
    play.run.cursor.append(frame)


def _end(play: Play, turn: Turn, answer: End) -> None:
    play.log(turn, StepStatus.ENDED, output=answer.output, note=answer.message)
    if answer.status == "failed":
        words = answer.message or "The step says: failed."
        stop_for(play, turn, StepFailed(words, kind="stop"))
    else:
        play.finish(RunStatus(answer.status), answer.message)


def _wait(play: Play, turn: Turn, answer: WaitUntil | WaitForJob) -> None:
    row = play.log(turn, StepStatus.WAITING, note=answer.note)
    row.finished_at = None
    if play.is_dry:  # time passes at once; nothing is ever sent
        row.status, row.finished_at = StepStatus.SUCCEEDED, play.clock()
        step_over(turn.frame)
        return
    turn.frame["waiting"] = row.pk
    if isinstance(answer, WaitUntil):
        play.wait(answer.moment)
        return
    play.writes.jobs.append(answer.job)
    row.job = play.run.waiting_job = answer.job
    play.wait(None)
