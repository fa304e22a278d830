"""Conditions: tables for each operator, then the documents, the facts, the trace, and what always holds."""

import json
import re
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, get_args
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from automations.conditions import (
    OPERATORS,
    ROOTS,
    CompareType,
    ConditionProblem,
    Facts,
    check_conditions,
    compile_conditions,
    describe,
)
from records.expressions import Namespace, Reference, Symbol
from records.fieldkinds.base import CompareType as FieldCompareType
from webhooks.payloads import OnDemand

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


# --- Operators ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("actual", "value", "compare_type", "equal"),
    [
        # Texts: to the letter.
        ("won", "won", None, True),
        ("won", "Won", None, False),
        ("won", "won ", None, False),
        ("10", "10.0", None, False),
        ("10", "10.0", "text", False),
        ("05", 5, "text", False),
        ("5", 5, "text", True),
        # Numbers: by value, however they are written.
        (10, 10.0, None, True),
        (0.1, Decimal("0.1"), None, True),
        (0.1, "0.1", "number", True),
        ("10", 10, None, True),
        (" 10.0 ", "10", "number", True),
        (10, "10", None, True),
        (10, "ten", None, False),
        (True, "yes", None, True),
        (True, "1", None, False),
        (date(2025, 1, 31), "soon", None, False),
        (["a"], "soon", None, False),
        ("ten", 10, "number", False),
        (2**53 + 1, 2**53, None, False),
        (1e15 + 0.3, 1e15, None, False),
        # Yes and no.
        (True, True, None, True),
        (True, 1, None, False),
        (1, True, None, False),
        ("true", True, None, True),
        ("No", False, "boolean", True),
        (False, "false", "boolean", True),
        (None, False, "boolean", True),
        (None, True, "boolean", False),
        (None, False, None, False),
        # Dates and moments.
        ("2025-01-31", "2025-01-31", "date", True),
        (date(2025, 1, 31), "2025-01-31", None, True),
        ("2025-01-31T10:00:00Z", "2025-01-31T11:00:00+01:00", "datetime", True),
        ("2025-01-31T10:00:00Z", "2025-01-31T11:00", "datetime", True),
        ("2025-01-30T23:30:00Z", "2025-01-31", "datetime", True),
        ("2025-01-31", "2025-01-30T23:30:00Z", "date", True),
        ("2025-01-31", "2025-02-01", "date", False),
        ("soon", "2025-02-01", "date", False),
        # Lists: in any order, but in JSON fields.
        (["a", "b"], ["b", "a"], "list", True),
        (["a", "b"], ["b", "a"], None, True),
        (["a", "b"], ["a"], "list", False),
        (["a", "a", "b"], ["a", "b", "b"], "list", False),
        ([1, 2], [2, 1], "json", False),
        ([1, {"a": [2]}], [1.0, {"a": [2]}], "json", True),
        (["a"], "a", None, False),
        ("a", ["a"], None, False),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1.0}, "json", True),
        ({"a": 1}, {"a": True}, "json", False),
        ("a", {"a": 1}, "json", False),
        ([NOW], [NOW.astimezone(UTC)], None, True),
        # Empties are equal.
        (None, "", None, True),
        ("  ", None, None, True),
        ([], None, "list", True),
        ({}, "", "json", True),
        (None, None, "date", True),
        (0, None, None, False),
        (False, "", None, False),
        (None, "x", None, False),
        (None, 0, "number", False),
        ("", [1], None, False),
    ],
)
def test_equals_compares_by_type(
    actual: Any, value: Any, compare_type: CompareType | None, equal: bool
) -> None:
    assert holds(actual, "equals", value, compare_type) is equal
    assert holds(actual, "not_equals", value, compare_type) is not equal


