"""The steps of a retry, in words: what is left out, what runs, what happens a second time."""

from dataclasses import dataclass

from automations.services import PlannedStep, RetryPlan
from automations.services.retry_plans import From


@dataclass(frozen=True, slots=True)
class StepLine:
    """`state`: "done" (left out), "again", "new" or "off"; `tone` is a colour that says nothing more."""

    step: PlannedStep
    state: str
    tone: str
    icon: str
    words: str
    is_failed: bool
    # Where the retry begins.
    is_first: bool

    @property
    def indent(self) -> int:
        return min(self.step.depth, 4)


_LOOKS = {
    "done": ("quiet", "check_circle", "Already happened – left out"),
    "again": ("warn", "replay", "Happened before – runs again"),
    "new": ("busy", "play_circle", "Will run"),
    "off": ("quiet", "remove", "Not part of it"),
}


def lines_of(plan: RetryPlan, begin: From) -> list[StepLine]:
    failed = (plan.run.error or {}).get("step", "")
    lines = []
    for step in plan.steps:
        state = _state_of(step)
        tone, icon, words = _LOOKS[state]
        if step.id == failed and step.again:
            words = "Failed – is tried again"
        elif step.depth and step.again:  # which way a branch takes is not known before
            words = words.replace("Will run", "May run").replace("runs again", "may run again")
        is_first = not plan.refusal and begin == "failed_step" and step.id == failed
        lines.append(StepLine(step, state, tone, icon, words, step.id == failed, is_first))
    return lines


def _state_of(step: PlannedStep) -> str:
    if step.again:
        return "again" if step.happened else "new"
    return "done" if step.happened else "off"
