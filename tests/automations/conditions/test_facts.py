"""Paths into what conditions are about."""

from typing import Any

import pytest

from automations.conditions import (
    Facts,
    compile_conditions,
)
from records.expressions import Namespace, Reference
from tests.automations.conditions.at_hand import (
    NO_VALUE,
    NOW,
    every,
    facts,
    rule,
)
from webhooks.payloads import OnDemand


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("amount", 12_000),
        ("record.amount", 12_000),
        ("previous.amount", 10),
        ("extra.size.w", 3),
        ("record.extra.list.1", 2),
        ("actor.email", "ada@example.org"),
        ("webhook.body.email", "a@b.example"),
        ("webhook.body.items.1.sku", "x2"),
        ("steps.lookup.response.id", 42),
        ("vars.limit", 10_000),
        ("company.name", "Acme"),
        ("record.company", "rec_1"),
        ("actor", "usr_1"),
        ("now.year", 2025),
    ],
)
def test_paths_lead_through_all_that_expressions_see(path: str, value: Any) -> None:
    company = OnDemand({"id": "rec_1", "name": lambda: "Acme"}, label="Companies")
    conditions = compile_conditions(every(rule(path, "equals", value)))
    assert conditions.passes(facts(company=company))
    assert conditions.passes(facts(company=Reference("rec_1", lambda: company)))


def test_what_is_linked_is_looked_up_only_for_what_is_behind_it() -> None:
    def gone() -> Namespace:
        raise AssertionError("nobody asked for more than the id")

    about = facts(company=Reference("rec_1", gone))
    for asked in (rule("company", "in", ["rec_1"]), rule("company", "starts_with", "REC_")):
        assert compile_conditions(every(asked)).explain(about)["rules"][0]["actual"] == "rec_1"
        assert compile_conditions(every(asked)).passes(about)


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("name.first", "`record.name` is text, so it has no `first`"),
        ("actor.nmae", "`actor` has no field `nmae`"),
        ("tags.first", "`record.tags` is a list, so it has no `first`"),
    ],
)
def test_paths_that_lead_nowhere_say_so(path: str, message: str) -> None:
    explained = compile_conditions(every(rule(path, "is_empty"))).explain(facts())["rules"][0]
    assert explained["passed"] is False
    assert message in explained["note"]


def test_a_bare_name_without_a_record_is_unknown() -> None:
    explained = compile_conditions(every(rule("amount", "is_empty"))).explain(Facts({}, NOW))
    assert explained["rules"][0]["note"] == "unknown name `amount`"


def test_values_are_looked_up_once_for_all_conditions() -> None:
    asked = []

    def company() -> str:
        asked.append(1)
        return "Acme"

    about = facts()
    about.context["record"] = OnDemand({"company": company}, label="Leads")
    for operator in ("equals", "contains", "starts_with", "is_not_empty"):
        value = NO_VALUE if operator == "is_not_empty" else "Acme"
        conditions = compile_conditions(every(rule("company", operator, value)))
        assert conditions.passes(about)
        assert conditions.explain(about)["passed"]
    assert len(asked) == 1


def test_what_a_value_on_demand_raises_is_not_taken_for_no() -> None:
    def broken() -> str:
        raise ConnectionError("the database is away")

    about = facts()
    about.context["record"] = OnDemand({"company": broken}, label="Leads")
    with pytest.raises(ConnectionError):
        compile_conditions(every(rule("company", "is_empty"))).passes(about)
