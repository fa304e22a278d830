"""The form of a document. What a step's or a trigger's `config` may hold is said by its kind."""

from collections.abc import Iterator
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

# Names a step in `{{ steps.lookup.response }}` and in the trace; it never changes, wherever the step is moved.
StepId = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
Delays = Annotated[list[Annotated[int, Field(ge=1, le=30 * 86_400)]], Field(max_length=20)]

MAX_STEPS: Final = 200
MAX_NESTING: Final = 8
DEFAULT_MAX_DEPTH: Final = 10
# The block of the steps that run when a run has failed.
FALLBACK: Final = "!"


class Part(BaseModel):
    """A part of a document: what it does not know, it refuses."""

    model_config = ConfigDict(extra="forbid")


class TriggerPart(Part):
    type: str
    config: dict[str, Any] = {}


class Step(Part):
    """One action. `on_error`: what happens when it has failed and its retries are used up."""

    id: StepId
    type: str
    name: Annotated[str, Field(max_length=80)] = ""
    config: dict[str, Any] = {}
    disabled: bool = False
    on_error: Literal["stop", "continue"] = "stop"
    # Tried again after so many seconds; a step that sends has a retry policy of its own in its config.
    retry_delays_s: Delays = []


class Concurrency(Part):
    """What happens when the automation fires while a run of it is open for the same record.

    `parallel`: they do not mind each other. `queued`: the later one waits. `restart`: the earlier one is
    cancelled. `skip`: the later one does not fire. `max_open`: beyond so many open runs of the automation
    it does not fire; None is no limit.
    """

    mode: Literal["parallel", "queued", "restart", "skip"] = "parallel"
    max_open: Annotated[int, Field(ge=1, le=100_000)] | None = None


class OnFailure(Part):
    """The error path. `steps` see `{{ error.message }}`, `.step`, `.field` and `.kind`."""

    steps: list[Step] = []
    notify_admins: bool = True
    # Names of teams that are told, too.
    notify_teams: list[str] = []
    quarantine: bool = False
    # After so many failures in a row the automation is paused; None: never.
    pause_after: Annotated[int, Field(ge=1, le=10_000)] | None = None


class Settings(Part):
    concurrency: Concurrency = Concurrency()
    # A chain of runs that cause each other is cut here.
    max_depth: Annotated[int, Field(ge=1, le=50)] = DEFAULT_MAX_DEPTH
    on_failure: OnFailure = OnFailure()


class Document(Part):
    trigger: TriggerPart
    conditions: dict[str, Any] | None = None
    steps: Annotated[list[Step], Field(max_length=MAX_STEPS)] = []
    settings: Settings = Settings()


def child_blocks(step: Step) -> list[tuple[str, list[Step]]]:
    """The blocks of steps inside a step, by name: arms of a branch `s3/0`, `s3/1` …, the body of a loop `s5`."""
    if step.type == "branch":
        arms = step.config.get("conditions") or []
        return [
            (f"{step.id}/{place}", _steps(arm.get("then") or arm.get("else") or []))
            for place, arm in enumerate(arms)
        ]
    if step.type == "for_each":
        return [(step.id, _steps(step.config.get("steps") or []))]
    return []


def walk_steps(document: Document) -> Iterator[tuple[str, Step]]:
    """Every step with the block that it is in, outer ones first; the fallback's are in block `!`."""
    blocks = [("", document.steps), (FALLBACK, document.settings.on_failure.steps)]
    while blocks:
        block, steps = blocks.pop(0)
        for step in steps:
            yield block, step
            blocks += child_blocks(step)


def _steps(values: list[Any]) -> list[Step]:
    return [value if isinstance(value, Step) else Step.model_validate(value) for value in values]
