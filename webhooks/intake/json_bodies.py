"""JSON from outside: bounded before it is parsed, and made storable. Pure."""

import json
import math
import re
from collections import Counter
from typing import Any, Final, NoReturn

from webhooks.intake.cleaning import clean_text, clean_value
from webhooks.intake.parsed import Limits
from webhooks.intake.refusals import Malformed, TooLarge

# Longer numbers are identifiers or mistakes. It also keeps every integer within what a float can be compared with.
MAX_NUMBER_LENGTH: Final = 100
_NAMED_IN_A_NOTE: Final = 3

# The last one may lack its end. Possessive throughout, so that nothing is looked at twice.
_STRING: Final = re.compile(r'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)
_EMPTY: Final = re.compile(r"[\[{][ \t\r\n]*+[\]}]")
_BRACKET: Final = re.compile(r"[\[\]{}]")
_ESCAPED_UNSTORABLE: Final = re.compile(r"\\u(?:0000|[dD][89a-fA-F])")


def parse_json(text: str, limits: Limits) -> tuple[Any, tuple[str, ...]]:
    """The value, and notes in words. Of a key that comes twice in an object the last one counts, and a note says so.

    Numbers are int and float, as databases keep them; `raw` has all digits. Raises Malformed, TooLarge.
    """
    _check_structure(text, limits)
    repeated: dict[str, None] = {}

    def as_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            counts = Counter(name for name, _ in pairs)
            repeated.update((name, None) for name, count in counts.items() if count > 1)
        return found

    try:
        value = json.loads(
            text,
            object_pairs_hook=as_object,
            parse_int=_integer,
            parse_float=_decimal,
            parse_constant=_refuse_constant,
        )
    except json.JSONDecodeError as error:
        raise Malformed(_in_words(error)) from None
    if _ESCAPED_UNSTORABLE.search(text):
        value = clean_value(value)
    return value, _notes(list(repeated))


def _check_structure(text: str, limits: Limits) -> None:
    """Raise TooLarge before the parser, which calls itself for each level, sees what is too deep or too much."""
    bare = _STRING.sub('"', text)
    # A key or an item follows each comma, and each opening bracket unless nothing is in it.
    openings = bare.count("[") + bare.count("{")
    members = bare.count(",") + openings
    if members > limits.items and members - len(_EMPTY.findall(bare)) > limits.items:
        raise TooLarge(
            f"The JSON has more than {limits.items:,} keys and items. Send it in several requests."
        )
    if openings > limits.depth and _depth(bare, limits.depth) > limits.depth:
        raise TooLarge(
            f"The JSON is nested more than {limits.depth} levels deep. "
            "Send it flatter, or the deep part as a text."
        )


def _depth(bare: str, enough: int) -> int:
    """How deep brackets are nested; no further than one level beyond what is enough."""
    depth = deepest = 0
    for bracket in _BRACKET.findall(bare):
        if bracket in "[{":
            depth += 1
            deepest = max(deepest, depth)
            if deepest > enough:
                break
        else:
            depth -= 1
    return deepest


def _integer(digits: str) -> int:
    if len(digits) > MAX_NUMBER_LENGTH:
        _refuse_number()
    return int(digits)


def _decimal(digits: str) -> float:
    number = float(digits)
    if len(digits) > MAX_NUMBER_LENGTH or math.isinf(number):
        _refuse_number()
    return number


def _refuse_number() -> NoReturn:
    raise Malformed(
        f"The JSON has a number of more than {MAX_NUMBER_LENGTH} digits, or one beyond 1e308. Send it as a text."
    )


def _refuse_constant(name: str) -> NoReturn:
    raise Malformed(f"The body is no valid JSON: it has no `{name}`. Send null, or a text.")


def _in_words(error: json.JSONDecodeError) -> str:
    reason = f"{error.msg[:1].lower()}{error.msg[1:]}"
    return (
        f"The body is no valid JSON: {reason} at line {error.lineno:,}, column {error.colno:,}. "
        "Send JSON, or say in Content-Type what it is."
    )


def _notes(repeated: list[str]) -> tuple[str, ...]:
    return tuple(
        f"The key `{clean_text(name[:50])}` stands more than once in an object; the last one counts."
        for name in repeated[:_NAMED_IN_A_NOTE]
    )
