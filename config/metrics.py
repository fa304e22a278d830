"""What was sent over time: outcomes and latency, from the request log.

A range of time is a range of ids, so one pass over the primary key answers everything. Latency is counted in
bins whose bounds grow by about a fifth; a percentile is read from the bins and is off by less than that.

What it costs is bounded twice. Beyond `EXACT_ROWS` requests only a random share of them is counted: ids end in
random digits, so those that end in a zero are a fair sixteenth, and those that end in two zeros a fair share of
that. And an answer is kept for as long as it took to find, many times over.
"""

import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from django.core.cache import cache
from django.db.models import Case, CharField, Count, IntegerField, QuerySet, Value, When
from django.db.models.functions import Cast, Right

from records.ids import first_id_at
from webhooks.claims import INTERRUPTED
from webhooks.models import Direction, RequestLog

EXACT_ROWS: Final = 50_000
# Of which requests only those are counted whose id ends so; and how many times each then stands for.
_SHARES: Final = (("", 1), ("0", 16), ("00", 256))
CACHE_S: Final = 4.0
# An answer that took long is kept longer: no more than a fiftieth of the time goes into asking.
_CACHE_FACTOR: Final = 50


@dataclass(frozen=True, slots=True)
class Window:
    """A range of time that ends now, in cells of equal length."""

    key: str
    label: str
    cell_s: int
    cells: int

    def bounds(self, now: datetime) -> list[datetime]:
        """The bounds of the cells, one more than there are cells; the last cell holds `now`."""
        end = (int(now.timestamp()) // self.cell_s + 1) * self.cell_s
        first = end - self.cells * self.cell_s
        return [
            datetime.fromtimestamp(first + number * self.cell_s, tz=UTC)
            for number in range(self.cells + 1)
        ]


WINDOWS: Final = {
    window.key: window
    for window in (
        Window("1h", "the last hour", cell_s=120, cells=30),
        Window("24h", "the last 24 hours", cell_s=1800, cells=48),
        Window("7d", "the last 7 days", cell_s=4 * 3600, cells=42),
    )
}

_DELIVERED, _FAILED, _UNKNOWN = range(3)


def _bin_bounds() -> list[int]:
    """Milliseconds: 1, 2, 3 … and from 10 on about a fifth more each time, past the longest timeout."""
    bounds = list(range(1, 11))
    while bounds[-1] < 300_000:
        bounds.append(round(bounds[-1] * 1.2))
    return bounds


BIN_BOUNDS: Final = _bin_bounds()


@dataclass(frozen=True, slots=True)
class Cell:
    """What was sent in one stretch of time."""

    start: datetime
    delivered: int
    failed: int
    unknown: int
    p50_ms: int | None
    p95_ms: int | None


@dataclass(frozen=True, slots=True)
class Deliveries:
    """What was sent in a window. `is_estimate`: counted from a random share."""

    window: Window
    cells: Sequence[Cell]
    p95_ms: int | None
    is_estimate: bool

    @property
    def delivered(self) -> int:
        return sum(cell.delivered for cell in self.cells)

    @property
    def failed(self) -> int:
        return sum(cell.failed for cell in self.cells)

    @property
    def unknown(self) -> int:
        return sum(cell.unknown for cell in self.cells)

    @property
    def total(self) -> int:
        return self.delivered + self.failed + self.unknown

    @property
    def failure_rate(self) -> float | None:
        """The share of requests that did not succeed; None when there were none."""
        return (self.failed + self.unknown) / self.total if self.total else None


def deliveries(window: Window, now: datetime) -> Deliveries:
    """What was sent in the window, from memory when that was asked a moment ago."""
    key = f"deliveries-{window.key}"
    kept: Deliveries | None = cache.get(key)
    if kept is not None:
        return kept
    began = time.monotonic()
    found = count_deliveries(window, now)
    cache.set(key, found, max(CACHE_S, _CACHE_FACTOR * (time.monotonic() - began)))
    return found


def count_deliveries(window: Window, now: datetime) -> Deliveries:
    """What was sent in the window, in two queries."""
    bounds = window.bounds(now)
    rows = RequestLog.objects.filter(pk__gte=first_id_at("req", bounds[0])).order_by()
    ending, weight = _share(rows)
    counts = _count(rows.filter(direction=Direction.OUT), bounds, ending)
    return _summarise(window, bounds, counts, weight)


def _share(rows: QuerySet[RequestLog]) -> tuple[str, int]:
    """How many of the rows to look at: all, or those whose id ends so."""
    cap = EXACT_ROWS * _SHARES[1][1]
    count = rows[: cap + 1].count()  # along the primary key, without touching the rows
    return _SHARES[0 if count <= EXACT_ROWS else 1 if count <= cap else 2]


def _count(
    rows: QuerySet[RequestLog], bounds: Sequence[datetime], ending: str
) -> Iterable[dict[str, Any]]:
    if ending:
        end = Right(Cast("pk", CharField()), len(ending))
        rows = rows.alias(end=end).filter(end=ending)
    counts: Iterable[Any] = (
        rows.annotate(cell=_cell_of(bounds), outcome=_outcome(), bin=_bin())
        .values("cell", "outcome", "bin")
        .annotate(count=Count("pk"))
    )
    return counts


def _cell_of(bounds: Sequence[datetime]) -> Case:
    """The number of a row's cell, by its id. The newest cells come first, for that is where most is asked."""
    return Case(
        *(
            When(pk__gte=first_id_at("req", bounds[number]), then=Value(number))
            for number in range(len(bounds) - 2, 0, -1)
        ),
        default=Value(0),
        output_field=IntegerField(),
    )


def _outcome() -> Case:
    """Succeeded is 200 to 299, whatever a single webhook says; an interruption is neither."""
    return Case(
        When(error_kind=INTERRUPTED, then=Value(_UNKNOWN)),
        When(error_kind="", status_code__gte=200, status_code__lt=300, then=Value(_DELIVERED)),
        default=Value(_FAILED),
        output_field=IntegerField(),
    )


def _bin() -> Case:
    """The number of the latency's bin; null when there was no answer whose time could be told."""
    return Case(
        When(status_code=None, then=Value(None)),
        *(
            When(duration_ms__lte=bound, then=Value(number))
            for number, bound in enumerate(BIN_BOUNDS)
        ),
        default=Value(len(BIN_BOUNDS) - 1),
        output_field=IntegerField(),
    )


def _summarise(
    window: Window, bounds: Sequence[datetime], counts: Iterable[dict[str, Any]], weight: int
) -> Deliveries:
    outcomes: list[list[int]] = [[0, 0, 0] for _ in range(window.cells)]
    latencies: list[Counter[int]] = [Counter() for _ in range(window.cells)]
    for row in counts:
        outcomes[row["cell"]][row["outcome"]] += weight * row["count"]
        if row["bin"] is not None:
            latencies[row["cell"]][row["bin"]] += row["count"]
    cells = [
        Cell(
            start=bounds[number],
            delivered=outcomes[number][_DELIVERED],
            failed=outcomes[number][_FAILED],
            unknown=outcomes[number][_UNKNOWN],
            p50_ms=percentile_ms(latencies[number], 0.5),
            p95_ms=percentile_ms(latencies[number], 0.95),
        )
        for number in range(window.cells)
    ]
    whole = sum(latencies, Counter())
    return Deliveries(window, cells, percentile_ms(whole, 0.95), is_estimate=weight > 1)


def percentile_ms(latencies: Counter[int], share: float) -> int | None:
    """A percentile from bins: the bin that holds it, and as far into it as its rank is; None of nothing."""
    total = latencies.total()
    if not total:
        return None
    rank = share * total
    below = 0
    for number in sorted(latencies):
        count = latencies[number]
        if below + count >= rank:
            low = BIN_BOUNDS[number - 1] if number else 0
            return round(low + (BIN_BOUNDS[number] - low) * (rank - below) / count)
        below += count
    return BIN_BOUNDS[max(latencies)]


def default_window(now: datetime) -> Window:
    """The shortest range that shows everything there is, for a young installation; else a day."""
    hour_ago = first_id_at(
        "req", now - timedelta(seconds=WINDOWS["1h"].cell_s * WINDOWS["1h"].cells)
    )
    older = RequestLog.objects.filter(pk__lt=hour_ago).order_by()
    return WINDOWS["24h" if older.exists() else "1h"]
