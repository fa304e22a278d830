"""JSON from outside is bounded before it is parsed, and what comes of it can be stored."""

import time

import pytest

from webhooks.intake.json_bodies import parse_json
from webhooks.intake.parsed import Limits
from webhooks.intake.refusals import Malformed, TooLarge

LIMITS = Limits()


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"a": [1, 2.5, true, null, "x"]}', {"a": [1, 2.5, True, None, "x"]}),
        ("1", 1),
        ('"text"', "text"),
        (' \n{"a": "[[[[{{{{,,,,\\"\\\\"}', {"a": '[[[[{{{{,,,,"\\'}),
        ("1e-400", 0.0),
        ("9" * 100, int("9" * 100)),
        ('"\\ud83d\\ude00"', "😀"),
    ],
)
def test_json_is_read(text, value):
    assert parse_json(text, LIMITS) == (value, ())


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"a\\u0000": "b\\u0000"}', {"a�": "b�"}),
        ('["\\ud800", "\\uDFFF x"]', ["�", "� x"]),
        ('{"a": [{"b": "\\u0000"}]}', {"a": [{"b": "�"}]}),
    ],
)
def test_what_databases_refuse_is_marked(text, value):
    assert parse_json(text, LIMITS)[0] == value


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "line 1, column 2"),
        ('{"a":\n nope}', "line 2, column 2"),
        ("[1,]", "no valid JSON"),
        ("1 2", "no valid JSON"),
        ("NaN", "no `NaN`"),
        ("[-Infinity]", "no `-Infinity`"),
        ("1e400", "beyond 1e308"),
        ("-1e99999", "beyond 1e308"),
        ("9" * 101, "more than 100 digits"),
        ("0." + "3" * 100, "more than 100 digits"),
        ("9" * 5000, "more than 100 digits"),
        ('"\0"', "no valid JSON"),
    ],
)
def test_broken_json_is_refused_in_words(text, words):
    with pytest.raises(Malformed, match=words):
        parse_json(text, LIMITS)


@pytest.mark.parametrize("opening", ["[", '{"a":'])
def test_depth_ends_at_its_limit(opening):
    closing = "]" if opening == "[" else "}"
    assert parse_json(opening * 31 + "[]" + closing * 31, LIMITS)
    with pytest.raises(TooLarge, match="32 levels"):
        parse_json(opening * 32 + "[]" + closing * 32, LIMITS)
    with pytest.raises(TooLarge, match="32 levels"):
        parse_json(opening * 33 + "1" + closing * 33, LIMITS)


@pytest.mark.parametrize(
    ("text", "members"),
    [
        ("[1,2,3]", 3),
        ("[[],{},[ ]]", 3),
        ('{"a":1,"b":[1,2]}', 4),
        ('[{"a":1},{"b":2}]', 4),
        ("[]", 0),
        ('","', 0),
    ],
)
def test_keys_and_items_are_counted_exactly(text, members):
    parse_json(text, Limits(items=members))
    if members:
        with pytest.raises(TooLarge, match="keys and items"):
            parse_json(text, Limits(items=members - 1))


def test_of_a_repeated_key_the_last_counts_and_a_note_says_so():
    value, notes = parse_json('[{"a": 1, "b": 2, "a": 3}, {"a": 4}]', LIMITS)
    assert value == [{"a": 3, "b": 2}, {"a": 4}]
    assert notes == ("The key `a` stands more than once in an object; the last one counts.",)


@pytest.mark.parametrize(
    "text",
    [
        "[" * 1_000_000,
        '{"a":' * 200_000,
        "[]," * 333_333,
        '"\\' * 500_000,
        '"' * 1_000_000,
        '"a":' * 250_000,
        "[ " + " " * 1_000_000,
        ("[" + " " * 50) * 20_000,
        "1" * 1_000_000,
        "1e" + "9" * 1_000_000,
        "\\" * 1_000_000,
        "]" * 1_000_000,
    ],
    ids=range(12),
)
def test_a_megabyte_made_to_hurt_is_refused_soon(text):
    began = time.process_time()
    with pytest.raises((Malformed, TooLarge)):
        parse_json(text, LIMITS)
    # Each takes a fraction of it; what is quadratic would take minutes.
    assert time.process_time() - began < 5
