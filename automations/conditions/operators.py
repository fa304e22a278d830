"""The operators of rules, in the order in which people choose from them."""

import operator
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from automations.conditions import changes, comparing, searching
from automations.conditions.comparing import Build
from automations.conditions.values import CompareType
from records.expressions.errors import Problem
from records.expressions.values import describe, kind

# What stands in a rule's `value`. one: any JSON (a list only where the field is one). text, pattern: one text.
# two: a list of two. list: one or more. days, count: a whole number.
Takes = Literal["none", "one", "text", "pattern", "two", "list", "days", "count"]
Types = tuple[CompareType, ...]

MAX_VALUES: Final = 1_000  # in a list
# Stands for the value of a rule that has none.
NO_VALUE: Final = object()

EVERY: Final[Types] = ("text", "number", "boolean", "date", "datetime", "list", "json")
TEXTS: Final[Types] = ("text", "json")
SEARCHED: Final[Types] = ("text", "list", "json")
# A text may hold a number or a date.
SIZED: Final[Types] = ("number", "date", "datetime", "text", "json")
DATED: Final[Types] = ("date", "datetime", "text", "json")
LISTED: Final[Types] = ("text", "number", "date", "datetime", "list", "json")


@dataclass(frozen=True, slots=True)
class Operator:
    """One way to look at a field. `label` stands between field and value; `hint` is for who chooses.

    `suits`: the types of fields that it makes sense for. `is_about_changes`: it asks for what was before, which
    is known of the record's fields only.
    """

    label: str
    build: Build
    takes: Takes = "one"
    suits: Types = EVERY
    hint: str = ""
    is_about_changes: bool = False


_ANY_CASE: Final = "Upper and lower case are the same."
_WITH_ENTRIES: Final = f"{_ANY_CASE} Of a list: one of its entries is this."
_LETTER: Final = "To the letter; lists in any order."

OPERATORS: Final[Mapping[str, Operator]] = {
    "equals": Operator("is", comparing.equals, hint=_LETTER),
    "not_equals": Operator("is not", comparing.negated(comparing.equals), hint=_LETTER),
    "contains": Operator("contains", searching.contains, "text", SEARCHED, _WITH_ENTRIES),
    "not_contains": Operator(
        "does not contain", comparing.negated(searching.contains), "text", SEARCHED, _WITH_ENTRIES
    ),
    "starts_with": Operator(
        "starts with", searching.edge(str.startswith), "text", TEXTS, _ANY_CASE
    ),
    "ends_with": Operator("ends with", searching.edge(str.endswith), "text", TEXTS, _ANY_CASE),
    "matches": Operator(
        "matches the pattern",
        searching.matches,
        "pattern",
        TEXTS,
        "A regular expression, found anywhere; ^ and $ stand for the ends, (?i) ignores case.",
    ),
    "is_empty": Operator("is empty", comparing.empty, "none"),
    "is_not_empty": Operator("is not empty", comparing.negated(comparing.empty), "none"),
    "greater_than": Operator(
        "is greater than",
        comparing.ordering(operator.gt),
        suits=SIZED,
        hint="Of dates: is after.",
    ),
    "less_than": Operator(
        "is less than", comparing.ordering(operator.lt), suits=SIZED, hint="Of dates: is before."
    ),
    "greater_or_equal": Operator("is at least", comparing.ordering(operator.ge), suits=SIZED),
    "less_or_equal": Operator("is at most", comparing.ordering(operator.le), suits=SIZED),
    "between": Operator("is between", comparing.between, "two", SIZED, "Both ends are included."),
    "in": Operator(
        "is one of", comparing.one_of, "list", LISTED, "Of a list: one of its entries is."
    ),
    "not_in": Operator(
        "is none of",
        comparing.negated(comparing.one_of),
        "list",
        LISTED,
        "Of a list: none of its entries is.",
    ),
    "changed": Operator("changed", changes.changed, "none", is_about_changes=True),
    "changed_to": Operator("changed to", changes.changed_to, is_about_changes=True),
    "changed_from": Operator("changed from", changes.changed_from, is_about_changes=True),
    "was": Operator(
        "was", changes.was, hint="Before the event, changed or not.", is_about_changes=True
    ),
    "length": Operator(
        "has the length",
        comparing.length(operator.eq),
        "count",
        SEARCHED,
        "Characters of a text, entries of a list.",
    ),
    "longer_than": Operator("is longer than", comparing.length(operator.gt), "count", SEARCHED),
    "shorter_than": Operator("is shorter than", comparing.length(operator.lt), "count", SEARCHED),
    "within_last_days": Operator(
        "is within the last days", comparing.within_days(ahead=False), "days", DATED
    ),
    "within_next_days": Operator(
        "is within the next days", comparing.within_days(ahead=True), "days", DATED
    ),
}


def check_form(chosen: Operator, value: Any) -> None:
    """Raise Problem when the value is not of the form that the operator takes."""
    if chosen.takes == "none":
        if value is not NO_VALUE and value not in (None, "", []):
            raise Problem("this takes no value; leave it out")
    elif value is NO_VALUE:
        raise Problem("add a value to compare with")
    elif chosen.takes == "two":
        if not isinstance(value, list) or len(value) != 2:
            raise Problem(f"give a list of two values ([1, 10], say), not {_listed(value)}")
    elif chosen.takes == "list":
        _check_list(value)
    elif chosen.takes != "one" and isinstance(value, list | dict):
        raise Problem(f"give one value, not {kind(value)}")


def _check_list(value: Any) -> None:
    if not isinstance(value, list) or not value:
        raise Problem(f'give a list of values (["a", "b"], say), not {_listed(value)}')
    if len(value) > MAX_VALUES:
        raise Problem(f"too many values; the limit is {MAX_VALUES:,}")


def _listed(value: Any) -> str:
    if not isinstance(value, list):
        return describe(value)
    return f"a list of {len(value)}" if value else "an empty list"
