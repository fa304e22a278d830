"""Tests of what a field's value is: equal, one of several, greater, between, of a length, near to now."""

import operator
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from automations.conditions.equality import matcher
from automations.conditions.facts import Facts
from automations.conditions.values import (
    CompareType,
    Number,
    When,
    aligned,
    bound,
    day,
    instant,
    is_empty,
    number_in,
)
from records.expressions.errors import Problem
from records.expressions.values import describe

# Whether a rule holds; raises Problem when that can't be said.
Test = Callable[[Facts], bool]
# Makes the test of a rule from its field, the field's type (None: not known) and its value; raises Problem.
Build = Callable[[str, CompareType | None, Any], Test]
Compare = Callable[[Any, Any], bool]

# A rule compares each entry of a list with each of its values.
MAX_COMPARISONS: Final = 200_000
MAX_DAYS: Final = 36_500  # a hundred years
MAX_LENGTH: Final = 10_000_000


def negated(build: Build) -> Build:
    """The opposite; what can't be decided stays so."""

    def build_opposite(path: str, compare_type: CompareType | None, value: Any) -> Test:
        holds = build(path, compare_type, value)
        return lambda facts: not holds(facts)

    return build_opposite


def equals(path: str, compare_type: CompareType | None, value: Any) -> Test:
    matches = matcher(value, compare_type)
    return lambda facts: matches(facts.value(path), facts.zone)


def empty(path: str, compare_type: CompareType | None, value: Any) -> Test:
    return lambda facts: is_empty(facts.value(path))


def one_of(path: str, compare_type: CompareType | None, values: list[Any]) -> Test:
    """Whether it is one of the values; of a list, whether any entry is."""
    entry_type = None if compare_type == "list" else compare_type
    matchers = [matcher(value, entry_type) for value in values]

    def holds(facts: Facts) -> bool:
        actual, zone = facts.value(path), facts.zone
        entries = actual if isinstance(actual, list | tuple) and actual else (actual,)
        if len(entries) * len(matchers) > MAX_COMPARISONS:
            raise Problem(f"`{path}` has too many entries to compare them one by one")
        return any(matches(entry, zone) for entry in entries for matches in matchers)

    return holds


def ordering(compare: Compare) -> Build:
    """A comparison by size with a number, date or moment."""

    def build(path: str, compare_type: CompareType | None, value: Any) -> Test:
        limit = bound(value, compare_type)
        return (
            _of_when(path, limit, compare)
            if isinstance(limit, date)
            else _of_number(path, limit, compare)
        )

    return build


def _of_number(path: str, limit: Number, compare: Compare) -> Test:
    return lambda facts: compare(facts.number(path), limit)


def _of_when(path: str, limit: When, compare: Compare) -> Test:
    if not isinstance(limit, datetime):
        return lambda facts: compare(facts.day(path), limit)

    def holds(facts: Facts) -> bool:
        actual = facts.when(path)
        if isinstance(actual, datetime):
            return compare(actual, instant(limit, facts.zone))
        return compare(actual, day(limit, facts.zone))

    return holds


def between(path: str, compare_type: CompareType | None, values: list[Any]) -> Test:
    """From the first to the second, both included."""
    low, high = (bound(value, compare_type) for value in values)
    _check_range(low, high)
    from_low = ordering(operator.ge)(path, compare_type, low)
    to_high = ordering(operator.le)(path, compare_type, high)
    return lambda facts: from_low(facts) and to_high(facts)


def _check_range(low: Number | When, high: Number | When) -> None:
    if isinstance(low, date) != isinstance(high, date):
        raise Problem("give two numbers or two dates")
    if isinstance(low, date) and isinstance(high, date):
        # Where a time zone is missing, any will do to find the two in the wrong order.
        zone = getattr(low, "tzinfo", None) or getattr(high, "tzinfo", None) or UTC
        low, high = aligned(low, high, zone)
    if low > high:  # type: ignore[operator]
        raise Problem("the first value is the greater one; nothing is between them; swap them")


def length(compare: Compare) -> Build:
    """A comparison of the number of characters of a text, or of entries of a list."""

    def build(path: str, compare_type: CompareType | None, value: Any) -> Test:
        count = _whole(value, "a length", MAX_LENGTH)
        return lambda facts: compare(_size(facts, path), count)

    return build


def _size(facts: Facts, path: str) -> int:
    value = facts.value(path)
    return len(value) if isinstance(value, list | tuple | Mapping) else len(facts.text(path))


def within_days(*, ahead: bool) -> Build:
    """Near to now: moments to the second, days as days. 0 days is today, or this very moment."""

    def build(path: str, compare_type: CompareType | None, value: Any) -> Test:
        span = timedelta(days=_whole(value, "a number of days", MAX_DAYS))

        def holds(facts: Facts) -> bool:
            when = facts.when(path)
            now: When = facts.now if isinstance(when, datetime) else facts.today
            return now <= when <= now + span if ahead else now - span <= when <= now

        return holds

    return build


def _whole(value: Any, words: str, most: int) -> int:
    number = None if is_empty(value) else number_in(value)
    if number is None or number != int(number) or not 0 <= number <= most:
        shown = "nothing" if is_empty(value) else describe(value)
        raise Problem(f"give {words}, a whole number from 0 to {most:,}, not {shown}")
    return int(number)
