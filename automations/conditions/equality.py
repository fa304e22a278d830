"""Whether a value is the one that a rule names. What is named is read once; the matcher runs for each occasion."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import date, tzinfo
from decimal import Decimal
from typing import Any

from automations.conditions.values import (
    CompareType,
    Number,
    When,
    aligned,
    identity,
    is_empty,
    number_in,
    number_of,
    truth_in,
    wanted,
    when_in,
)
from records.expressions.values import refuse_symbol

# The time zone is that of the occasion.
Matcher = Callable[[Any, tzinfo], bool]


def matcher(value: Any, compare_type: CompareType | None) -> Matcher:
    """Raises Problem when the value makes no sense for a field of this type; so may the matcher."""
    expected = wanted(value, compare_type)
    if expected is None:
        return lambda actual, zone: is_empty(actual)
    if isinstance(expected, bool):
        return _truth(expected, unanswered=False if compare_type == "boolean" else None)
    if isinstance(expected, int | float | Decimal):
        return _number(number_of(expected))
    if isinstance(expected, date):
        return _when(expected)
    if isinstance(expected, str):
        return _text(expected)
    if isinstance(expected, list | tuple) and compare_type != "json":
        return _any_order(expected)
    return _same(expected)


def _truth(expected: bool, unanswered: bool | None) -> Matcher:
    def matches(actual: Any, zone: tzinfo) -> bool:
        return (unanswered if actual is None else truth_in(actual)) is expected

    return matches


def _number(expected: Number) -> Matcher:
    def matches(actual: Any, zone: tzinfo) -> bool:
        return (actual if type(actual) is int else number_in(actual)) == expected

    return matches


def _when(expected: When) -> Matcher:
    def matches(actual: Any, zone: tzinfo) -> bool:
        when = when_in(actual)
        if when is None:
            return False
        one, other = aligned(when, expected, zone)
        return one == other

    return matches


def _text(expected: str) -> Matcher:
    def matches(actual: Any, zone: tzinfo) -> bool:
        if type(actual) is str:
            return actual == expected
        return _reads_as(actual, expected, zone)

    return matches


def _reads_as(actual: Any, expected: str, zone: tzinfo) -> bool:
    """Whether a text names what is no text itself."""
    if isinstance(actual, bool):
        return truth_in(expected) is actual
    if isinstance(actual, int | float | Decimal):
        return number_in(actual) == number_in(expected)
    if isinstance(actual, date):
        when = when_in(expected)
        return when is not None and _when(when)(actual, zone)
    return bool(identity(actual) == expected)


def _any_order(expected: Iterable[Any]) -> Matcher:
    bag = Counter(map(identity, expected))

    def matches(actual: Any, zone: tzinfo) -> bool:
        return isinstance(actual, list | tuple) and Counter(map(identity, actual)) == bag

    return matches


def _same(expected: Any) -> Matcher:
    key = identity(expected)

    def matches(actual: Any, zone: tzinfo) -> bool:
        if not isinstance(actual, list | tuple | Mapping):
            refuse_symbol(actual)
            return False
        return bool(identity(actual) == key)

    return matches