@pytest.mark.parametrize(
    ("actual", "operator", "value", "expected"),
    [
        ("Ada Lovelace", "contains", "LOVE", True),
        ("Straße", "contains", "STRASSE", True),
        ("Ada", "contains", "b", False),
        (None, "contains", "b", False),
        (12345, "contains", 34, True),
        (["new", "vip"], "contains", "vip", True),
        (["new", "vip"], "contains", "VIP", False),
        (["new", "vip"], "contains", "vi", False),
        ([1, 2], "contains", "2", True),
        ({"size": 1}, "contains", "size", True),
        ("Ada Lovelace", "starts_with", "ada ", True),
        ("Ada Lovelace", "starts_with", "love", False),
        ("Ada Lovelace", "ends_with", "LACE", True),
        ("Ada Lovelace", "ends_with", "ada", False),
        (None, "ends_with", "a", False),
        ("DE-1234", "matches", "^[A-Z]{2}-[0-9]+$", True),
        ("de-1234", "matches", "^[A-Z]{2}-[0-9]+$", False),
        ("de-1234", "matches", "(?i)^DE", True),
        ("order {{", "matches", r"\{%|r \{", True),
        (None, "matches", "^$", True),
        (1234, "matches", "^12", True),
    ],
)
def test_searching(actual: Any, operator: str, value: Any, expected: bool) -> None:
    assert holds(actual, operator, value) is expected


@pytest.mark.parametrize(("text", "expected"), [("Ada", False), ("Bob", True), (None, True)])
def test_not_contains_is_the_opposite_of_contains(text: str | None, expected: bool) -> None:
    assert holds(text, "not_contains", "DA") is expected


@pytest.mark.parametrize(
    ("actual", "is_empty"),
    [
        *[(value, True) for value in (None, "", " \n\t", [], {}, ())],
        *[(value, False) for value in (0, 0.0, False, "x", [None], {"a": None}, date(2025, 1, 1))],
    ],
)
def test_empty_is_nothing_blank_text_and_what_has_no_entries(actual: Any, is_empty: bool) -> None:
    assert holds(actual, "is_empty") is is_empty
    assert holds(actual, "is_not_empty") is not is_empty


LESS, SAME, MORE = "less", "same", "more"


@pytest.mark.parametrize(
    ("actual", "value", "compare_type", "order"),
    [
        (9, 10, None, LESS),
        ("10", 9, None, MORE),
        ("10", "9", None, MORE),
        ("10", "9", "text", MORE),
        (0.3, "0.30", "number", SAME),
        (Decimal("0.3"), 0.3, None, SAME),
        (2**60 + 1, 2**60, None, MORE),
        (0.1 + 0.2, 0.3, None, MORE),
        (-1, "1e3", None, LESS),
        ("2025-01-31", "2025-02-01", "date", LESS),
        ("2025-01-31", "2025-01-31", None, SAME),
        (date(2025, 2, 2), "2025-02-01", None, MORE),
        ("2025-01-31T10:00:00Z", "2025-01-31T10:59:59+01:00", "datetime", MORE),
        ("2025-01-31T10:00:00Z", "2025-01-31T10:30", "datetime", MORE),
        ("2025-01-30T23:30:00Z", "2025-01-31", "datetime", SAME),
        ("2025-01-30T22:30:00Z", "2025-01-31", "datetime", LESS),
        ("2025-01-31", "2025-01-30T23:30:00Z", "date", SAME),
        ("2025-01-31", datetime(2025, 1, 31, 23, tzinfo=UTC), None, LESS),
        # The hour that comes twice when summer ends: the second time is later.
        (
            datetime(2025, 10, 26, 2, 30, fold=1, tzinfo=BERLIN),
            datetime(2025, 10, 26, 2, 45, fold=0, tzinfo=BERLIN),
            None,
            MORE,
        ),
    ],
)
def test_sizes_of_numbers_and_dates(
    actual: Any, value: Any, compare_type: CompareType | None, order: str
) -> None:
    expected = {
        "greater_than": order == MORE,
        "less_than": order == LESS,
        "greater_or_equal": order in (MORE, SAME),
        "less_or_equal": order in (LESS, SAME),
    }
    assert {name: holds(actual, name, value, compare_type) for name in expected} == expected


@pytest.mark.parametrize(
    ("actual", "values", "expected"),
    [
        (1, [1, 3], True),
        (3, ["1", "3"], True),
        (3.01, [1, 3], False),
        ("2025-01-31", ["2025-01-01", "2025-01-31"], True),
        ("2025-01-31T22:59:00Z", ["2025-01-01", "2025-01-31"], True),
        ("2025-01-31T23:00:00Z", ["2025-01-01", "2025-01-31"], False),
    ],
)
def test_between_includes_both_ends(actual: Any, values: list[Any], expected: bool) -> None:
    assert holds(actual, "between", values) is expected


