"""Values with expressions, groups, and the one expression."""

from typing import Any

import pytest

from automations.conditions import (
    compile_conditions,
)
from tests.automations.conditions.at_hand import (
    NO,
    YES,
    either,
    every,
    facts,
    rule,
)
from webhooks.payloads import OnDemand


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (rule("amount", "greater_than", "{{ vars.limit }}"), True),
        (rule("amount", "less_than", "{{ vars.limit + 5000 }}"), True),
        (rule("name", "equals", "Ada {{ 'Lovelace' }}"), True),
        (rule("due", "less_than", "{{ date_add(now, 3, 'days') }}"), False),
        (rule("amount", "between", [1, "{{ vars.limit }}"]), False),
        (rule("stage", "in", ["{{ previous.stage }}", "won"]), True),
        (rule("stage", "in", "{{ ['lost', record.stage] }}"), True),
        (rule("tags", "equals", "{{ record.tags | reverse }}"), True),
        (rule("stage", "not_equals", "{{ previous.stage }}"), True),
        (rule("extra", "equals", {"size": {"w": "{{ 1 + 2 }}"}, "list": [1, 2]}), True),
    ],
)
def test_a_value_may_be_worked_out(rule: dict[str, Any], expected: bool) -> None:
    assert compile_conditions(every(rule)).passes(facts()) is expected


def test_the_trace_has_a_worked_out_value_and_where_it_comes_from() -> None:
    document = every(rule("amount", "less_than", "{{ vars.limit }}"))
    assert compile_conditions(document).explain(facts())["rules"][0] == {
        "field": "amount",
        "operator": "less_than",
        "value": 10_000,
        "template": "{{ vars.limit }}",
        "actual": 12_000,
        "passed": False,
        "note": "",
    }


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        (None, True),
        ({}, True),
        ({"match": "all", "rules": []}, True),
        ({"rules": [YES]}, True),
        (every(YES, NO), False),
        (either(YES, NO), True),
        (either(NO, NO), False),
        (every(YES, either(NO, every(YES, YES))), True),
        (either(NO, every(YES, either(NO))), False),
        ({"expression": "record.amount > 10000 and previous.stage != record.stage"}, True),
        ({"expression": "{{ record.amount > 20000 }}"}, False),
        ({"expression": "record.note"}, False),
    ],
)
def test_groups_nest_and_an_expression_stands_alone(document: Any, expected: bool) -> None:
    conditions = compile_conditions(document)
    assert conditions.passes(facts()) is expected
    assert conditions.explain(facts())["passed"] is expected


def test_no_more_rules_are_looked_at_than_needed_but_all_are_explained() -> None:
    asked = []
    about = facts()
    about.context["record"] = OnDemand({"stage": "won", "company": lambda: asked.append(1)})
    conditions = compile_conditions(every(NO, rule("company", "is_empty")))
    assert not conditions.passes(about)
    assert not asked
    assert [rule["passed"] for rule in conditions.explain(about)["rules"]] == [False, True]


def test_the_trace_is_the_tree_of_the_document() -> None:
    document = every(
        rule("amount", "greater_than", 20_000), either(rule("stage", "changed_to", "won"))
    )
    assert compile_conditions(document).explain(facts()) == {
        "match": "all",
        "passed": False,
        "rules": [
            {
                "field": "amount",
                "operator": "greater_than",
                "value": 20_000,
                "actual": 12_000,
                "passed": False,
                "note": "",
            },
            {
                "match": "any",
                "passed": True,
                "rules": [
                    {
                        "field": "stage",
                        "operator": "changed_to",
                        "value": "won",
                        "actual": "won",
                        "previous": "new",
                        "passed": True,
                        "note": "",
                    }
                ],
            },
        ],
    }


def test_the_trace_of_an_expression_has_what_it_read() -> None:
    source = "record.amount > vars.limit and actor.email"
    assert compile_conditions({"expression": source}).explain(facts()) == {
        "expression": source,
        "passed": True,
        "note": "",
        "actuals": {
            "actor.email": "ada@example.org",
            "record.amount": 12_000,
            "vars.limit": 10_000,
        },
    }


def test_an_expression_that_cannot_be_worked_out_is_false_with_a_note() -> None:
    conditions = compile_conditions({"expression": "record.name > 5 or nothing"})
    explained = conditions.explain(facts())
    assert not conditions.passes(facts())
    assert explained["passed"] is False
    assert "can't compare text with a number by size" in explained["note"]
    assert explained["actuals"] == {"record.name": "Ada Lovelace"}
