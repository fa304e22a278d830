"""Each operator: a table of what it says of which values."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from automations.conditions import (
    CompareType,
    Facts,
    compile_conditions,
)
from records.expressions import Namespace
from tests.automations.conditions.at_hand import (
    BERLIN,
    NOW,
    context,
    every,
    facts,
    holds,
    rule,
)


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