@pytest.mark.parametrize(
    ("actual", "values", "compare_type", "expected"),
    [
        ("won", ["lost", "won"], None, True),
        ("won", ["lost", "WON"], None, False),
        ("10", [9, 10], None, True),
        (10, ["9", "10.0"], "number", True),
        ("2025-01-30T23:30:00Z", ["2025-01-31"], "datetime", True),
        (["a", "b"], ["b", "c"], "list", True),
        (["a", "b"], ["c"], "list", False),
        ([], ["a"], "list", False),
        (None, ["a"], None, False),
        (None, ["a", None], None, True),
        ([], ["a", ""], "list", True),
    ],
)
def test_in_and_not_in(
    actual: Any, values: list[Any], compare_type: CompareType | None, expected: bool
) -> None:
    assert holds(actual, "in", values, compare_type) is expected
    assert holds(actual, "not_in", values, compare_type) is not expected


@pytest.mark.parametrize(
    ("actual", "size"), [("äöü", 3), ("", 0), (None, 0), (["a", "b"], 2), (1234, 4)]
)
def test_length_counts_characters_and_entries(actual: Any, size: int) -> None:
    assert holds(actual, "length", size)
    assert not holds(actual, "length", str(size + 1))
    assert holds(actual, "shorter_than", size + 1)
    assert not holds(actual, "shorter_than", size)
    assert not holds(actual, "longer_than", size)


@pytest.mark.parametrize(
    ("actual", "days", "in_last", "in_next"),
    [
        (NOW, 0, True, True),
        (NOW - timedelta(days=7), 7, True, False),
        (NOW - timedelta(days=7, seconds=1), 7, False, False),
        ((NOW + timedelta(days=7)).isoformat(), "7", False, True),
        (NOW + timedelta(days=7, seconds=1), 7, False, False),
        ("2025-01-15", 0, True, True),
        ("2025-01-14", 0, False, False),
        ("2025-01-08", 7, True, False),
        ("2025-01-07", 7, False, False),
        ("2025-01-22", 7, False, True),
        ("2025-01-23", 7, False, False),
    ],
)
def test_days_before_and_after_now(actual: Any, days: Any, in_last: bool, in_next: bool) -> None:
    assert holds(actual, "within_last_days", days) is in_last
    assert holds(actual, "within_next_days", days) is in_next


def test_today_is_that_of_the_time_zone_of_now() -> None:
    conditions = compile_conditions(every(rule("due", "within_last_days", 0)))
    late = datetime(2025, 1, 14, 23, 30, tzinfo=UTC)
    values = context(due="2025-01-15")
    assert conditions.passes(Facts(values, late.astimezone(BERLIN)))
    assert not conditions.passes(Facts(values, late))


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (rule("stage", "changed"), True),
        (rule("record.stage", "changed"), True),
        (rule("name", "changed"), False),
        (rule("stage", "changed_to", "won"), True),
        (rule("stage", "changed_to", "new"), False),
        (rule("name", "changed_to", "Ada Lovelace"), False),
        (rule("stage", "changed_from", "new"), True),
        (rule("stage", "changed_from", "won"), False),
        (rule("name", "changed_from", "Ada Lovelace"), False),
        (rule("amount", "was", "10.0"), True),
        (rule("amount", "was", 12_000), False),
        (rule("name", "was", "Ada Lovelace"), True),
        (rule("note", "was", None), True),
        (rule("previous.amount", "less_than", 11), True),
        # The event lists the names of fields, so what is inside of one is compared.
        (rule("extra.size", "changed"), True),
        (rule("extra.nothing", "changed"), False),
    ],
)
def test_what_was_before(rule: dict[str, Any], expected: bool) -> None:
    assert compile_conditions(every(rule)).passes(facts()) is expected


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [(1, 2, True), (1, 1.0, False), (None, "", False), ([1], [1], False), (1, True, True)],
)
def test_without_a_list_of_changes_values_are_compared(
    before: Any, after: Any, expected: bool
) -> None:
    values = {"record": Namespace({"x": after}), "previous": Namespace({"x": before})}
    assert compile_conditions(every(rule("x", "changed"))).passes(Facts(values, NOW)) is expected


