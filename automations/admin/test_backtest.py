"""A backtest as its page shows it: bars, a table behind them, what failed, and some of what was looked at."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from automations.backtests import (
    FIRED,
    HELD_BACK,
    MAX_LOOKED_AT,
    UNFIT,
    Backtest,
    Tally,
    buckets_of,
)
from records.ids import moment_of
from records.models import Record

# Of the chart, in its own units: a bar and the gap beside it.
_STEP: Final = 10
_BAR: Final = 8
_HEIGHT: Final = 100
_LISTED: Final = 8


@dataclass(frozen=True, slots=True)
class Bar:
    """One day (or hour): numbers, and where its parts are drawn."""

    label: str
    fired: int
    held_back: int
    unfit: int
    x: int
    fired_y: float
    fired_height: float
    held_y: float
    held_height: float


@dataclass(frozen=True, slots=True)
class Looked:
    """One of the samples."""

    key: str
    label: str
    moment: datetime


@dataclass(frozen=True, slots=True)
class Concerned:
    name: str
    kind: str
    count: int
    key: str


def backtest_context(backtest: Backtest, tally: Tally) -> dict[str, Any]:
    bars = _bars(tally)
    source = backtest.source(tally.window)
    return {
        "tally": tally,
        "noun": source.noun,
        "share": round(100 * backtest.share(tally)),
        "fired": tally.total(FIRED),
        "held_back": tally.total(HELD_BACK),
        "unfit": tally.total(UNFIT),
        "bars": bars,
        "chart_width": len(bars) * _STEP,
        "highest": max((bar.fired + bar.held_back for bar in bars), default=0),
        "rules": sorted(tally.rules.items(), key=lambda each: -each[1])[:_LISTED],
        "concerned": _concerned(backtest, tally),
        "samples_fired": [_looked(each) for each in tally.fired],
        "samples_held_back": [_looked(each) for each in tally.held_back],
        "has_conditions": backtest.version.has_conditions,
        "looked_back_to": _looked_back_to(tally, source.noun),
        "limit": MAX_LOOKED_AT,
        "unknown": _unknown(backtest, source.noun),
    }


def _bars(tally: Tally) -> list[Bar]:
    highest = max((sum(counts[:UNFIT]) for counts in tally.counts.values()), default=0) or 1
    bars = []
    for place, bucket in enumerate(buckets_of(tally.window, tally.days)):
        fired, held_back, unfit = tally.counts.get(bucket, (0, 0, 0))
        fired_height = round(_HEIGHT * fired / highest, 2)
        held_height = round(_HEIGHT * held_back / highest, 2)
        fired_y = _HEIGHT - fired_height
        bars.append(
            Bar(
                label=_label_of(bucket),
                fired=fired,
                held_back=held_back,
                unfit=unfit,
                x=place * _STEP + (_STEP - _BAR) // 2,
                fired_y=fired_y,
                fired_height=fired_height,
                held_y=round(fired_y - held_height, 2),
                held_height=held_height,
            )
        )
    return bars


def _label_of(bucket: str) -> str:
    day, _, hour = bucket.partition(" ")
    words = f"{date.fromisoformat(day):%b %-d}"
    return f"{words}, {hour}:00" if hour else words


def _concerned(backtest: Backtest, tally: Tally) -> list[Concerned]:
    """The records that it would have fired for most often."""
    most = sorted(tally.records.items(), key=lambda each: -each[1])[:_LISTED]
    records = Record.objects.filter(object__in=backtest.visible).select_related("object")
    found = records.in_bulk([pk for pk, _ in most])
    return [
        Concerned(str(found[pk]), found[pk].object.name, count, pk)
        for pk, count in most
        if pk in found
    ]


def _looked(sample: Sequence[str]) -> Looked:
    key, label, moment = sample
    return Looked(key, label, datetime.fromisoformat(moment))


def _looked_back_to(tally: Tally, noun: str) -> datetime | None:
    """Of events that were too many to look at all of them."""
    return moment_of(tally.cursor) if tally.is_capped and noun == "events" else None


def _unknown(backtest: Backtest, noun: str) -> list[str]:
    """What a look back can't know, in words."""
    words = []
    if noun == "records":
        words.append(
            "Records are looked at as they are now; dates that were changed since count as they are now."
        )
    elif backtest.version.trigger.has_record and not all(
        name.startswith("record.") for name in backtest.names
    ):
        words.append(
            "The record of a comment or task is looked at as it is now; the event does not tell it."
        )
    if noun != "ticks":
        words.append("Linked records are looked at as they are now, not as they were then.")
    settings = backtest.version.settings
    if settings.concurrency.mode != "parallel":
        words.append(
            "Runs that would have waited for each other, or have been left out for that, are not considered."
        )
    words.append("Quarantine, and chains of automations that were cut, are not considered either.")
    return words
