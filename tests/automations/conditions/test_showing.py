"""What the trace shows of values."""

import json
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from automations.conditions import (
    compile_conditions,
)
from records.expressions import Namespace, Symbol
from tests.automations.conditions.at_hand import (
    NOW,
    either,
    facts,
    outcome,
    rule,
)


@pytest.mark.parametrize(
    ("actual", "shown"),
    [
        ("a" * 501, "a" * 499 + "…"),
        ("a" * 500, "a" * 500),
        (list(range(20)), list(range(20))),
        (list(range(100)), [*range(19), "… 81 more"]),
        ({str(n): n for n in range(21)}, {**{str(n): n for n in range(19)}, "…": "2 more"}),
        ([[[[["deep"]]]]], [[[["…"]]]]),
        (Decimal("12.50"), 12.5),
        (date(2025, 1, 31), "2025-01-31"),
        (NOW, "2025-01-15T09:30:00Z"),
        (float("inf"), "inf"),
        (Decimal("NaN"), "NaN"),
        (10**1000, "a very large number"),
        ("nul \x00, half \ud800", "nul ␀, half ?"),
        ([Symbol("§key§")], ["a secret"]),
        (Symbol("§key§"), "a secret"),
        (Namespace({"name": "Acme"}, label="Companies"), "Companies"),
    ],
)
def test_shown_values_are_short_and_json(actual: Any, shown: Any) -> None:
    assert outcome(actual, "is_not_empty")["actual"] == shown


def test_a_secret_is_never_compared_nor_shown() -> None:
    about = facts(key=Symbol("§key§"), keys=[Symbol("§key§")])
    document = either(
        rule("key", "equals", "§key§"),
        rule("key", "is_not_empty"),
        rule("keys", "contains", "§key§"),
        rule("keys", "equals", ["§key§"]),
        rule("name", "equals", "{{ record.key }}"),
        rule("name", "in", ["{{ record.key }}"]),
        rule("amount", "greater_than", "{{ record.key }}"),
    )
    conditions = compile_conditions(document)
    explained = conditions.explain(about)
    assert not conditions.passes(about)
    assert all(rule["note"] for rule in explained["rules"])
    assert "a secret" in explained["rules"][0]["actual"]
    whole = compile_conditions({"expression": "record.key"})
    assert not whole.passes(about)
    assert whole.explain(about)["note"] == "a secret can only be inserted as it is"
    document = {"expression": "record.key == 'guess' or record.key"}
    explained["expression"] = compile_conditions(document).explain(about)
    assert explained["expression"]["actuals"] == {"record.key": "a secret"}
    shown = [rule["actual"] for rule in explained["rules"]]
    assert "§key§" not in json.dumps(
        [shown, explained["rules"][4:], explained["expression"]["note"]], ensure_ascii=False
    )
