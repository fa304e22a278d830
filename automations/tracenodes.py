"""What a trace is made of: steps with their attempts, and the blocks of steps inside of them. Plain data."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Final

from automations.findings import Finding
from automations.models import Run, StepRun, StepStatus

# States of steps without a row.
OFF: Final = "off"
NOT_TAKEN: Final = "not_taken"
NOT_REACHED: Final = "not_reached"
TO_COME: Final = "to_come"
# Done by the run that this one tries again.
EARLIER: Final = "earlier"

# state → tone, icon, words
LOOKS: Final[Mapping[str, tuple[str, str, str]]] = {
    StepStatus.SUCCEEDED: ("good", "check_circle", "Succeeded"),
    StepStatus.FAILED: ("bad", "error", "Failed"),
    StepStatus.TRIED_AGAIN: ("warn", "replay", "Failed, is tried again"),
    StepStatus.CONTINUED: ("warn", "warning", "Failed; the run went on"),
    StepStatus.WAITING: ("busy", "hourglass_top", "Waiting"),
    StepStatus.SKIPPED: ("quiet", "toggle_off", "Skipped"),
    StepStatus.ENDED: ("good", "stop_circle", "Ended the run"),
    OFF: ("quiet", "toggle_off", "Switched off"),
    NOT_TAKEN: ("quiet", "call_split", "Not taken"),
    NOT_REACHED: ("quiet", "remove", "Not reached"),
    TO_COME: ("quiet", "schedule", "Still to come"),
    EARLIER: ("quiet", "history", "Done by the run that this one tries again"),
}


@dataclass(slots=True)
class Attempt:
    """One execution of a step; one that waits has no duration yet. `share`: in hundredths of the longest one's."""

    row: StepRun
    duration_ms: int | None
    look: tuple[str, str, str]
    share: int = 0

    @property
    def note(self) -> str:
        """What has ended waits no more."""
        note = self.row.note
        if self.row.status != StepStatus.WAITING and note.startswith("Waits "):
            return f"Waited {note.removeprefix('Waits ')}"
        return note


@dataclass(slots=True)
class Block:
    """Steps inside a step: an arm of a branch, or an item of a loop."""

    name: str
    nodes: list["Node"]
    state: str = ""
    # Of an arm: what its conditions came to. Of an item: what it is.
    finding: Finding | None = None
    item: str = ""
    # Of an item: which one, from 0.
    number: int = 0

    @property
    def is_quiet(self) -> bool:
        return self.state in (NOT_TAKEN, NOT_REACHED)

    @property
    def is_open(self) -> bool:
        return any(node.is_open for node in self.nodes)


@dataclass(frozen=True, slots=True)
class Folded:
    """Items of a loop that follow each other and came to the same; what was done for each is asked for when somebody
    opens them. `number` is the first of them, from 0, `last` the last."""

    number: int
    last: int
    has_failed: bool

    is_folded: ClassVar[bool] = True

    @property
    def name(self) -> str:
        if self.count == 1:
            return f"Item {self.number + 1}"
        return f"Items {self.number + 1}–{self.last + 1}"

    @property
    def count(self) -> int:
        return self.last - self.number + 1


@dataclass(slots=True)
class Node:
    """One step at one place of the run."""

    path: str
    step_id: str
    name: str
    kind: str
    icon: str
    state: str
    attempts: list[Attempt] = field(default_factory=list)
    blocks: list[Block] = field(default_factory=list)
    # Items of a loop that are not among the blocks.
    folded: list[Folded] = field(default_factory=list)
    is_failing: bool = False

    @property
    def look(self) -> tuple[str, str, str]:
        """Of a step with others inside, what they have come to."""
        inner = [node for block in self.blocks for node in block.nodes]
        if any(node.has_failed for node in inner):
            return LOOKS[StepStatus.FAILED]
        if any(node.look == LOOKS[StepStatus.WAITING] for node in inner):
            return LOOKS[StepStatus.WAITING]
        return LOOKS[self.state]

    @property
    def has_failed(self) -> bool:
        """The run failed here, or inside of it."""
        return self.is_failing or any(
            node.has_failed for each in self.blocks for node in each.nodes
        )

    @property
    def parts(self) -> list[Block | Folded]:
        """What is inside, in order."""
        if not self.folded:
            return list(self.blocks)
        return sorted([*self.blocks, *self.folded], key=lambda part: part.number)

    @property
    def anchor(self) -> str:
        return anchor_of(self.path)

    @property
    def is_open(self) -> bool:
        """It failed, or waits, or something in it does."""
        return self.is_failing or self.look in (
            LOOKS[StepStatus.FAILED],
            LOOKS[StepStatus.WAITING],
        )

    @property
    def is_quiet(self) -> bool:
        return self.state in (OFF, NOT_TAKEN, NOT_REACHED, TO_COME, EARLIER)

    @property
    def latest(self) -> Attempt | None:
        return self.attempts[-1] if self.attempts else None


@dataclass(slots=True)
class Trace:
    """`fallback`: the steps for the case of failure. `stray`: rows that the document has no place for."""

    nodes: list[Node]
    fallback: list[Node]
    stray: list[Node]

    def all_nodes(self) -> Iterable[Node]:
        waiting = [*self.nodes, *self.fallback, *self.stray]
        while waiting:
            node = waiting.pop(0)
            yield node
            waiting[:0] = [inner for block in node.blocks for inner in block.nodes]


def duration_of(row: Run | StepRun) -> int | None:
    """Milliseconds; None before the end."""
    if row.started_at is None or row.finished_at is None:
        return None
    return max(0, round((row.finished_at - row.started_at).total_seconds() * 1000))


def anchor_of(path: str) -> str:
    """The step's place on the run's page: "b/l[0]/w" → "step-b-l-0-w"."""
    return "step-" + re.sub(r"\W+", "-", path).strip("-")
