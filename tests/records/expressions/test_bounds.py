"""Nothing gets out, and nothing blows up."""

from __future__ import annotations

import subprocess
import sys
import time
from decimal import Decimal
from typing import Any

import pytest

from records.expressions import ExpressionError, evaluate, render_value
from records.expressions.limits import MAX_EXPRESSIONS, MAX_TEMPLATE, MAX_TEXT
from tests.records.expressions.context import CONTEXT, NOW, error_of


@pytest.mark.parametrize(
    "expression",
    [
        "''.__class__",
        "''.__class__.__mro__[1].__subclasses__()",
        "''['__class__']",
        "record['__class__']",
        "[]['__class__']",
        "'' | attr('__class__')",
        "[''] | map('attr', '__class__')",
        "[''] | map(attribute='__class__')",
        "[''] | sort(attribute='__class__.__mro__')",
        "[''] | selectattr('__class__')",
        "record.get.__globals__",
        "record.get['__globals__']",
        "length.__globals__",
        "(length)['__globals__']",
        "cycler.__init__.__globals__.os.popen('id').read()",
        "self._TemplateReference__context",
        "self",
        "config",
        "request",
        "lipsum.__globals__['os']",
        "get_flashed_messages.__globals__",
        "range(10)",
        "dict(a=1)",
        "namespace()",
        "joiner()",
        "'{0.__class__}'.format(1)",
        "'{0.__class__}' | format(1)",
        "'%s' % record",
        "'a'.format_map(record)",
        "now.__reduce__()",
        "now.tzinfo",
        "now.tzinfo.utcoffset",
        "(1).real",
        "(1).__add__(1)",
        "record.update({'a': 1})",
        "record.pop('name')",
        "record.tags.append(1)",
        "record.clear()",
        "secrets.api_key.placeholder",
        "secrets.api_key.__str__()",
        "[1] | groupby('__class__')",
        "'x' | xmlattr",
        "exec('1')",
        "open('/etc/passwd')",
        "import os",
        "lambda: 1",
        "[x for x in y]",
        "record.name := 1",
        "__import__('os')",
        "print(1)",
    ],
)
def test_sandbox_escapes_fail(expression: str) -> None:
    with pytest.raises(ExpressionError):
        evaluate(expression, CONTEXT)


BIG: dict[str, Any] = {
    "text": "a" * 1_000_000,
    "list": list(range(90_000)),
    "number": 10**150,
    "huge": 10**5_000,
    "wide": Decimal("1E+999999"),
    "now": NOW,
}


BOMBS = [
    "'a' * 10 ** 9",
    "[0] * 10 ** 9",
    "10 ** 10 ** 100",
    "9 ** 99999999999",
    "number * number * number",
    "huge * huge",
    "huge ~ ''",
    "wide ~ ''",
    "wide | int",
    "wide | round",
    "wide * wide",
    "2.0 ** 99999",
    "'1E+999999999' | decimal",
    "1 | round(10 ** 9)",
    "'%1000000000d' % 1",
    "'a'.ljust(10 ** 9)",
    "'a'.center(10 ** 9)",
    "'a'.zfill(10 ** 9)",
    "'a' | center(10 ** 9)",
    "'a' | indent(10 ** 9)",
    "text ~ text",
    "text + text",
    "text | replace('a', text)",
    "text.replace('', text)",
    "list | join(text)",
    "[text, text] | join",
    "[text, text] | tojson",
    "{'a': text, 'b': text} | urlencode",
    "text | base64",
    "text | list",
    "text.split('a')",
    " and ".join(["text | title"] * 90),
    "list + list",
    "list | batch(10 ** 9, 0)",
    "[list, list, list, list, list, list, list, list, list, list, list, list] | tojson",
    "list | map('string') | map('upper') | map('lower') | map('title') | map('trim') | join",
    "[" + "list | sort," * 50 + "]",
    " and ".join(["list == list"] * 50),
    " and ".join(["list | map('string') | list"] * 50),
    " and ".join(["text | tojson"] * 50),
    "format_date(now, '%1000000000d')",
    "format_date(now, text)",
    "regex_match(text, 'a')",
    "regex_match('" + "a" * 40_000 + "', '(a*)*(a|aa)+(a*)*b')",
    "regex_match('a', '((((a?){50}){50}){50}){50}')",
    "regex_match('a', '(?:(?:(?:){2000}){2000}){2000}')",
    "regex_match('a', '" + "(" * 249 + ")" * 249 + "')",
    "parse_json('" + "[" * 30_000 + "')",
    "parse_json('" + "9" * 30_000 + "') + 1",
    "(" * 3_000 + "1" + ")" * 3_000,
    "not " * 1_900 + "1",
    "-" * 1_900 + "1",
    "1" + " + 1" * 900,
    "a" + ".b" * 900,
    "a" + "[0]" * 600,
    "a" + " | d" * 900,
    "1" + " if 1 else 1" * 400,
    "coalesce(" * 24 + "nothing" + ")" * 24 + " + 1",
    "9" * 5_000,
    "date_add(now, 10 ** 100, 'years')",
    "date_add(now, 1e300, 'seconds')",
    "range(10 ** 9) | list",
    "lipsum(10 ** 6)",
]


@pytest.mark.parametrize("expression", BOMBS, ids=lambda expression: expression[:40])
def test_resource_bombs_end_soon_with_an_error(expression: str) -> None:
    started = time.perf_counter()

    with pytest.raises(ExpressionError) as caught:
        evaluate(expression, BIG)

    assert caught.value.message
    assert time.perf_counter() - started < 5  # far above what they take, far below what they want


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("x" * (MAX_TEMPLATE + 1), "this text is too long"),
        ("{{ 1 }}" * (MAX_EXPRESSIONS + 1), "too many expressions"),
        ("{{ [" + "1," * 2_000 + "] }}", "this expression is too long"),
        ("{{ text }}{{ text }}", "the result is too large"),
        ("{{ list }}" * 3, "the result is too large"),
    ],
)
def test_templates_are_bounded(source: str, message: str) -> None:
    assert message in error_of(source, BIG).message


def test_the_output_limit_holds_for_a_whole_value() -> None:
    half = "a" * (MAX_TEXT // 2)

    with pytest.raises(ExpressionError, match="the result is too large") as caught:
        render_value(["{{ half }}", "{{ half }}!", "{{ half }}"], {"half": half})

    assert caught.value.path == "/1"


def test_nothing_of_django_is_imported() -> None:
    program = (
        "import sys, records.expressions;"
        "print([m for m in ('django', 'rq', 'requests', 'redis') if m in sys.modules])"
    )

    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )

    assert done.stdout.strip() == "[]"
