"""When a schedule ticks: cron with a time zone, or an interval. Pure.

A cron is matched against the clock on the wall. A tick in the hour that is skipped in spring comes once, as much
later as the clocks go forward; one in the hour that comes twice in autumn comes once, in its first pass. A cron for
every hour of the day goes by real time instead: it skips nothing and ticks in both passes, as Vixie's cron does.
Intervals of minutes and hours are elapsed time, those of days and weeks go by the clock on the wall.
"""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache, partial
from itertools import islice
from typing import Final, Protocol
from zoneinfo import ZoneInfo, available_timezones

from croniter import CroniterBadDateError, CroniterError, croniter

# Where intervals are counted from, unless the schedule says: a Monday.
FIRST_DAY: Final = date(2000, 1, 3)
UNITS: Final = ("minutes", "hours", "days", "weeks")
_CRON_FIELDS: Final = ("minute", "hour", "day of the month", "month", "day of the week")
_ALIASES: Final = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}
_DAY: Final = timedelta(days=1)


class Timetable(Protocol):
    """`cron`, five fields; or, where that is empty, `every` so many `unit` from `start` (a date) at `at` (HH:MM)."""

    @property
    def cron(self) -> str: ...
    @property
    def every(self) -> int | None: ...
    @property
    def unit(self) -> str: ...
    @property
    def at(self) -> str: ...
    @property
    def start(self) -> date | None: ...
    @property
    def timezone(self) -> str: ...