def test_what_was_before_is_known_of_the_record_only() -> None:
    about = Facts({**context(), "item": {"x": 1}}, NOW)
    explained = compile_conditions(every(rule("item.x", "changed"))).explain(about)["rules"][0]
    assert (explained["passed"], explained["previous"]) == (False, None)
    assert explained["note"].startswith("`item.x` is no field of the record")


# --- What can't be decided ------------------------------------------------------------------------


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


# --- Paths ----------------------------------------------------------------------------------------


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


# --- Values with expressions ----------------------------------------------------------------------


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


# --- Groups and the expression --------------------------------------------------------------------

YES, NO = rule("stage", "equals", "won"), rule("stage", "equals", "lost")


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


# --- What the trace shows of values ---------------------------------------------------------------


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


# --- Checking -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("document", "path", "words"),
    [
        ([], "", 'write {"match": "all", "rules": [...]}'),
        ({"rule": []}, "", 'write {"match"'),
        ({"match": "or", "rules": [YES]}, "/match", "did you mean `any`?"),
        ({"match": 10**200, "rules": [YES]}, "/match", "all or any, not a number"),
        ({"match": ["all"], "rules": [YES]}, "/match", "all or any, not a list"),
        ({"match": "all", "rules": "x"}, "/rules", "give a list of rules, not text"),
        (either(), "/rules", "add a rule"),
        (every(either()), "/rules/0/rules", "add a rule"),
        (every(5), "/rules/0", "not a number"),
        (every(YES, {"expression": "1"}), "/rules/1", "an expression stands alone"),
        (every({"field": "a"}), "/rules/0/operator", "choose an operator"),
        (every(rule("a", "eqals", 1)), "/rules/0/operator", "did you mean `equals`?"),
        (every(rule("a", "§", 1)), "/rules/0/operator", "known are equals, not_equals"),
        (every(rule("", "is_empty")), "/rules/0/field", "name the field"),
        (every({"operator": "is_empty"}), "/rules/0/field", "name the field"),
        (every(rule("{{ a }}", "is_empty")), "/rules/0/field", "without braces"),
        (every(rule("a..b", "is_empty")), "/rules/0/field", "single dots"),
        (every(rule("a" * 201, "is_empty")), "/rules/0/field", "limit is 200"),
        (every({**YES, "vlaue": 1}), "/rules/0/vlaue", "did you mean `value`?"),
        (every({**YES, "a/b": 1}), "/rules/0/a~1b", "known are field, operator, value"),
        ({"match": "all", "rules": [], "x": 1}, "/x", "unknown key `x`"),
        (every(rule("a", "equals")), "/rules/0/value", "add a value"),
        (every(rule("a", "is_empty", "x")), "/rules/0/value", "takes no value"),
        (every(rule("a", "between", 5)), "/rules/0/value", "a list of two values"),
        (every(rule("a", "between", ["{{ a }}"])), "/rules/0/value", "not a list of 1"),
        (
            every(rule("a", "between", [1, "2025-01-31"])),
            "/rules/0/value",
            "two numbers or two dates",
        ),
        (every(rule("a", "between", [3, 1])), "/rules/0/value", "swap them"),
        (every(rule("a", "between", ["2025-02-01T00:00", "2025-01-01"])), "/rules/0/value", "swap"),
        (every(rule("a", "in", "won")), "/rules/0/value", "give a list of values"),
        (every(rule("a", "in", [])), "/rules/0/value", "not an empty list"),
        (every(rule("a", "in", [1] * 1001)), "/rules/0/value", "limit is 1,000"),
        (every(rule("a", "greater_than", "much")), "/rules/0/value", "not the text `much`"),
        (every(rule("a", "greater_than", True)), "/rules/0/value", "not a yes/no value"),
        (every(rule("a", "greater_than", float("nan"))), "/rules/0/value", "not a number at all"),
        (every(rule("a", "contains", "")), "/rules/0/value", "give what to look for"),
        (every(rule("a", "contains", ["x"])), "/rules/0/value", "one value, not a list"),
        (every(rule("a", "starts_with", " ")), "/rules/0/value", "only space"),
        (every(rule("a", "matches", "")), "/rules/0/value", "give a pattern"),
        (every(rule("a", "matches", "a([b")), "/rules/0/value", "at position 2"),
        (every(rule("a", "matches", "(?=a)")), "/rules/0/value", "look-around"),
        (every(rule("a", "length", -1)), "/rules/0/value", "whole number from 0"),
        (every(rule("a", "length", 1.5)), "/rules/0/value", "whole number from 0"),
        (every(rule("a", "within_last_days", "soon")), "/rules/0/value", "a number of days"),
        (every(rule("a", "within_next_days", 40_000)), "/rules/0/value", "from 0 to 36,500"),
        (every(rule("a", "equals", "x {{ a + }}")), "/rules/0/value", "(line 1, column 10)"),
        (every(rule("a", "in", ["x", "{{ b( }}"])), "/rules/0/value/1", "`(` is never closed"),
        (every(rule("a", "equals", DEEP)), "/rules/0/value", "more than 64 levels deep"),
        (every(rule("actor.name", "changed")), "/rules/0/operator", "record's fields only"),
        (every(rule("previous.stage", "was", "x")), "/rules/0/operator", "record's fields only"),
        (every(rule("secrets.key", "is_empty")), "/rules/0/field", "can't look at secrets"),
        (every(rule("a", "equals", "{{ secrets.k }}")), "/rules/0/value", "can't look at secrets"),
        ({"expression": "secrets.k"}, "/expression", "can't look at secrets"),
        ({"expression": " "}, "/expression", "write an expression"),
        ({"expression": 5}, "/expression", "write an expression"),
        ({"expression": "record.a >"}, "/expression", "(line 1, column 11)"),
        ({"expression": "1", "rules": []}, "/rules", "unknown key `rules`"),
    ],
)
def test_a_mistake_has_its_place_and_words(document: Any, path: str, words: str) -> None:
    found = mistakes(document)
    assert list(found) == [path]
    assert words in found[path]
    with pytest.raises(ConditionProblem, match=re.escape(words)) as caught:
        compile_conditions(document)
    assert caught.value.path == path


