"""When a date becomes due: some time before or after it. Pure."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Final, Protocol

from automations.ticks import resolve, zone_of

UNITS: Final = ("minutes", "hours", "days", "weeks")


class Offset(Protocol):
    """So many `unit` `direction` ("before", "after") a date. `at` (HH:MM) is when a day begins to count;
    days go by the clock on the wall of `timezone`."""

    @property
    def amount(self) -> int: ...
    @property
    def unit(self) -> str: ...
    @property
    def direction(self) -> str: ...
    @property
    def at(self) -> str: ...
    @property
    def timezone(self) -> str: ...


def due_moment(value: object, offset: Offset) -> datetime | None:
    """The moment (UTC) that a stored date, or date and time, stands for; None where there is none."""
    zone = zone_of(offset.timezone)
    try:
        local = _wall_time(value, offset)
        if local is None:
            return None
        step = timedelta(
            **{offset.unit: -offset.amount if offset.direction == "before" else offset.amount}
        )
        if offset.unit in ("days", "weeks"):
            naive = local.astimezone(zone).replace(tzinfo=None) if local.tzinfo else local
            return resolve(naive + step, zone)
        return (local if local.tzinfo else resolve(local, zone)) + step
    except (ValueError, OverflowError):  # no date, or out of the calendar
        return None


def _wall_time(value: object, offset: Offset) -> datetime | None:
    """A moment in UTC; of a day its `at`, without a time zone."""
    if not isinstance(value, str) or len(value) > 50:
        return None
    if len(value) == len("2026-01-31"):
        return datetime.combine(date.fromisoformat(value), time.fromisoformat(offset.at))
    moment = datetime.fromisoformat(value)
    return moment.astimezone(UTC) if moment.tzinfo else None
