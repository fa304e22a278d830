"""Tests of what is in a field's value: parts of a text, entries of a list, a pattern."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from automations.conditions.comparing import Build, Test
from automations.conditions.equality import matcher
from automations.conditions.facts import Facts
from automations.conditions.values import CompareType, is_empty, text_of
from records.expressions import patterns
from records.expressions.errors import Problem
from records.expressions.limits import Scope
from records.expressions.values import refuse_symbol

# Steps of one search: some 50 ms, where an expression may take ten times as many. Other conditions wait meanwhile.
MAX_PATTERN_WORK: Final = 50_000


def contains(path: str, compare_type: CompareType | None, value: Any) -> Test:
    """A text has it in it, whatever its case; a list has it as an entry, an object as a key."""
    part = _part(value)
    folded, is_entry = part.casefold(), matcher(value, None)

    def holds(facts: Facts) -> bool:
        actual = facts.value(path)
        if isinstance(actual, list | tuple):
            zone = facts.zone
            return any(is_entry(entry, zone) for entry in actual)
        if isinstance(actual, Mapping):
            return part in actual
        return folded in facts.folded(path)

    return holds


def edge(at_edge: Callable[[str, str], bool]) -> Build:
    """A text starts or ends with it, whatever its case."""

    def build(path: str, compare_type: CompareType | None, value: Any) -> Test:
        folded = _part(value).casefold()
        return lambda facts: at_edge(facts.folded(path), folded)

    return build


def matches(path: str, compare_type: CompareType | None, value: Any) -> Test:
    """A pattern is found in the text; `records.expressions.patterns` bounds the work."""
    if not isinstance(value, str) or not value:
        raise Problem("give a pattern, such as ^[A-Z]{2}[0-9]+$")
    patterns.build(value)

    def holds(facts: Facts) -> bool:
        scope = Scope({})
        scope.work = MAX_PATTERN_WORK
        try:
            return patterns.search(scope, facts.text(path), value)
        except Problem:
            if scope.work >= 0:
                raise
        raise Problem(f"to find this pattern in `{path}` takes too much work; make it simpler")

    return holds


def _part(value: Any) -> str:
    refuse_symbol(value)
    if value is None or value == "":
        raise Problem("give what to look for")
    if is_empty(value):
        raise Problem("give what to look for; this is only space")
    return text_of(value)