@pytest.mark.parametrize(
    ("compare_type", "operator", "value", "words"),
    [
        ("number", "equals", "ten", "give a number, not the text `ten`"),
        ("number", "contains", "1", "makes no sense for `x`, a field of type number"),
        ("number", "in", [1, "two"], "give a number, not the text `two`"),
        ("boolean", "equals", "maybe", "give yes or no"),
        ("boolean", "greater_than", 1, "a field of type boolean"),
        ("date", "greater_than", 5, "give a date"),
        ("datetime", "equals", "tomorrow", "give a date"),
        ("list", "equals", "a", "give a list of all its entries"),
        ("text", "equals", ["a"], "give a text, not a list"),
    ],
)
def test_a_value_has_to_suit_the_type_of_the_field(
    compare_type: CompareType, operator: str, value: Any, words: str
) -> None:
    found = check_conditions(every(rule("x", operator, value)), typed(compare_type))
    assert len(found) == 1
    assert words in found[0].message


def test_all_mistakes_are_told_in_the_order_of_the_document() -> None:
    document = {
        "match": "xor",
        "rules": [
            rule("a", "equals"),
            *[YES] * 9,
            {"field": "nmae", "operator": "eqals", "valu": 1},
            every(rule("a", "matches", "(")),
        ],
    }
    found = check_conditions(
        document, problem_with_name=lambda path: "no such field" if "nmae" in path else None
    )
    assert [mistake.path for mistake in found] == [
        "/match",
        "/rules/0/value",
        "/rules/10/field",
        "/rules/10/operator",
        "/rules/10/valu",
        "/rules/11/rules/0/value",
    ]


def test_names_are_asked_about_wherever_they_stand() -> None:
    def ask(path: str) -> str:
        return f"?{path}"

    document = every(rule("a", "equals", "{{ previous.b }}"), rule("actor.c", "in", ["{{ now }}"]))
    assert mistakes(document, problem_with_name=ask) == {
        "/rules/0/field": "?record.a",
        "/rules/0/value": "`a` is: ?previous.b",
        "/rules/1/field": "?actor.c",
        "/rules/1/value": "`actor.c` is one of: ?now",
    }
    formula = {"expression": "record.a == vars.b"}
    found = check_conditions(formula, problem_with_name=ask)
    assert [mistake.message for mistake in found] == ["?record.a", "?vars.b"]


