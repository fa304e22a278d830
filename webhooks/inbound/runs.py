"""The runs that requests set off. The app above knows them, and registers here how to ask."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class RunState:
    """How far a run is. `answer`: what its respond step answers, {"status", "headers", "body"}."""

    id: str
    status: str
    has_ended: bool
    has_failed: bool = False
    answer: Mapping[str, Any] | None = None


# What the receivers of events that were dispatched have to say: as `Signal.send` gives it.
Reactions = Sequence[tuple[Any, Any]]


class Runs(Protocol):
    def runs_among(self, reactions: Reactions) -> Mapping[str, str]:
        """The runs among the reactions to events: the first of each event, by the event's id. No query."""

    def run_of_event(self, event_id: str) -> str | None:
        """The id of the run that an event has set off (or would have), if there is one."""

    def state_of_run(self, run_id: str) -> RunState | None:
        """How far a run is; None when there is no such run any more. Asked again and again: one cheap query."""

    def try_draft(self, automation_id: str, event: Any) -> Mapping[str, Any] | None:
        """What the draft of an automation would do about an event that was never saved, as JSON can hold it."""


class _NoRuns:
    def runs_among(self, reactions: Reactions) -> Mapping[str, str]:
        return {}

    def run_of_event(self, event_id: str) -> str | None:
        return None

    def state_of_run(self, run_id: str) -> RunState | None:
        return None

    def try_draft(self, automation_id: str, event: Any) -> Mapping[str, Any] | None:
        return None


_runs: Runs = _NoRuns()


def register_runs(runs: Runs) -> None:
    global _runs
    _runs = runs


def known_runs() -> Runs:
    return _runs
