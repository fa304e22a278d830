"""Conditions in words, and the registry of operators."""

from typing import Any, get_args

import pytest

from automations.conditions import (
    OPERATORS,
    CompareType,
    describe,
)
from records.fieldkinds.base import CompareType as FieldCompareType
from tests.automations.conditions.at_hand import (
    NO,
    YES,
    either,
    every,
    rule,
)


@pytest.mark.parametrize(
    ("document", "words"),
    [
        (None, "always"),
        (every(), "always"),
        (
            every(
                rule("record.amount", "greater_than", 10_000), rule("stage", "changed_to", "Won")
            ),
            "amount is greater than 10,000 and stage changed to Won",
        ),
        (
            every(YES, either(NO, rule("note", "is_empty"))),
            "stage is won and (stage is lost or note is empty)",
        ),
        (every(either(YES, NO)), "stage is won or stage is lost"),
        (every(rule("price", "between", [0.5, 1e6])), "price is between 0.5 and 1,000,000"),
        (every(rule("stage", "in", ["a", "b", "c"])), "stage is one of a, b or c"),
        (every(rule("due", "within_next_days", 7)), "due is within the next 7 days"),
        (every(rule("due", "within_last_days", 1)), "due is within the last day"),
        (every(rule("active", "equals", True)), "active is yes"),
        (every(rule("note", "not_equals", None)), "note is not empty"),
        (every(rule("size", "less_than", 1e25)), "size is less than 1e+25"),
        (every(rule("tags", "equals", ["a"])), "tags is a"),
        (every(rule("a", "in", [float("nan"), "{{ b }}"])), "a is one of nan or {{ b }}"),
        (every(rule("a", "equals", "{{ vars.b }}")), "a is {{ vars.b }}"),
        (every(rule("a", "equals", {"b": 1})), 'a is {"b": 1}'),
        ({"expression": "record.a > 1"}, "record.a > 1"),
        (every(rule("a", "eqals", 1)), "conditions with mistakes in them"),
        ("nonsense", "conditions with mistakes in them"),
    ],
)
def test_conditions_in_words(document: Any, words: str) -> None:
    assert describe(document) == words


def test_words_are_not_endless() -> None:
    assert len(describe(every(*[rule("name", "equals", "x" * 400)] * 200))) == 500


def test_every_operator_of_the_reference_is_there() -> None:
    wanted = (
        "equals not_equals contains not_contains starts_with ends_with is_empty is_not_empty greater_than"
        " less_than in not_in greater_or_equal less_or_equal between matches changed changed_to changed_from"
        " was length longer_than shorter_than within_last_days within_next_days"
    )
    assert set(OPERATORS) == set(wanted.split())
    assert all(operator.label and operator.suits for operator in OPERATORS.values())


def test_the_types_are_those_of_fields() -> None:
    assert get_args(CompareType) == get_args(FieldCompareType)