def test_types_are_asked_by_full_path_and_what_was_before_is_of_the_same() -> None:
    asked = []

    def types(path: str) -> CompareType | None:
        asked.append(path)
        return "number" if path == "record.amount" else None

    document = every(*(rule(path, "equals", "10.0") for path in ("amount", "previous.amount")))
    compile_conditions(document, types)
    item = every(rule("item.amount", "equals", "x"))
    compile_conditions(item, types, roots=[*ROOTS, "item"])
    assert list(dict.fromkeys(asked)) == ["record.amount", "item.amount"]
    assert compile_conditions(document, types).passes(facts(amount="10"))
    assert not compile_conditions(document).passes(facts(amount="10"))


def nested(depth: int) -> dict[str, Any]:
    return every(YES) if depth == 1 else every(nested(depth - 1))


def test_depth_and_number_of_rules_are_bounded() -> None:
    assert mistakes(nested(10)) == {}
    assert list(mistakes(nested(11))) == ["/rules/0" * 10]
    assert mistakes(every(*[YES] * 200)) == {}
    assert list(mistakes(every(*[YES] * 5_000))) == ["/rules/200"]
    deep: Any = YES
    for _ in range(100_000):
        deep = {"rules": [deep]}
    assert len(mistakes(deep)) == 1


# --- In words -------------------------------------------------------------------------------------


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


# --- The registry ---------------------------------------------------------------------------------


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


# --- What always holds ----------------------------------------------------------------------------

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.decimals()
    | st.text(max_size=8)
    | st.dates()
    | st.datetimes(timezones=st.sampled_from([None, UTC, BERLIN]))
    | st.sampled_from(["10", "1e999", "2025-01-31", "9999-12-31T23:59:59-11:00", "true", "\ud800"])
    | st.sampled_from(["{{ record.b }}", "{{ nothing }}", "{{ [record.a] }}", "{{ record.a + 1 }}"])
    | st.sampled_from([10**200, Symbol("§"), float("nan"), {1, 2}, b"x", Decimal("sNaN")])
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=6,
)
FIELDS = st.sampled_from(["a", "record.b", "previous.a", "a.0", "b.x", "nothing", "now", "record"])
RULES = st.fixed_dictionaries(
    {"field": FIELDS, "operator": st.sampled_from(list(OPERATORS))}, optional={"value": VALUES}
)
DOCUMENTS = st.recursive(
    RULES | st.sampled_from(list(OPERATORS)).map(lambda name: rule("a", name, "{{ record.b }}")),
    lambda inner: st.builds(
        lambda match, rules: {"match": match, "rules": rules},
        st.sampled_from(["all", "any"]),
        st.lists(inner, max_size=3),
    ),
    max_leaves=6,
).map(lambda document: document if "rules" in document else every(document))
FORMULAS = st.sampled_from(
    ["record.a > record.b", "record.a == previous.a", "record.a", "nothing", "record.a in record.b"]
).map(lambda source: {"expression": source})
TYPES = st.sampled_from([None, *get_args(CompareType)])


@settings(max_examples=1_000, deadline=None)
@given(DOCUMENTS | FORMULAS, VALUES, VALUES, TYPES)
def test_passes_says_what_explain_says_and_nothing_raises(
    document: Any, a: Any, b: Any, compare_type: CompareType | None
) -> None:
    if check_conditions(document, typed(compare_type)):
        with pytest.raises(ConditionProblem):
            compile_conditions(document, typed(compare_type))
        return
    conditions = compile_conditions(document, typed(compare_type))
    values = {
        "record": Namespace({"a": a, "b": b}, label="Leads"),
        "previous": Namespace({"a": b, "b": a}, label="Leads"),
        "now": NOW,
    }
    explained = conditions.explain(Facts(values, NOW))
    assert conditions.passes(Facts(values, NOW)) is explained["passed"]
    json.dumps(explained, allow_nan=False).encode()
    assert describe(document)


@settings(max_examples=300, deadline=None)
@given(
    st.recursive(
        VALUES,
        lambda inner: st.dictionaries(
            st.sampled_from(["match", "rules", "field", "operator", "value", "expression", "x"]),
            inner | st.lists(inner, max_size=3),
            max_size=4,
        ),
        max_leaves=8,
    )
)
def test_nonsense_is_refused_in_words(document: Any) -> None:
    found = check_conditions(document)
    assert isinstance(describe(document), str)
    assert all(mistake.message for mistake in found)
