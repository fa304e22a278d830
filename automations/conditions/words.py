"""Conditions in words, for lists and summaries: "amount is greater than 10,000 and stage changed to Won"."""

import json
from decimal import Decimal
from typing import Any, Final

from automations.conditions.compiled import check_conditions
from automations.conditions.document import Formula, Group, Node, Reader, Rule
from automations.conditions.operators import OPERATORS
from automations.conditions.showing import shown
from records.expressions.errors import shorten

MAX_WORDS: Final = 500  # characters
_JOINERS: Final = {"all": " and ", "any": " or "}


def describe(document: Any) -> str:
    """At most 500 characters; what has mistakes is only said to have some."""
    if check_conditions(document):
        return "conditions with mistakes in them"
    words = _words(Reader().read(document)) or "always"
    return words if len(words) <= MAX_WORDS else words[: MAX_WORDS - 1] + "…"


def _words(node: Node, *, is_inner: bool = False) -> str:
    if isinstance(node, Rule):
        return _rule(node)
    if isinstance(node, Formula):
        return shorten(node.source)
    return _group(node, is_inner=is_inner)


def _group(group: Group, *, is_inner: bool) -> str:
    parts = [_words(member, is_inner=len(group.members) > 1) for member in group.members]
    words = _JOINERS[group.match].join(part or "always" for part in parts)
    return f"({words})" if is_inner and len(parts) > 1 else words


def _rule(rule: Rule) -> str:
    chosen = OPERATORS[rule.operator]
    name = rule.field.removeprefix("record.")
    if chosen.takes == "none":
        return f"{name} {chosen.label}"
    if chosen.takes == "days":
        return f"{name} {chosen.label.removesuffix(' days')} {_counted_days(rule.value)}"
    if chosen.takes == "two" and isinstance(rule.value, list):
        return f"{name} {chosen.label} {' and '.join(map(_value, rule.value))}"
    return f"{name} {chosen.label} {_value(rule.value)}"


def _counted_days(value: Any) -> str:
    return "day" if value == 1 else f"{_value(value)} days"


def _value(value: Any) -> str:
    if value is None or value == "" or value == []:
        return "empty"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return _number(value)
    if isinstance(value, str):
        return shorten(value) or "empty"
    if isinstance(value, list):
        *others, last = map(_value, value)
        return f"{', '.join(others)} or {last}" if others else last
    return shorten(json.dumps(shown(value), ensure_ascii=False))


def _number(number: float) -> str:
    """A float shows the digits that it has."""
    if not abs(number) < 1e20:  # or not a number at all
        return str(shown(number))
    return f"{int(number):,}" if number == int(number) else f"{Decimal(repr(number)):,f}"
