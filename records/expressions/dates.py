"""Dates in expressions.

A text in ISO 8601 form is taken wherever a date is; without a time zone it is UTC.
"""

from __future__ import annotations

import re
from calendar import monthrange
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from .errors import Problem, suggest
from .limits import Scope
from .values import describe, kind, need_integer, need_number, need_text, refuse_symbol

MAX_FORMAT = 200  # characters of a date format

SECONDS: Final = {"second": 1, "minute": 60, "hour": 3600, "day": 86_400, "week": 604_800}
MONTHS: Final = {"month": 1, "quarter": 3, "year": 12}
DAY_UNITS: Final = {"day": 1, "week": 7}

# Only these, one at a time: the C library also takes widths, and would pad to any of them.
DIRECTIVE = re.compile(r"%(-?)(.?)", re.DOTALL)
DIRECTIVES: Final = frozenset("aAbBdfGHIjmMpSuUVwWyYzZ")
SHORTHANDS: Final = {"F": "%Y-%m-%d", "T": "%H:%M:%S", "R": "%H:%M", "D": "%m/%d/%y"}


def read(text: str) -> date | datetime | None:
    """Read a date, or a date and time, in ISO 8601 form; None when it is neither."""
    text = text.strip()
    if not 8 <= len(text) <= 40:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        pass
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def need_date(value: object) -> date | datetime:
    """Take a date, a date and time, or the text of one; a datetime comes with its time zone."""
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=UTC)
    if isinstance(value, date):
        return value
    refuse_symbol(value)
    found = read(value) if isinstance(value, str) else None
    if found is None:
        raise Problem(f"a date is needed here (2025-01-31, say), not {describe(value)}")
    return found


def moment_of(value: object) -> datetime:
    """Take a date as a moment: the beginning of that day in UTC."""
    found = need_date(value)
    if isinstance(found, datetime):
        return found
    return datetime.combine(found, time(), UTC)


def unit_of(unit: object) -> str:
    """Take the name of a unit, in singular or plural."""
    known = (*SECONDS, *MONTHS)
    name = need_text(unit).strip().lower()
    for singular in (name, name.removesuffix("s")):
        if singular in known:
            return singular
    message, _ = suggest(f"unknown unit `{name[:40]}`", name, [f"{word}s" for word in known])
    raise Problem(f"{message} (seconds, minutes, hours, days, weeks, months, quarters, years)")


def add_months(start: date, months: int) -> date:
    """Move a date by months, to the last day of a month that is too short."""
    year, month = divmod(start.year * 12 + start.month - 1 + months, 12)
    if not date.min.year <= year <= date.max.year:
        raise OverflowError
    return start.replace(
        year=year, month=month + 1, day=min(start.day, monthrange(year, month + 1)[1])
    )


def date_add(scope: Scope, date: object, n: object, unit: object = "days") -> date | datetime:
    """Move a date by a number of units; a date stays a date unless moved by hours or less."""
    start = need_date(date)
    name = unit_of(unit)
    try:
        if name in MONTHS:
            return add_months(start, need_integer(n) * MONTHS[name])
        if name in DAY_UNITS and not isinstance(start, datetime):
            return start + timedelta(days=need_integer(n) * DAY_UNITS[name])
        return moment_of(start) + timedelta(seconds=float(need_number(n)) * SECONDS[name])
    except OverflowError:
        raise Problem("this date would be before the year 1 or after the year 9999") from None


def months_between(early: datetime, late: datetime) -> int:
    """Count the whole months from one moment to a later one."""
    months = (late.year - early.year) * 12 + late.month - early.month
    return months - 1 if months and add_months(early, months) > late else months


def date_diff(scope: Scope, a: object, b: object, unit: object = "days") -> int:
    """Count the whole units from b to a: positive when a is the later one."""
    end, start = moment_of(a).astimezone(UTC), moment_of(b).astimezone(UTC)
    name = unit_of(unit)
    early, late, sign = (start, end, 1) if end >= start else (end, start, -1)
    if name in MONTHS:
        return sign * (months_between(early, late) // MONTHS[name])
    return sign * ((late - early) // timedelta(seconds=SECONDS[name]))


def zone_of(name: object) -> ZoneInfo:
    """Take the name of a time zone, such as Europe/Berlin."""
    text = need_text(name)
    try:
        return ZoneInfo(text)
    except (ValueError, OSError, LookupError):
        raise Problem(f"unknown time zone `{text[:40]}`; write it like Europe/Berlin") from None


def format_date(scope: Scope, d: object, fmt: object = "%Y-%m-%d", zone: object = None) -> str:
    """Write a date by a format like `%d.%m.%Y %H:%M`; `%-d` leaves out the leading zero.

    The time is in UTC, or in the time zone named.
    """
    moment = moment_of(d)
    if zone is not None and isinstance(need_date(d), datetime):
        moment = moment.astimezone(zone_of(zone))
    pattern = need_text(fmt)
    if len(pattern) > MAX_FORMAT:
        raise Problem(f"this date format is too long; the limit is {MAX_FORMAT} characters")

    def write(match: re.Match[str]) -> str:
        bare, letter = match.groups()
        if letter == "%":
            return "%"
        if letter in SHORTHANDS and not bare:
            return DIRECTIVE.sub(write, SHORTHANDS[letter])
        if letter not in DIRECTIVES or not letter:
            raise Problem(f"a date format has no `{match[0]}`; use for example %Y-%m-%d %H:%M")
        if letter == "Y":  # four digits always, which the C library leaves open
            return f"{moment.year:04d}"
        part = moment.strftime(f"%{letter}")
        return part.lstrip("0") or "0" if bare else part

    return DIRECTIVE.sub(write, pattern)


def parse_date(scope: Scope, text: object, fmt: object = None) -> date | datetime:
    """Read a text as date, in ISO form or by a format like `%d.%m.%Y`."""
    if fmt is None:
        return need_date(text)
    pattern, source = need_text(fmt), need_text(text)
    if len(pattern) > MAX_FORMAT or len(source) > MAX_FORMAT:
        raise Problem(f"too long for a date; the limit is {MAX_FORMAT} characters")
    try:
        moment = datetime.strptime(source.strip(), pattern)  # noqa: DTZ007 (the zone is set below)
    except (ValueError, re.error):
        shown = describe(source)
        raise Problem(f"{shown} is not a date of the form `{pattern}`") from None
    if not re.search(r"%[HIMSfpzZcXT]", pattern):
        return moment.date()
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


PARTS: Final = frozenset({"year", "month", "day", "hour", "minute", "second"})


def part_of(value: date, name: str) -> int:
    """Give the year, month, day, hour, minute or second; the time parts in UTC."""
    if not isinstance(value, datetime):
        if name in {"hour", "minute", "second"}:
            raise Problem(f"this is {kind(value)} without a time, so it has no `{name}`")
        return int(getattr(value, name))
    return int(getattr(moment_of(value).astimezone(UTC), name))
