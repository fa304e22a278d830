"""The circuit breaker of a destination. Pure: a state and what happened in, the next state out.

Scheme: M. Nygard, “Release It!”, chapter 5. Closed: everything is sent. Open: jobs stay pending, and now and then
one is sent as a probe, with growing pauses; an answer closes the circuit. Disabled: nothing but failures for days,
a person has to look.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, Literal

# Sustained failure: so many in a row without any answer in between.
OPEN_AFTER_FAILURES: Final = 10
FIRST_PROBE_S: Final = 15
MAX_PROBE_S: Final = 15 * 60


@dataclass(frozen=True, slots=True)
class CircuitState:
    """Mirrors the columns of `Destination`."""

    circuit: Literal["closed", "open", "disabled"] = "closed"
    failures: int = 0
    failing_since: datetime | None = None
    opened_at: datetime | None = None
    probe_at: datetime | None = None
    probe_interval_s: int = 0
    disabled_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Tally:
    """What came of some requests to one destination.

    `succeeded`: as the webhook expects. `answered`: by the receiver, with something else (it lives).
    `unanswered`: no answer, or one that says the server is in trouble (5xx, 429).
    """

    succeeded: int = 0
    answered: int = 0
    unanswered: int = 0


def is_trouble(status_code: int | None, error_kind: str) -> bool:
    """Whether an outcome says that the destination as a whole is in trouble, not this one request."""
    if status_code is None:
        return error_kind not in ("invalid", "template", "secret", "internal")
    return bool(error_kind) or status_code >= 500 or status_code == 429


def after_outcomes(
    state: CircuitState, tally: Tally, *, now: datetime, disable_after_s: float
) -> CircuitState:
    """The circuit after some outcomes. A disabled one stays so, whatever was still in the air: a person has to look."""
    if state.circuit == "disabled":
        return state
    if tally.succeeded:
        return CircuitState()
    since = state.failing_since or now
    if tally.answered:
        return _disable_if_hopeless(CircuitState(failing_since=since), now, disable_after_s)
    state = replace(state, failures=state.failures + tally.unanswered, failing_since=since)
    if state.circuit == "closed" and state.failures >= OPEN_AFTER_FAILURES:
        state = replace(
            state,
            circuit="open",
            opened_at=now,
            probe_at=now + timedelta(seconds=FIRST_PROBE_S),
            probe_interval_s=FIRST_PROBE_S,
        )
    return _disable_if_hopeless(state, now, disable_after_s)


def begin_probe(state: CircuitState, *, now: datetime) -> CircuitState | None:
    """The state once a probe is sent, or None when it is not time for one."""
    if state.circuit != "open" or (state.probe_at is not None and state.probe_at > now):
        return None
    interval_s = min(MAX_PROBE_S, state.probe_interval_s * 2)
    return replace(state, probe_at=now + timedelta(seconds=interval_s), probe_interval_s=interval_s)


def _disable_if_hopeless(
    state: CircuitState, now: datetime, disable_after_s: float
) -> CircuitState:
    since = state.failing_since
    if since is None or (now - since).total_seconds() < disable_after_s:
        return state
    return replace(state, circuit="disabled", disabled_at=now, probe_at=None)
