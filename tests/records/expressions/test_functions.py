"""Functions, filters and tests."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from records.expressions import ExpressionError, evaluate
from tests.records.expressions.context import CONTEXT, NOW


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("date_add(now, 3, 'days')", NOW + timedelta(days=3)),
        ("date_add(today, 3)", date(2025, 1, 18)),
        ("date_add(today, 2, 'hours')", datetime(2025, 1, 15, 2, tzinfo=UTC)),
        ("date_add('2025-01-31', 1, 'month')", date(2025, 2, 28)),
        ("date_add('2024-02-29', -1, 'years')", date(2023, 2, 28)),
        ("date_add(now, 1.5, 'hours')", NOW + timedelta(minutes=90)),
        ("now | date_add(-1, 'weeks')", NOW - timedelta(days=7)),
        ("date_diff('2025-01-31', today, 'days')", 16),
        ("date_diff(today, '2025-01-31')", -16),
        ("date_diff('2025-03-30', '2025-01-31', 'months')", 1),
        ("date_diff('2025-03-31', '2025-01-31', 'months')", 2),
        ("date_diff('2023-01-01', '2025-01-15', 'years')", -2),
        ("date_diff(now, '2025-01-15T10:00:00+00:00', 'minutes')", 30),
        ("format_date(record.due, '%-d.%-m.%Y, %A')", "31.1.2025, Friday"),
        ("format_date(now, '%F %R %%')", "2025-01-15 10:30 %"),
        ("format_date(now, '%H:%M', 'Europe/Berlin')", "11:30"),
        ("parse_date('2025-01-31')", date(2025, 1, 31)),
        ("parse_date('2025-01-31T10:00:00Z')", datetime(2025, 1, 31, 10, tzinfo=UTC)),
        ("parse_date('31.1.2025', '%d.%m.%Y')", date(2025, 1, 31)),
        ("now.year * 100 + now.month", 202501),
        ("now.strftime('%d')", "15"),
        ("now.isoformat()", "2025-01-15T10:30:00Z"),
        ("now.date()", date(2025, 1, 15)),
        ("parse_json('{\"a\": [1, null]}').a", [1, None]),
        ("to_json({'a': [1, 'ä']})", '{"a":[1,"ä"]}'),
        ("[1] | tojson(2)", "[\n  1\n]"),
        ("length(record.tags)", 3),
        ("record.name | length", 12),
        ("round(2.5)", 3),
        ("-2.5 | round", -3),
        ("2.675 | round(2)", 2.68),
        ("record.price | round(1)", Decimal("12.5")),
        ("1234 | round(-2)", 1200),
        ("1.2 | round(0, 'ceil')", 2),
        ("abs(-3)", 3),
        ("max(1, 2.5, record.price)", Decimal("12.50")),
        ("min([3, 1, 2])", 1),
        ("record.items | max(attribute='n')", {"sku": "s1", "n": 2}),
        ("[] | min", None),
        ("sum([1, 2.5])", 3.5),
        ("record.items | sum(attribute='n')", 3),
        ("coalesce(record.owner, record.nothing, '', 'x')", "x"),
        ("coalesce(record.owner)", None),
        ("coalesce(0, 1)", 0),
        ("regex_match('ada@example.org', '^[^@]+@[a-z.]+$')", True),
        ("record.name | regex_match('^ada')", False),
        ("record.name | regex_match('(?i)^ada')", True),
        ("record.nothing | default('x')", "x"),
        ("record.nothing.deeper | default('x')", "x"),
        ("record.owner.name | d('x')", "x"),
        ("nothing | default", ""),
        ("record.owner | default('x')", None),
        ("record.owner | default('x', true)", "x"),
        ("record.owner | default('x', boolean=true)", "x"),
        ("record.tags | sort", ["a", "b", "B"]),
        ("record.tags | sort(case_sensitive=true)", ["B", "a", "b"]),
        ("record.items | sort(attribute='n') | map(attribute='sku')", ["s2", "s1"]),
        ("[2, none, 1] | sort(reverse=true)", [2, 1, None]),
        ("record.tags | unique", ["b", "a"]),
        ("[1, 1.0, {'a': 1}, {'a': 1}] | unique", [1, {"a": 1}]),
        ("record.tags | map('upper') | join(', ')", "B, A, B"),
        ("record.tags | map('replace', 'a', 'z')", ["b", "z", "B"]),
        ("record.items | map(attribute='x', default=0)", [0, 0]),
        ("record.items | join(',', attribute='sku')", "s1,s2"),
        ("record.items | selectattr('n', 'gt', 1) | map(attribute='sku') | first", "s1"),
        ("record.items | rejectattr('x', 'defined') | length", 2),
        ("[0, 1, none, 2] | select", [1, 2]),
        ("[1, 2, 3] | reject('odd')", [2]),
        ("[1, 2, 3] | select('in', [1, 3])", [1, 3]),
        ("[1, 2, 3] | batch(2, 0)", [[1, 2], [3, 0]]),
        ("'abc' | reverse ~ ('abc' | last)", "cbac"),
        ("'abc' | list", ["a", "b", "c"]),
        ("{'a': 1} | items", [["a", 1]]),
        ("{'a': 1}.keys() + ({'a': 1} | values)", ["a", 1]),
        ("record.get('nothing', 5)", 5),
        ("'12' | int", 12),
        ("'12.7' | int", 12),
        ("' 1.5 ' | float", 1.5),
        ("'1.10' | decimal", Decimal("1.10")),
        ("'abc' | int(0)", 0),
        ("none | float(default=none)", None),
        ("record.name | upper", "ADA LOVELACE"),
        ("record.name.lower().split(' ')", ["ada", "lovelace"]),
        ('"they\'re here" | title', "They're Here"),
        ("'  a ' | trim", "a"),
        ("'a b c d' | truncate(5, leeway=0)", "a..."),
        ("'abcdefgh' | truncate(6, true, '…', 0)", "abcde…"),
        ("'aaa'.replace('a', 'b', 2)", "bba"),
        ("'ab'.startswith('a') and 'ab'.endswith('b')", True),
        ("'a-b'.removeprefix('a').removesuffix('b')", "-"),
        ("' a ' | string", " a "),
        ("[1] | string", "[1]"),
        ("42 | upper", "42"),
        ("none | upper", ""),
        ("'AB' is upper and 'ab' is lower", True),
        ("3 is odd and 4 is even and 1 is number", True),
        ("true is true and true is not false and [] is sequence", True),
        ("' a'.lstrip() ~ 'a '.rstrip() ~ 'xax'.strip('x')", "aaa"),
        ("'' | list", []),
        ("+record.amount", 3),
        ("[[1, 2]] | map(attribute=0)", [1]),
        ("[[0], [2]] | selectattr(0)", [[2]]),
        ("'a&b' | e", "a&amp;b"),
        ("'äb' | base64", "w6Ri"),
        ("'a/b c' | urlencode", "a%2Fb%20c"),
        ("{'a': 'x y', 'b': 1} | urlencode", "a=x+y&b=1"),
        ("'one two' | wordcount", 2),
        ("record.nothing is defined", False),
        ("nothing.at.all is undefined", True),
        ("record.owner is none and record.name is not none", True),
        ("record.amount is divisibleby 3", True),
        ("[] is empty and ' ' is empty and 0 is not empty", True),
        ("1 is integer and 1.5 is float and true is boolean", True),
        ("true is not number and 'a' is string and {} is mapping", True),
        ("1 is not sameas true and 1 is eq 1", True),
        ("record.tags is containing 'a'", True),
    ],
)
def test_functions_filters_and_tests(source: str, expected: Any) -> None:
    result = evaluate(source, CONTEXT)

    assert result == expected
    assert type(result) is type(expected)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("date_add('soon', 1)", "a date is needed here (2025-01-31, say), not the text `soon`"),
        ("date_add(now, 1, 'dais')", "unknown unit `dais`; did you mean `days`?"),
        ("date_add(today, 1.5)", "a whole number is needed here, not `1.5`"),
        ("date_add(now, 10 ** 20)", "before the year 1 or after the year 9999"),
        ("format_date(now, '%1000000d')", "a date format has no `%1`"),
        ("format_date(now, '%d', 'Nowhere/At_all')", "unknown time zone"),
        ("format_date(now, '%d', '../../etc/passwd')", "unknown time zone"),
        ("parse_date('x', '%d.%m.%Y')", "is not a date of the form"),
        ("parse_json('{a}')", "this text is not JSON"),
        ("parse_json('NaN')", "this text is not JSON"),
        ("'abc' | int", "can't read the text `abc` as a whole number"),
        ("none | int", "can't read an empty value as a whole number"),
        ("[1, 'a'] | sort", "can't compare"),
        ("['a', 'b'] | sum", "can't add up text; make numbers with |map('float')"),
        ("'abc' | join", "a list is needed here, not text"),
        ("5 | length", "a number has no length"),
        ("[1] | upper", "text is needed here, not a list"),
        ("today.hour", "a date without a time, so it has no `hour`"),
        ("record.items | map(attribute='x')", "an item of the list (an object) has no `x`"),
        ("record.items | selectattr('x')", "does not have this attribute; test it with 'defined'"),
        ("record.items | selectattr('x', 'eq', 1)", "does not have this attribute"),
        ("'a' | regex_match('[')", "the pattern `[` is wrong"),
        ("'a' | regex_match('(?=a)')", "can't use look-around"),
        ("[1] | batch(0)", "a batch needs at least 1 item"),
        ("1 | round(0, 'up')", "unknown way to round the text `up`"),
        ("[huge] | tojson", "a number that JSON can't write"),
        ("[infinite] | tojson", "a number that JSON can't write"),
        ("infinite | string", "too large, or not a number at all"),
        ("1 | tojson(9)", "the indent must be between 0 and 4"),
        ("[[1, 2, 3]] | urlencode", "pairs of a name and a value are needed"),
    ],
)
def test_functions_say_what_they_need(source: str, message: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        evaluate(source, CONTEXT)

    assert message in caught.value.message


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        ("b", "abc", True),
        ("^b", "abc", False),
        ("c$", "abc\n", True),
        (r"c\Z", "abc\n", False),
        ("^$", "", True),
        ("^a.c$", "a\nc", False),
        ("(?s)^a.c$", "a\nc", True),
        ("(?m)^b$", "a\nb\nc", True),
        (r"\bcat\b", "a cat.", True),
        (r"\bcat\b", "concat", False),
        (r"\Bcat", "concat", True),
        (r"^\d{2,3}-\w+$", "123-ab_c", True),
        (r"^\d{2,3}$", "1234", False),
        (r"^[^\s,]+$", "a b", False),
        ("^(foo|ba[rz])+?$", "foobarbaz", True),
        ("^(?i:AB)c$", "abc", True),
        ("(?i)^[^a]$", "A", False),
        ("^a*b?$", "aaa", True),
        ("^(?:a|)x$", "x", True),
        ("^ä+$", "ää", True),
        (r"^\.$", "x", False),
        ("^[a-c-]+$", "a-c", True),
    ],
)
def test_patterns_mean_what_they_mean_in_python(pattern: str, text: str, expected: bool) -> None:
    context = {"pattern": pattern, "text": text}

    assert evaluate("regex_match(text, pattern)", context) is expected


@settings(max_examples=300, deadline=None)
@given(
    pattern=st.from_regex(r"\A(\^?([abc.]|\[\^?a-b\]|\((a|b|c)\|[ab]\))[*+?]?){1,5}\$?\Z"),
    text=st.text(alphabet="abcd\n", max_size=12),
)
def test_patterns_agree_with_re(pattern: str, text: str) -> None:
    import re

    expected = re.search(pattern, text) is not None

    assert evaluate("regex_match(t, p)", {"t": text, "p": pattern}) is expected
