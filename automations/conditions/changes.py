"""Tests of what the event changed: a field of the record, from one value to another."""

from typing import Any

from automations.conditions.comparing import Test
from automations.conditions.equality import matcher
from automations.conditions.facts import Facts
from automations.conditions.values import CompareType


def changed(path: str, compare_type: CompareType | None, value: Any) -> Test:
    return lambda facts: facts.changed(path)


def changed_to(path: str, compare_type: CompareType | None, value: Any) -> Test:
    matches = matcher(value, compare_type)

    def holds(facts: Facts) -> bool:
        return facts.changed(path) and matches(facts.value(path), facts.zone)

    return holds


def changed_from(path: str, compare_type: CompareType | None, value: Any) -> Test:
    was_it = was(path, compare_type, value)
    return lambda facts: facts.changed(path) and was_it(facts)


def was(path: str, compare_type: CompareType | None, value: Any) -> Test:
    """Before the event, whether or not it changed it."""
    matches = matcher(value, compare_type)
    return lambda facts: matches(facts.previous(path), facts.zone)
