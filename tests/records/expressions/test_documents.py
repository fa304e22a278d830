"""Templates within documents, symbols in place of secrets, and the names that are used."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from records.expressions import (
    ExpressionError,
    check,
    check_expression,
    check_url,
    check_value,
    compile_template,
    evaluate,
    evaluate_condition,
    names_used,
    names_used_in_expression,
    render_text,
    render_typed,
    render_value,
)
from tests.records.expressions.context import CONTEXT, KEY

# --- Symbols -----------------------------------------------------------------------------------


def test_a_symbol_is_inserted_by_its_placeholder() -> None:
    assert render_text("Bearer {{ secrets.api_key }}", CONTEXT) == "Bearer §key§"


def test_a_symbol_as_whole_value_stays_itself() -> None:
    assert render_typed("{{ secrets.api_key }}", CONTEXT) is KEY
    assert render_value({"k": ["{{ secrets['api_key'] }}"]}, CONTEXT)["k"][0] is KEY
    assert render_typed("{{ {'k': secrets.api_key} }}", CONTEXT)["k"] is KEY


def test_a_symbol_hides_in_repr() -> None:
    assert "key" not in repr(KEY)


@pytest.mark.parametrize(
    "source",
    [
        "secrets.api_key ~ 'x'",
        "secrets.api_key + 'x'",
        "-secrets.api_key",
        "secrets.api_key | upper",
        "secrets.api_key | string",
        "secrets.api_key | tojson",
        "secrets.api_key | length",
        "secrets.api_key | default('x')",
        "[secrets.api_key] | join",
        "[secrets.api_key] | map('upper')",
        "[secrets.api_key] | select",
        "[secrets.api_key] | sort",
        "[secrets.api_key] | tojson",
        "{'a': secrets.api_key} | urlencode",
        "secrets.api_key == 'x'",
        "'x' == secrets.api_key",
        "[secrets.api_key] == ['x']",
        "secrets.api_key < 'x'",
        "secrets.api_key in ['x']",
        "'x' in [secrets.api_key]",
        "'x' in secrets.api_key",
        "secrets.api_key is none",
        "not secrets.api_key",
        "secrets.api_key and 1",
        "1 if secrets.api_key else 2",
        "secrets.api_key.value",
        "secrets.api_key.placeholder",
        "secrets.api_key[0]",
        "secrets.api_key[:3]",
        "record[secrets.api_key]",
        "secrets.api_key.upper()",
        "length(secrets.api_key)",
        "coalesce(secrets.api_key, 'x')",
        "'a' | replace(old='a', new=secrets.api_key)",
        "{secrets.api_key: 1}",
    ],
)
def test_nothing_else_can_be_done_with_a_symbol(source: str) -> None:
    with pytest.raises(ExpressionError, match="a secret can only be inserted as it is"):
        evaluate(source, CONTEXT)


def test_a_symbol_is_neither_a_condition_nor_part_of_an_object_in_text() -> None:
    with pytest.raises(ExpressionError, match="a secret can only be inserted"):
        evaluate_condition("secrets.api_key", CONTEXT)
    with pytest.raises(ExpressionError, match="a secret can only be inserted"):
        render_text("x {{ secrets }}", CONTEXT)


# --- Documents, checks and names ---------------------------------------------------------------


def test_render_value_renders_every_text_and_keeps_types() -> None:
    value = {
        "id": "{{ record.amount }}",
        "deep": [{"n": "{{ record.name }}"}, 1, None, True, 2.5],
        "{{ key }}": "as it is",
    }

    assert render_value(value, CONTEXT) == {
        "id": 3,
        "deep": [{"n": "Ada Lovelace"}, 1, None, True, 2.5],
        "{{ key }}": "as it is",
    }
    assert value["id"] == "{{ record.amount }}"


@pytest.mark.parametrize(
    ("value", "path"),
    [
        ("{{ x }}", ""),
        ({"items": [{"name": "{{ x }}"}]}, "/items/0/name"),
        ({"a/b": {"c~d": "{{ x }}"}}, "/a~1b/c~0d"),
    ],
)
def test_errors_in_a_value_have_a_path(value: Any, path: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        render_value(value, {})

    assert caught.value.path == path


def test_check_value_finds_the_wrong_syntax() -> None:
    check_value({"a": ["{{ anything.at.all }}"]})

    with pytest.raises(ExpressionError) as caught:
        check_value({"a": ["{{ 1 + }}"]})
    assert caught.value.path == "/a/0"


def test_values_nested_too_deeply_are_refused() -> None:
    value: Any = "x"
    for _ in range(1000):
        value = [value]

    with pytest.raises(ExpressionError, match="nested more than"):
        render_value(value, {})
    with pytest.raises(ExpressionError, match="nested more than"):
        render_typed("{{ v }}", {"v": value})


def test_checks_need_no_values() -> None:
    check("Dear {{ anything.at.all | upper }}")
    check_url("https://{host}/{{ x }}")
    check_expression("a.b > 1")
    check_expression("")
    for checker, source in (
        (check, "{{ a | uper }}"),
        (check_url, "{a b}"),
        (check_expression, "a >"),
    ):
        with pytest.raises(ExpressionError):
            checker(source)


@pytest.mark.parametrize(
    ("value", "mode", "expected"),
    [
        ("{{ record.name }} {{ secrets['api_key'] }}", "text", {"record.name", "secrets.api_key"}),
        ("{{ record.items[0].sku | default(vars.x) }}", "text", {"record.items.0.sku", "vars.x"}),
        ("{{ record[vars.key].a }}", "text", {"record", "vars.key"}),
        ("{{ date_add(now, n, unit=u) if x is defined }}", "text", {"now", "n", "u", "x"}),
        ("{{ record.name.upper() }}", "text", {"record.name"}),
        ("{{ {'a': a, b: [c]} | map(attribute='x') }}", "text", {"a", "b", "c"}),
        ("https://x/{record.id}/{{ a[1:] }}", "url", {"record.id", "a"}),
        ({"x": ["{{ a }}", 1], "y": "{{ b.c }}"}, "text", {"a", "b.c"}),
        ("no names", "text", set()),
    ],
)
def test_names_used(value: Any, mode: Any, expected: set[str]) -> None:
    assert names_used(value, mode) == expected


def test_names_used_in_a_bare_expression() -> None:
    assert names_used_in_expression("record.a > vars.b") == {"record.a", "vars.b"}
    assert names_used_in_expression("") == set()


def test_templates_are_compiled_once() -> None:
    assert compile_template("{{ a.b }}") is compile_template("{{ a.b }}")
    assert compile_template("{{ a.b }}", "url") is not compile_template("{{ a.b }}", "text")


def test_a_template_is_shared_between_threads() -> None:
    template = "{{ a | map('upper') | join }}-{{ a | length }}"
    results: set[str] = set()

    def work(letter: str) -> None:
        results.update(render_text(template, {"a": [letter] * 3}) for _ in range(200))

    threads = [threading.Thread(target=work, args=(letter,)) for letter in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert results == {"AAA-3", "BBB-3", "CCC-3", "DDD-3"}
