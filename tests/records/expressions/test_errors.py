"""Errors say what is wrong, where, and what may be meant."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from records.expressions import ExpressionError, Namespace, check, render_text, render_typed
from tests.records.expressions.context import error_of


@pytest.mark.parametrize(
    ("source", "shown", "suggestion"),
    [
        (
            "{{ record.nmae }}",
            "`{{ record.nmae }}`: Leads has no field `nmae`; did you mean `name`?",
            "name",
        ),
        (
            "{{ webhook.body.emial }}",
            "`{{ webhook.body.emial }}`: `webhook.body` has no `emial`; did you mean `email`?",
            "email",
        ),
        (
            "{{ recrod.name }}",
            "`{{ recrod.name }}`: unknown name `recrod`; did you mean `record`?",
            "record",
        ),
        (
            "{{ record.owner.name }}",
            "`{{ record.owner.name }}`: `record.owner` is empty, so it has no `name`",
            None,
        ),
        (
            "{{ secrets.api_kye }}",
            "`{{ secrets.api_kye }}`: Signalbox has no secret `api_kye`; did you mean `api_key`?",
            "api_key",
        ),
        (
            "{{ webhook.headers.X-Id }}",
            "`{{ webhook.headers.X-Id }}`: `webhook.headers` has no `X`; for `X-Id` write ['X-Id']",
            None,
        ),
        (
            "{{ 1 | uper }}",
            "`{{ 1 | uper }}`: unknown filter `uper`; did you mean `upper`?",
            "upper",
        ),
    ],
)
def test_an_error_names_expression_container_and_suggestion(
    source: str, shown: str, suggestion: str | None
) -> None:
    error = error_of(source)

    assert str(error) == shown
    assert error.suggestion == suggestion
    assert error.expression == source


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("{{ record['nmae'] }}", "Leads has no field `nmae`; did you mean `name`?"),
        ("{{ record.Name }}", "did you mean `name`?"),
        ("{{ record.tags[9] }}", "`record.tags` has only 3 items, so there is no [9]"),
        ("{{ ''[0] }}", "this has no characters, so there is no [0]"),
        ("{{ record.items.sku }}", "`record.items` is a list, so it has no `sku`; take an item"),
        ("{{ record.name.first }}", "`record.name` is text, so it has no `first`"),
        ("{{ record.name.upper }}", "to call it, write upper()"),
        ("{{ vars.keys }}", "to call it, write keys()"),
        ("{{ now() }}", "`now` is a value, not a function; write it without ()"),
        ("{{ now.yaer }}", "did you mean `year`?"),
        ("{{ length }}", "`length` is a function; write length(value)"),
        ("{{ null }}", "write `none`"),
        ("{{ upper('a') }}", "there is a filter of this name: write value | upper"),
        ("{{ lenght('a') }}", "did you mean `length`?"),
        ("{{ 'a'.uper() }}", "did you mean `upper`?"),
        ("{{ record.items.get('a') }}", "a list has no `get()`"),
        ("{{ webhook.body.get('a') }}", "`get` is a value here, so it can't be called"),
        ("{{ record.tags[0]() }}", "this can't be called"),
        ("{{ 1 is defned }}", "unknown test `defned`; did you mean `defined`?"),
        ("{{ [] | map('uper') }}", "unknown filter `uper`; did you mean `upper`?"),
        ("{{ [] | select('ood') }}", "unknown test `ood`; did you mean `odd`?"),
        ("{{ [] | map }}", "write map('filter') or map(attribute='name')"),
        ("{{ [] | map(vars.key) }}", "map takes the name of a filter, as a text"),
        ("{{ date_add(now) }}", "it is date_add(date, n, [unit])"),
        ("{{ 'a' | replace('b') }}", "it is replace(old, new, [count])"),
        ("{{ [] | map('replace', 'a') }}", "it is replace(old, new, [count])"),
        ("{{ 'a' | default(1, 2, 3) }}", "it is default([default_value], [boolean])"),
        ("{{ length(*[1]) }}", "arguments can't be unpacked"),
        ("{{ [] | map(attribute='a', x=1) }}", "write map('filter') or map(attribute='name')"),
        ("{{ [] | selectattr }}", "write selectattr('attribute')"),
        ("{{ [] | select(x=1) }}", "`select` takes no arguments by name"),
        ("{{ coalesce() }}", "`coalesce` takes the values to choose from"),
    ],
)
def test_what_is_missing_or_misused(source: str, message: str) -> None:
    assert message in error_of(source).message


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("{{ }}", "there is no expression here"),
        ("{{ record.name", "`{{` is never closed; add `}}`"),
        ("{{ 'abc }}", "a text is never closed; add ' at its end"),
        ("{{ (1 + 2 }}", "`(` is never closed"),
        ("{{ [1, 2) }}", "`[` is never closed"),
        ("{{ 1) }}", "`)` closes nothing"),
        ("{{ 1 + }}", "the expression ends too early"),
        ("{{ 1 + * 2 }}", "`*` is not expected here"),
        ("{{ record. }}", "expected name or number"),
        ("{{ 1, 2 }}", "the expression should end before `,`"),
        ("{{ a b }}", "the expression should end before `b`"),
        ("{{ a = 1 }}", "write `==` to compare"),
        ("{{ a && b }}", "write `and`"),
        ("{{ a ? b : c }}", "write `a if condition else b`"),
        ("{{ !a }}", "write `not`"),
        ("{{ “a” }}", "use straight quotes"),
        ("{{ {'a' 1} }}", "expected `:`, found a number"),
        ("{{ f(a=1, 2) }}", "arguments by name come after the others"),
        ("{{ record.__class__ }}", "`__class__` can't be used as a name"),
        ("{{- a }}", "does not take space away"),
        ("{% if a %}x{% endif %}", "statements `{% %}` are not possible"),
        ("{# note #}", "comments `{# #}` are not possible"),
        ("{{ 1e999 }}", "this number is too large"),
    ],
)
def test_syntax_errors_in_plain_words(source: str, message: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        check(source)

    assert message in caught.value.message
    assert caught.value.expression


@pytest.mark.parametrize(
    ("source", "line", "column"),
    [
        ("{{ record.nmae }}", 1, 11),
        ("a\nb {{ recrod }}", 2, 6),
        ("{{ 1 }}\r\n\n  {{ record.name | uper }}", 3, 20),
        ("ok {{ record.amount + record.nmae }}", 1, 30),
        ("ok {{ 1 +\n  'a' }}", 1, 7),
        ("x {% if %}", 1, 3),
        ("x\n{{ 1", 2, 1),
        ("{{ [1, 2, }}", 1, 4),
    ],
)
def test_errors_tell_where(source: str, line: int, column: int) -> None:
    error = error_of(source)

    assert (error.line, error.column) == (line, column)


def test_the_error_shows_only_the_expression_that_failed() -> None:
    error = error_of("Dear {{ record.name }}, {{ record.nmae }} and {{ record.amount }}")

    assert error.expression == "{{ record.nmae }}"


def test_errors_of_a_lazy_mapping_are_passed_on() -> None:
    class Broken(Mapping[str, Any]):
        def __getitem__(self, key: str) -> Any:
            raise ConnectionError("database gone")

        def __iter__(self) -> Iterator[str]:
            return iter(())

        def __len__(self) -> int:
            return 0

    with pytest.raises(ConnectionError):
        render_text("{{ record.name }}", {"record": Broken()})


def test_a_lazy_namespace_works_out_only_what_is_asked_for() -> None:
    asked: list[str] = []

    class Lazy(Namespace):
        def __getitem__(self, key: str) -> Any:
            asked.append(key)
            if key not in self:
                raise KeyError(key)
            return key.upper()

    context = {"record": Lazy(dict.fromkeys(["name", "city"]), label="Leads")}

    assert render_text("{{ record.name }}", context) == "NAME"
    assert asked == ["name"]
    assert error_of("{{ record.nmae }}", context).suggestion == "name"
    assert render_typed("{{ record }}", context) == {"name": "NAME", "city": "CITY"}
