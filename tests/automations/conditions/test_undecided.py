"""What can't be decided is false, and says so."""

import time
from typing import Any

import pytest

from automations.conditions import (
    compile_conditions,
)
from tests.automations.conditions.at_hand import (
    DEEP,
    NO_VALUE,
    every,
    facts,
    outcome,
    rule,
)


@pytest.mark.parametrize(
    ("actual", "operator", "value", "note"),
    [
        ("much", "greater_than", 10, "`x` is the text `much`, not a number"),
        (None, "less_than", 10, "`x` is empty"),
        (True, "less_than", 10, "`x` is a yes/no value, not a number"),
        ([1], "less_than", 10, "`x` is a list, not a number"),
        ("soon", "less_than", "2025-01-31", "`x` is the text `soon`, not a date"),
        (5, "within_last_days", 3, "`x` is `5`, not a date"),
        (float("nan"), "less_than", 10, "this number is too large, or not a number at all"),
        (10**200, "greater_than", 10, "this number is too large, or not a number at all"),
        (["a"], "starts_with", "a", "`x` is a list, not text"),
        ({"a": 1}, "matches", "a", "`x` is an object, not text"),
        (10, "greater_than", "{{ record.name }}", "give a number or a date"),
        (10, "greater_than", "{{ previous.note }}", "there is nothing to compare with"),
        (
            10,
            "greater_than",
            "{{ record.nmae }}",
            "Leads has no field `nmae`; did you mean `name`?",
        ),
        (10, "in", "{{ record.name }}", "give a list of values"),
        ("a" * 20_000, "matches", "(a|b|ab)*c", "takes too much work; make it simpler"),
        ("a" * 200_000, "matches", "b", "too long for a pattern"),
        ("9999-12-31T23:59:59-10:00", "less_than", "2025-01-01T10:00", "after the year 9999"),
        (["a"] * 300_000, "in", ["b"], "too many entries"),
        ([DEEP], "equals", ["a"], "more than 64 levels deep"),
    ],
)
def test_what_cannot_be_decided_is_false_and_says_why(
    actual: Any, operator: str, value: Any, note: str
) -> None:
    explained = outcome(actual, operator, value)
    assert explained["passed"] is False
    assert note in explained["note"]


@pytest.mark.parametrize("operator", ["equals", "not_equals", "is_empty", "not_in", "changed"])
def test_an_unknown_name_is_false_for_an_operator_and_its_opposite(operator: str) -> None:
    value = {"is_empty": NO_VALUE, "changed": NO_VALUE, "not_in": ["x"]}.get(operator, "x")
    conditions = compile_conditions(every(rule("nmae.x", operator, value)))
    explained = conditions.explain(facts())
    assert not conditions.passes(facts())
    assert explained["passed"] is False
    assert explained["rules"][0]["note"] == "Leads has no field `nmae`; did you mean `name`?"


@pytest.mark.parametrize(
    ("path", "note"),
    [
        ("note.text", "`record.note` is empty, so it has no `text`"),
        ("webhook.body.emial", "`webhook.body` has no `emial`; did you mean `email`?"),
        ("webhook.body.items.2.sku", "`webhook.body.items` has only 2 items, so there is no [2]"),
    ],
)
def test_what_data_may_leave_out_is_empty_with_a_note(path: str, note: str) -> None:
    explained = compile_conditions(every(rule(path, "is_empty"))).explain(facts())["rules"][0]
    assert (explained["passed"], explained["actual"], explained["note"]) == (True, None, note)


def test_a_bad_pattern_cannot_hang() -> None:
    about = facts(x="a" * 99_999)
    for pattern in ("(a+)+$b", "(a|aa)*c", "(.*a){20}c"):
        start = time.monotonic()
        assert not compile_conditions(every(rule("x", "matches", pattern))).passes(about)
        assert time.monotonic() - start < 5
