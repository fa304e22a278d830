"""Short ways to ask conditions about a lead whose stage and amount were changed."""

from collections.abc import Callable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from automations.conditions import (
    CompareType,
    Facts,
    check_conditions,
    compile_conditions,
)
from records.expressions import Namespace

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2025, 1, 15, 10, 30, tzinfo=BERLIN)
NO_VALUE = object()
DEEP: Any = []
for _ in range(900):  # pytest, too, has to write it
    DEEP = [DEEP]


def context(**record: Any) -> dict[str, Any]:
    """What expressions see when a Lead's stage and amount were changed."""
    values = {
        "amount": 12_000,
        "stage": "won",
        "name": "Ada Lovelace",
        "note": None,
        "tags": ["new", "vip"],
        "due": "2025-01-31",
        "seen": "2025-01-14T23:30:00Z",
        "active": True,
        "extra": {"size": {"w": 3}, "list": [1, 2]},
        **record,
    }
    before = {**dict.fromkeys(values), "amount": 10, "stage": "new", "name": "Ada Lovelace"}
    return {
        "record": Namespace(values, label="Leads"),
        "previous": Namespace(before, label="Leads"),
        "event": Namespace({"changed": ["amount", "stage"]}, label="`event`"),
        "actor": Namespace({"id": "usr_1", "email": "ada@example.org"}, label="`actor`"),
        "webhook": {"body": {"email": "a@b.example", "items": [{"sku": "x1"}, {"sku": "x2"}]}},
        "steps": Namespace({"lookup": {"response": {"id": 42}}}, label="`steps`", noun="step"),
        "vars": Namespace({"limit": 10_000}, label="`vars`", noun="variable"),
        "now": NOW,
    }


def facts(**record: Any) -> Facts:
    return Facts(context(**record), NOW)


def rule(field: str, operator: str, value: Any = NO_VALUE) -> dict[str, Any]:
    given = {} if value is NO_VALUE else {"value": value}
    return {"field": field, "operator": operator, **given}


YES, NO = rule("stage", "equals", "won"), rule("stage", "equals", "lost")


def every(*rules: dict[str, Any]) -> dict[str, Any]:
    return {"match": "all", "rules": list(rules)}


def either(*rules: dict[str, Any]) -> dict[str, Any]:
    return {"match": "any", "rules": list(rules)}


def typed(compare_type: CompareType | None) -> Callable[[str], CompareType | None]:
    return lambda path: compare_type


def outcome(
    actual: Any, operator: str, value: Any = NO_VALUE, compare_type: CompareType | None = None
) -> dict[str, Any]:
    """What the trace says of one rule about a field with this value."""
    conditions = compile_conditions(every(rule("x", operator, value)), typed(compare_type))
    about = facts(x=actual)
    explained: dict[str, Any] = conditions.explain(about)["rules"][0]
    assert conditions.passes(about) is explained["passed"]
    return explained


def holds(
    actual: Any, operator: str, value: Any = NO_VALUE, compare_type: CompareType | None = None
) -> bool:
    """Whether one rule holds; fails when it can't be decided."""
    explained = outcome(actual, operator, value, compare_type)
    assert explained["note"] == ""
    return bool(explained["passed"])


def mistakes(document: Any, **options: Any) -> dict[str, str]:
    return {mistake.path: mistake.message for mistake in check_conditions(document, **options)}
