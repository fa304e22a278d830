"""What each lane may send now: circuits, rate limits and concurrency limits, over all workers."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.db.models import Q

from webhooks.circuits import CircuitState, Tally, after_outcomes, begin_probe
from webhooks.models import Circuit, Destination, JobStatus, WebhookJob

# A rate limit saves up at most so many seconds' worth of requests.
BURST_S: Final = 1.0
_STATE_FIELDS: Final = tuple(each.name for each in fields(CircuitState))


@dataclass(slots=True)
class Allowances:
    """How many jobs each lane may start; a lane that is not mentioned has no limit here.

    `again_in_s`: when a rate limit lets the next one go; None when none waits for that.
    """

    by_lane: dict[str, int] = field(default_factory=dict)
    again_in_s: float | None = None
    metered: dict[str, Destination] = field(default_factory=dict)
    probed: dict[str, tuple[Destination, CircuitState]] = field(default_factory=dict)

    def room(self, lane: str, otherwise: int) -> int:
        return min(otherwise, self.by_lane.get(lane, otherwise))

    def spend(self, lane: str, count: int) -> None:
        """Take from the rate limit what has been claimed; what was claimed of an open circuit is its probe."""
        destination = self.metered.get(lane)
        if destination is not None:
            destination.tokens -= count
            destination.save(update_fields=["tokens", "tokens_at"])
        if lane in self.probed:
            store_state(*self.probed[lane])


# Destinations that need a look before each claim: `d` is the table.
GUARDED_SQL: Final = (
    "d.concurrency IS NOT NULL OR d.rate_per_s IS NOT NULL OR d.circuit <> 'closed'"
)


def allowances(guarded: Sequence[str], now: datetime) -> Allowances:
    """What guarded lanes may start. Call it inside the transaction of the claim; it locks the rows it needs.

    A row that another worker has locked counts as full: that worker is claiming there right now.
    """
    result = Allowances()
    if not guarded:
        return result
    result.by_lane = dict.fromkeys(guarded, 0)
    destinations = Destination.objects.filter(lane__in=guarded)
    for destination in destinations.select_for_update(skip_locked=True):
        result.by_lane[destination.lane] = _allow(destination, result, now)
    return result


def note_outcomes(tallies: dict[str, Tally], errors: dict[str, str], now: datetime) -> list[str]:
    """Tell the circuits what came of requests. The lanes that were disabled by it."""
    troubled = [lane for lane, tally in tallies.items() if not tally.succeeded]
    _add_missing(troubled)
    not_healthy = Q(failures__gt=0) | Q(failing_since__isnull=False) | ~Q(circuit=Circuit.CLOSED)
    concerned = Destination.objects.filter(Q(lane__in=troubled) | not_healthy, lane__in=tallies)
    disabled = []
    for destination in concerned.order_by("pk").select_for_update():
        before = destination.circuit
        state = after_outcomes(
            state_of(destination),
            tallies[destination.lane],
            now=now,
            disable_after_s=settings.DESTINATION_DISABLE_AFTER_DAYS * 86_400,
        )
        destination.last_error = errors.get(destination.lane, "")
        store_state(destination, state)
        if destination.circuit == Circuit.DISABLED != before:
            disabled.append(destination.lane)
    return disabled


def state_of(destination: Destination) -> CircuitState:
    return CircuitState(**{name: getattr(destination, name) for name in _STATE_FIELDS})


def store_state(destination: Destination, state: CircuitState) -> None:
    for name, value in asdict(state).items():
        setattr(destination, name, value)
    destination.save(update_fields=[*_STATE_FIELDS, "last_error"])


def _allow(destination: Destination, result: Allowances, now: datetime) -> int:
    if destination.circuit == Circuit.DISABLED:
        return 0
    if destination.circuit == Circuit.OPEN:
        return _allow_probe(destination, result, now)
    room = _room_in_air(destination)
    if destination.rate_per_s is not None and room > 0:
        room = min(room, _refill(destination, result, now))
    return room


def _allow_probe(destination: Destination, result: Allowances, now: datetime) -> int:
    state = state_of(destination)
    longest = timedelta(seconds=state.probe_interval_s)
    if state.probe_at is not None and state.probe_at > now + longest:
        state = replace(state, probe_at=now)  # by a clock that was ahead
    probing = begin_probe(state, now=now)
    if probing is None:
        return 0
    result.probed[destination.lane] = destination, probing
    return 1


def _room_in_air(destination: Destination) -> int:
    if destination.concurrency is None:
        return 1_000_000
    in_air = WebhookJob.objects.filter(status=JobStatus.SENDING, lane=destination.lane).count()
    return max(0, destination.concurrency - in_air)


def _refill(destination: Destination, result: Allowances, now: datetime) -> int:
    """A token bucket, refilled by the time that passed. A clock that went back refills nothing."""
    rate = destination.rate_per_s or 0.0
    most = max(1.0, rate * BURST_S)
    if destination.tokens_at is None:
        destination.tokens = most  # the first time: as if nothing had been sent for a while
    else:
        elapsed_s = max(0.0, (now - destination.tokens_at).total_seconds())
        destination.tokens = min(most, destination.tokens + elapsed_s * rate)
    destination.tokens_at = now
    result.metered[destination.lane] = destination
    wait_s = max(0.02, (1.0 - destination.tokens % 1.0) / rate)
    result.again_in_s = min(wait_s, result.again_in_s or wait_s)
    return int(destination.tokens)


def _add_missing(lanes: Iterable[str]) -> None:
    lanes = list(lanes)
    if lanes:
        Destination.objects.bulk_create(
            [Destination(lane=lane) for lane in lanes], ignore_conflicts=True
        )
