"""When a step has failed: it is tried again later, the run goes on without it, or it ends, with its fallback first."""

from datetime import timedelta

from automations.compiled import CompiledStep
from automations.cursors import start, step_over
from automations.document.schema import FALLBACK
from automations.models import RunStatus, StepStatus
from automations.plays import Play, Turn
from automations.rounds import give_up_round
from automations.steps import StepFailed


def step_failed(play: Play, turn: Turn, failure: StepFailed) -> None:
    step = turn.step
    if _try_again(play, turn, failure):
        return
    if step.on_error == "continue":
        play.log(turn, StepStatus.CONTINUED, error=failure)
        play.remember(step, {"error": failure.message})
        step_over(turn.frame)
        return
    play.log(turn, StepStatus.FAILED, error=failure)
    if not give_up_round(play, failure.message):
        stop_for(play, turn, failure)


def stop_for(play: Play, turn: Turn, failure: StepFailed) -> None:
    """The run fails here. Where there is a fallback it comes first, and knows the error."""
    run = play.run
    is_first = run.error is None
    error = run.error or {}
    if is_first:
        run.error = error = {
            **failure.to_json(),
            "step": turn.step.id,
            "path": turn.scene.path,
            # Where a retry from here begins.
            "cursor": [dict(frame) for frame in run.cursor],
        }
        run.reason = _words_for(turn.step, failure)
    if is_first and play.version.blocks.get(FALLBACK):
        names = ("message", "step", "path", "field", "kind")
        run.variables["error"] = {name: error[name] for name in names}
        run.cursor = start(FALLBACK)
        return
    play.finish(RunStatus.FAILED, run.reason)


def _try_again(play: Play, turn: Turn, failure: StepFailed) -> bool:
    """Whether the step has retries left; then the run waits for the next."""
    frame, delays_s = turn.frame, turn.step.retry_delays_s
    attempt = frame.get("attempt", 1)
    if attempt > len(delays_s) or play.is_dry:
        return False
    delay_s = delays_s[attempt - 1]
    play.log(turn, StepStatus.TRIED_AGAIN, error=failure, note=f"Tried again after {delay_s} s")
    frame["attempt"] = attempt + 1
    frame.pop("waiting", None)
    play.wait(play.clock() + timedelta(seconds=delay_s))
    return True


def _words_for(step: CompiledStep, failure: StepFailed) -> str:
    part = f", {failure.field}" if failure.field else ""
    return f"{step.name or step.id}{part}: {failure.message}"[:500]
