"""Whatever is written and whatever is given, it renders or raises ExpressionError."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from records.expressions import (
    ExpressionError,
    evaluate,
    evaluate_condition,
    render_text,
    render_typed,
    render_url,
)
from tests.records.expressions.context import KEY


def outcome(
    render: Callable[[str, Mapping[str, Any]], Any], source: str, context: Mapping[str, Any]
) -> Any:
    try:
        return render(source, context)
    except ExpressionError as error:
        return error


PIECES = [
    *"{}[]()|.,:~+-*/%<>=!'\"\\ \n0a",
    *("{{", "}}", "{%", "{#", "**", "//", "==", "1", "2.5", "10", "1e9", "'x'", '"y"'),
    *(" and ", " or ", " not ", " in ", " is ", " if ", " else ", " none ", " true "),
    *("a", "b", "record", "secrets.k", ".name", ".items", "[0]", "['a']", "[1:]", "__class__"),
    *("|upper", "|default('x')", "|join(',')", "|sort", "|map('upper')", "|tojson", "|int"),
    *("|map(attribute='a')", "|select('odd')", "|length", "|batch(2)", "|sum", "|urlencode"),
    *("date_add(", "coalesce(", "max(", "regex_match(", "defined", "|round", "|unique", ".get("),
    *("parse_json(", "format_date(", ".split(", ".upper()", ")", "ä", "\ud800", "\x00", "😀"),
]


templates = st.one_of(
    st.text(max_size=60),
    st.lists(st.sampled_from(PIECES), max_size=14).map("".join),
    st.lists(st.sampled_from(PIECES), max_size=12).map(lambda some: "{{ " + "".join(some) + " }}"),
)


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.decimals()
    | st.datetimes()
    | st.dates(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["a", "b", "name", "items", "x-y"]), inner, max_size=4)
    ),
    max_leaves=12,
)


contexts = st.fixed_dictionaries(
    {"a": json_values, "b": json_values, "record": json_values},
    optional={"now": st.datetimes(timezones=st.just(UTC)), "secrets": st.just({"k": KEY})},
)


@settings(max_examples=1_000, deadline=None)
@given(source=templates, context=contexts)
def test_any_template_renders_or_raises_expression_error(
    source: str, context: dict[str, Any]
) -> None:
    for render in (render_text, render_url, render_typed, evaluate, evaluate_condition):
        result = outcome(render, source, context)

        if isinstance(result, ExpressionError):
            assert str(result)
            assert result.line >= 1
            assert result.column >= 1
        elif render in (render_text, render_url):
            assert type(result) is str


EXPRESSIONS = [
    *("a == b", "a < b", "a + b", "a - b", "a * b", "a / b", "a // b", "a % b", "a ** b", "a ~ b"),
    *("a in b", "a[b]", "a.name", "a.items", "-a", "not a", "a or b", "{'x': a}", "[a, b] | sort"),
    *("a | tojson", "a | string", "a | upper", "a | length", "a | int(0)", "a | float(none)"),
    *("a | decimal(0)", "a | round", "a | round(2)", "a | abs", "a | sum", "a | min", "a | max"),
    *("a | sort", "a | unique", "a | first", "a | last", "a | list", "a | join(b)", "a | items"),
    *(
        "a | urlencode",
        "a | e",
        "a | base64",
        "a | truncate(5)",
        "a | replace(b, 'x')",
        "a.split(b)",
    ),
    *("date_add(a, b)", "date_add(a, 1, 'month')", "date_diff(a, b)", "date_diff(a, b, 'month')"),
    *("format_date(a, '%Y %H')", "parse_date(a)", "parse_json(a)", "regex_match(a, b)", "a is odd"),
    *("a | map('string')", "a | map(attribute='b')", "a | selectattr('b')", "a | select('gt', b)"),
    *("a | batch(b)", "coalesce(a, b)", "max(a, b)", "a is divisibleby b", "a[b:]", "a is empty"),
    *("a | default(b, true)", "a.get(b)", "format_date('2025-01-01', a)", "parse_date(a, b)"),
]


@settings(max_examples=1_000, deadline=None)
@given(expression=st.sampled_from(EXPRESSIONS), a=json_values, b=json_values)
def test_any_values_give_a_result_or_expression_error(expression: str, a: Any, b: Any) -> None:
    context = {"a": a, "b": b}

    for result in (
        outcome(evaluate, expression, context),
        outcome(render_text, f"{{{{ {expression} }}}}!", context),
    ):
        assert not isinstance(result, ExpressionError) or result.message


@settings(max_examples=200, deadline=None)
@given(value=json_values)
def test_a_value_survives_json_text(value: Any) -> None:
    try:
        text = render_text("{{ v | tojson }}", {"v": value})
    except ExpressionError:
        return
    json.loads(text)


@settings(max_examples=200, deadline=None)
@given(text=st.text(max_size=60).filter(lambda text: not {"{", "}"} & set(text)))
def test_text_without_braces_stays_as_it_is(text: str) -> None:
    assert render_text(text, {}) == text
    assert render_text(text + "{{ t }}", {"t": text}) == text * 2
