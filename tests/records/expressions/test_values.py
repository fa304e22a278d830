"""Values keep their types; operators do what they say."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest

from records.expressions import ExpressionError, evaluate, render_text, render_typed
from tests.records.expressions.context import CONTEXT, NOW

# --- Values and types --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{{ record.name }}", "Ada Lovelace"),
        ("  {{ record.amount }}\n", 3),
        ("{{ record.amount + 1 }}", 4),
        ("{{ record.price }}", Decimal("12.50")),
        ("{{ record.active }}", True),
        ("{{ record.owner }}", None),
        ("{{ record.tags }}", ["b", "a", "B"]),
        ("{{ now }}", NOW),
        ("{{ today }}", date(2025, 1, 15)),
        ("{{ steps.lookup.response.id }}", 42),
        ("{{ webhook.body.items[0].sku }}", "x1"),
        ("{{ webhook.body.items.0.sku }}", "x1"),
        ("{{ webhook.headers['X-Id'] }}", "7"),
        ("{{ webhook.body._id }}", 9),
        ("{{ webhook.body.get }}", "key"),
        ("{{ record[vars.key] }}", "Ada Lovelace"),
        ("{{ record.tags[-1] }}", "B"),
        ("{{ record.tags[1:] }}", ["a", "B"]),
        ("{{ record.name[:3] }}", "Ada"),
        ("{{ {'a': {'b': 1}} }}", {"a": {"b": 1}}),
        ("{{{'a': {'b': 1}}}}", {"a": {"b": 1}}),
        ('{{ "}}" }}', "}}"),
        (r"{{ 'it\'s }}' }}", "it's }}"),
        ("{{ (1, 2) }}", [1, 2]),
        ("{{ [] }}", []),
        ("{{ none }}", None),
        ("{{ 1_000 }}", 1000),
        ("{{ 1.5e3 }}", 1500.0),
        (r"{{ '\n\u00e4\d\ud83d\ude00' }}", "\nä\\d😀"),
        ("plain text", "plain text"),
        ("", ""),
    ],
)
def test_one_expression_keeps_its_type(source: str, expected: Any) -> None:
    result = render_typed(source, CONTEXT)

    assert result == expected
    assert type(result) is type(expected)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("Dear {{ record.name }}!", "Dear Ada Lovelace!"),
        ("[{{ record.owner }}]", "[]"),
        ("{{ record.active }}/{{ not record.active }}", "true/false"),
        ("at {{ now }}", "at 2025-01-15T10:30:00Z"),
        ("on {{ today }}", "on 2025-01-15"),
        ("{{ record.price }} EUR", "12.50 EUR"),
        ("{{ record.tags }}!", '["b","a","B"]!'),
        ("{{ {'ä': [1, none, true], 'd': today} }}.", '{"ä":[1,null,true],"d":"2025-01-15"}.'),
        ("{{ {'p': record.price} }}.", '{"p":12.5}.'),
        ("{{ 3.0 }} {{ 0.1 + 0.2 }} {{ 2.5 }} {{ 1e300 }}", "3 0.3 2.5 1e+300"),
        ('{"a":{"b":{{ record.amount }}}}', '{"a":{"b":3}}'),
        ("a {single} }} {{ 1 }}", "a {single} }} 1"),
        ("{{ '{{' }}{{ '{%' }}", "{{{%"),
        ("{{ 'x' if record.amount > 5 }}|", "|"),
    ],
)
def test_text_around_an_expression_makes_it_text(source: str, expected: str) -> None:
    assert render_typed(source, CONTEXT) == expected
    assert render_text(source, CONTEXT) == expected


def test_render_text_writes_a_single_expression_as_text() -> None:
    assert render_text("{{ record.amount }}", CONTEXT) == "3"
    assert render_text("{{ record.tags }}", CONTEXT) == '["b","a","B"]'


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (datetime(2025, 1, 1, 12, tzinfo=timezone(timedelta(hours=2))), "2025-01-01T10:00:00Z"),
        (datetime(2025, 1, 1, 12), "2025-01-01T12:00:00Z"),  # noqa: DTZ001
        (Decimal("1E+5"), "100000"),
        (Decimal("0.10"), "0.10"),
        (10**30, "1" + "0" * 30),
        (1e22, "1e+22"),
        (123456789.25, "123456789.25"),
    ],
)
def test_values_as_text(value: Any, expected: str) -> None:
    assert render_text("{{ v }}", {"v": value}) == expected


def test_white_space_around_an_expression_counts_in_text_only() -> None:
    assert render_text(" {{ record.amount }}\n", CONTEXT) == " 3\n"
    assert render_typed(" {{ record.amount }}\n", CONTEXT) == 3


def test_a_result_does_not_share_its_lists_with_the_context() -> None:
    context = {"a": {"b": [1]}}

    result = render_typed("{{ a }}", context)
    result["b"].append(2)

    assert context == {"a": {"b": [1]}}


# --- Operators ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("1 + 2 * 3", 7),
        ("7 // 2", 3),
        ("7 % 4", 3),
        ("2 ** 10", 1024),
        ("10 / 4", 2.5),
        ("-record.amount", -3),
        ("record.price + record.amount", Decimal("15.50")),
        ("record.price * 1.1", Decimal("13.750")),
        ("record.ratio + record.amount", 3.5),
        ("'a' + 'b'", "ab"),
        ("[1] + [2]", [1, 2]),
        ("'n=' ~ 1 ~ true ~ none", "n=1true"),
        ("1 < 2 <= 2 < 3", True),
        ("1 < 2 > 5", False),
        ("record.price == 12.5", True),
        ("record.price > 12", True),
        ("'b' > 'a'", True),
        ("record.due > now", True),
        ("today < now", True),
        ("today == '2025-01-15'", True),
        ("today == 'soon'", False),
        ("now != none", True),
        ("[1, {'a': 2.0}] == [1, {'a': 2}]", True),
        ("'a' in record.tags", True),
        ("'z' not in record.tags", True),
        ("'Ada' in record.name", True),
        ("'name' in record", True),
        ("2 in [1, 2.0]", True),
        ("record.owner or 'nobody'", "nobody"),
        ("record.amount and 'some'", "some"),
        ("not record.owner", True),
        ("'big' if record.amount > 2 else 'small'", "big"),
    ],
)
def test_operators(source: str, expected: Any) -> None:
    assert evaluate(source, CONTEXT) == expected


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("'a' + 1", "can't add text and a number; join texts with ~, or make a number of a text"),
        ("record.owner + 1", "can't add an empty value and a number"),
        ("record.tags * 2", "can't multiply a list by a number"),
        ("now - now", "use date_add or date_diff"),
        ("1 / 0", "can't divide by zero"),
        ("1 % 0", "can't divide by zero"),
        ("record.price / 0", "can't divide by zero"),
        ("0 / (record.price - 12.5)", "can't divide by zero"),
        ("(-8) ** 0.5", "not a number"),
        ("'a' < 1", "can't compare text with a number by size"),
        ("record.owner > 1", "can't compare an empty value with a number by size"),
        ("now > 'soon'", "a date is needed here (2025-01-31, say), not the text `soon`"),
        ("1 in 'a1'", "can't look for a number in a text"),
        ("1 in 2", "can't look into a number"),
        ("-'a'", "a number is needed here, not the text `a`"),
        ("record.name['x']", "`record.name` is text, so it has no `x`"),
        ("record[none]", "a key is text, not an empty value"),
        ("{none: 1}", "a key is text, not an empty value"),
        ("[1, 2][::0]", "the step can't be 0"),
        ("1[2:]", "a number has no parts"),
    ],
)
def test_operators_that_make_no_sense_say_so(source: str, message: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        evaluate(source, CONTEXT)

    assert message in caught.value.message
