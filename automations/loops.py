"""The loop guard: chains of runs that cause each other, cut where they go round or grow too long."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from automations.models import Run
from records.models import Event

# So many links of a chain are named in words.
_NAMED: Final = 6


@dataclass(frozen=True, slots=True)
class Ancestor:
    run_id: str
    automation_id: str
    automation_name: str
    record_id: str | None
    event: Event | None


def why_cut(
    event: Event,
    chain: Sequence[Ancestor],
    automation_id: str,
    automation_name: str,
    max_depth: int,
) -> str:
    """Why this event must not fire this automation again, naming the cycle; empty when it may.

    Two guards. A record that is back in a state in which the same automation has already fired in this chain
    will go round for ever: that is cut at once. Chains that change something each time may be meant; they are
    cut at `max_depth`. `chain`: the event's `ancestors`.
    """
    for place, ancestor in enumerate(chain):
        if ancestor.automation_id == automation_id and _same_state(ancestor, event):
            names = [each.automation_name for each in reversed(chain[: place + 1])]
            return (
                f"A cycle: {_written(names)} → {automation_name}, and the record is again as it was then. "
                "It would never end. A condition that looks at what has changed breaks it."
            )
    if event.depth >= max_depth:
        names = [each.automation_name for each in reversed(chain)]
        written = f": {_written(names)} → {automation_name}" if names else ""
        return (
            f"A chain of {event.depth} runs that caused each other{written}. The automation allows {max_depth}; "
            "if the chain is meant, allow more in its settings."
        )
    return ""


def ancestors(event: Event) -> list[Ancestor]:
    """The runs that led to this event, the latest first. One query for each."""
    found: list[Ancestor] = []
    run_id = event.run_id
    while run_id is not None and len(found) < 50:
        run = Run.objects.filter(pk=run_id).select_related("automation", "event").first()
        if run is None:
            break
        found.append(
            Ancestor(run.pk, run.automation_id, run.automation.name, run.record_id, run.event)
        )
        run_id = run.caused_by_id  # also when the event has been cleaned up
    return found


def _same_state(ancestor: Ancestor, event: Event) -> bool:
    """Whether the record is as it was when the ancestor fired."""
    if ancestor.event is None or ancestor.record_id is None:
        return False
    return ancestor.record_id == event.record_id and ancestor.event.after == event.after


def _written(names: Sequence[str]) -> str:
    if len(names) > _NAMED:
        half = _NAMED // 2
        names = [*names[:half], "…", *names[-half:]]
    return " → ".join(names)