class TimetableError(ValueError):
    """What is wrong with a timetable, in words. `field`: its name."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


def next_ticks(timetable: Timetable, after: datetime, count: int = 1) -> list[datetime]:
    """The next moments (UTC), all later than `after`; fewer when there are no more. Raises TimetableError."""
    return list(islice(upcoming(timetable, after), count))


def upcoming(timetable: Timetable, after: datetime) -> Iterator[datetime]:
    """Every tick after a moment, in order."""
    zone = zone_of(timetable.timezone)
    following = (
        _WallCron(timetable.cron, zone).after
        if timetable.cron
        else partial(_next_of_interval, timetable, zone)
    )
    moment: datetime | None = after.astimezone(UTC)
    while moment is not None:
        try:
            moment = following(moment)
        except OverflowError:  # the end of the calendar
            return
        if moment is not None:
            yield moment


def zone_of(name: str) -> ZoneInfo:
    """Raises TimetableError for a name that no time zone has."""
    if name not in _zones():
        raise TimetableError(
            "timezone", f"There is no time zone “{name[:60]}”{_nearest_zone(name)}."
        )
    return ZoneInfo(name)


def check_cron(text: str) -> None:
    """Raises TimetableError, saying which part is wrong."""
    parts = _fields(text)
    for place, part in enumerate(parts):
        alone = ["*"] * 5
        alone[place] = part
        try:
            croniter(" ".join(alone), datetime(2000, 1, 1, tzinfo=UTC))
        except (CroniterError, ValueError, KeyError, TypeError):
            raise TimetableError(
                "cron", f"“{part[:40]}” is no {_CRON_FIELDS[place]}; write {_RANGES[place]}."
            ) from None
    try:
        _cron(text, datetime(2000, 1, 1, tzinfo=UTC)).get_next(datetime)
    except CroniterBadDateError:
        raise TimetableError("cron", f"No day of any year fits “{text.strip()[:60]}”.") from None
    except (CroniterError, ValueError, KeyError, TypeError):
        raise TimetableError("cron", f"“{text.strip()[:60]}” can't be read as a cron.") from None


def resolve(naive: datetime, zone: ZoneInfo, fold: int = 0) -> datetime:
    """A time on the wall as a moment. One that is skipped is as much later as the clocks go forward."""
    return naive.replace(tzinfo=zone, fold=fold).astimezone(UTC)


# --- Cron -------------------------------------------------------------------------------------------

_RANGES: Final = (
    "0–59, * or */15",
    "0–23, * or */6",
    "1–31, * or L for the last one",
    "1–12, JAN–DEC or *",
    "0–7 (0 and 7 are Sunday), SUN–SAT or *",
)
_ALLOWED: Final = re.compile(r"[0-9A-Za-z*/,#-]+\Z")


def _fields(text: str) -> list[str]:
    """The five parts of a cron. Raises TimetableError."""
    text = text.strip()
    parts = _ALIASES.get(text.lower(), text).split()
    if len(parts) != 5:
        raise TimetableError(
            "cron",
            f"A cron has five parts: {', '.join(_CRON_FIELDS)}; “{text[:60]}” has {len(parts)}. "
            "“0 9 * * 1” is every Monday at 09:00.",
        )
    for place, part in enumerate(parts):
        # H and R are croniter's own: times that nobody can foresee.
        if not _ALLOWED.match(part) or re.match(r"[hr]($|[/(])", part, re.IGNORECASE):
            raise TimetableError(
                "cron", f"“{part[:40]}” is no {_CRON_FIELDS[place]}; write {_RANGES[place]}."
            )
    return parts


def _cron(text: str, start: datetime) -> croniter:
    return croniter(" ".join(_fields(text)), start)


class _WallCron:
    """A cron on the clock of one place."""

    def __init__(self, text: str, zone: ZoneInfo) -> None:
        # The hours on the wall are counted as if they were UTC's: croniter knows nothing of changing clocks.
        self._wall = _cron(text, datetime(2000, 1, 1, tzinfo=UTC))
        self._zone = zone
        hours = self._wall.expanded[1]
        self._is_for_every_hour = hours == ["*"] or len(set(hours)) == 24

    def after(self, after: datetime) -> datetime | None:
        """The earliest moment that a time on the wall, as the cron has it, stands for.

        Around a change of the clocks, times on the wall and moments are not in the same order: the search begins
        earlier by as much as the clocks are moved, and ends when nothing earlier can come.
        """
        zone = self._zone
        local = after.astimezone(zone).replace(tzinfo=None)
        begin = local - _shift(zone, after) - timedelta(microseconds=1)
        self._wall.set_current(begin.replace(tzinfo=UTC), force=True)
        best: datetime | None = None
        slack = timedelta()
        while (naive := self._next_on_wall()) is not None:
            if best is not None and resolve(naive, zone) - slack >= best:
                break
            for moment in self._moments(naive):
                if moment > after and (best is None or moment < best):
                    best, slack = moment, _shift(zone, moment)
        return best

    def _next_on_wall(self) -> datetime | None:
        try:
            found: datetime = self._wall.get_next(datetime)
        except CroniterError:  # no more
            return None
        return found.replace(tzinfo=None)

    def _moments(self, naive: datetime) -> Iterator[datetime]:
        first = resolve(naive, self._zone)
        yield first
        if self._is_for_every_hour and (second := resolve(naive, self._zone, 1)) > first:
            yield second


def _shift(zone: ZoneInfo, moment: datetime) -> timedelta:
    """By how much the clocks are moved within a day of this moment."""
    offsets = [
        (moment + step).astimezone(zone).utcoffset() or timedelta()
        for step in (-_DAY, timedelta(), _DAY)
    ]
    return max(offsets) - min(offsets)


# --- Intervals --------------------------------------------------------------------------------------


def _next_of_interval(timetable: Timetable, zone: ZoneInfo, after: datetime) -> datetime:
    first = datetime.combine(timetable.start or FIRST_DAY, time.fromisoformat(timetable.at))
    every = timetable.every or 1
    if timetable.unit in ("minutes", "hours"):
        anchor = resolve(first, zone)
        step = timedelta(**{timetable.unit: every})
        return anchor + max(0, (after - anchor) // step + 1) * step
    step = timedelta(**{timetable.unit: every})
    local = after.astimezone(zone).replace(tzinfo=None)
    # One before: what is skipped by the clocks comes a little later than its time on the wall.
    number = max(0, (local - first) // step - 1)
    while (moment := resolve(first + number * step, zone)) <= after:
        number += 1
    return moment


@lru_cache(maxsize=1)
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def _nearest_zone(name: str) -> str:
    wanted = name.strip().replace(" ", "_").casefold()
    for zone in sorted(_zones()):
        if wanted and wanted in (zone.casefold(), zone.rpartition("/")[2].casefold()):
            return f"; did you mean “{zone}”"
    return "; write one such as Europe/Berlin or America/New_York"
