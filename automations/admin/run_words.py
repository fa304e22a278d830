"""Where a run stands, in a word, a colour and a sentence."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from django.utils import timezone

from automations.models import Run, RunMode, RunStatus

_LOOKS: Final[Mapping[str, tuple[str, str]]] = {
    RunStatus.PENDING: ("busy", "schedule"),
    RunStatus.RUNNING: ("busy", "sync"),
    RunStatus.WAITING: ("busy", "hourglass_top"),
    RunStatus.SUCCEEDED: ("good", "check_circle"),
    RunStatus.FAILED: ("bad", "error"),
    RunStatus.HALTED: ("warn", "pan_tool"),
    RunStatus.SKIPPED: ("quiet", "do_not_disturb_on"),
    RunStatus.CANCELLED: ("quiet", "block"),
}


@dataclass(frozen=True, slots=True)
class RunLook:
    """As `webhooks.summaries.Summary`: the colour says nothing that `text` does not say too."""

    tone: str
    icon: str
    text: str


def look_of(run: Run) -> RunLook:
    tone, icon = _LOOKS[run.status]
    return RunLook(tone, icon, RunStatus(run.status).label)


def result_of(run: Run) -> str:
    """What came of it, in words; empty where the status says it all."""
    if run.reason:
        return run.reason
    if run.status == RunStatus.WAITING:
        if run.due_at is None:
            return "Waits for the answer to a request"
        return f"Waits until {timezone.localtime(run.due_at):%b %-d, %H:%M}"
    if run.status == RunStatus.PENDING:
        return "A worker takes it in a moment"
    if run.status == RunStatus.SUCCEEDED and run.mode == RunMode.TEST:
        return "Nothing was sent"
    return ""
