"""How large and how deep a document may be, and what no database can store. Pure."""

import re
from collections.abc import Mapping
from math import isfinite
from typing import Any, Final

from records.expressions.documents import pointer_token

MAX_BYTES: Final = 1024 * 1024
MAX_DEPTH: Final = 40
MAX_KEY: Final = 200  # characters
# Numbers of more digits can't be compared, and Python refuses to read some of them.
_MAX_INTEGER_BITS: Final = 512
_MAX_PROBLEMS: Final = 20
_find_half = re.compile("[\ud800-\udfff]").search


# Where something is: the place that it is in, and the step from there; None is the document itself. Written out
# only when something is wrong, because in a hostile document the texts of all places would fill the memory.
_Place = tuple[Any, Any] | None


def problems_with_size(document: Any) -> list[tuple[str, str]]:
    """(JSON Pointer, words) for what can't be read or stored at all. Works through it without recursion."""
    problems: list[tuple[str, str]] = []
    size = 0
    waiting: list[tuple[_Place, Any, int]] = [(None, document, 0)]
    while waiting and len(problems) < _MAX_PROBLEMS:
        place, value, depth = waiting.pop()
        size += 2 + (len(value) if isinstance(value, str) else 0)
        if isinstance(value, Mapping):
            size += sum(len(str(key)) + 2 for key in value)
        if size > MAX_BYTES:
            return [
                ("", f"It is larger than {MAX_BYTES // 1024 // 1024} MB; an automation is not.")
            ]
        words = _refused(value) or _refused_key(value)
        if not words and isinstance(value, Mapping | list) and depth >= MAX_DEPTH:
            words = f"It is nested more than {MAX_DEPTH} levels deep; use fewer."
        if words:
            problems.append((_pointer(place), words))
            continue
        if isinstance(value, Mapping):
            waiting += [((place, key), inner, depth + 1) for key, inner in value.items()]
        elif isinstance(value, list):
            waiting += [((place, number), inner, depth + 1) for number, inner in enumerate(value)]
    return sorted(problems)


def _pointer(place: _Place) -> str:
    steps = []
    while place is not None:
        place, step = place
        steps.append(f"/{pointer_token(step)}")
    return "".join(reversed(steps))


def _refused_key(value: Any) -> str:
    """Why one of an object's keys can't be stored; empty when all can."""
    for key in value if isinstance(value, Mapping) else ():
        if not isinstance(key, str):
            return "The keys of an object are texts."
        if len(key) > MAX_KEY:
            return f"A key is longer than {MAX_KEY} characters; use a shorter one."
        if words := _refused(key):
            return f"A key can't be used: {words}"
    return ""


def _refused(value: Any) -> str:
    """Why a value can't be stored; empty when it can."""
    if isinstance(value, str):
        if "\0" in value:
            return "The text has the character NUL, which can't be stored; take it out."
        if _find_half(value):
            return "The text has half a character (a lone surrogate); take it out."
        return ""
    if isinstance(value, float):
        return "" if isfinite(value) else "A number can't be infinite, or none at all."
    if isinstance(value, int):
        return "The number is too large." if value.bit_length() > _MAX_INTEGER_BITS else ""
    if value is None or isinstance(value, Mapping | list):
        return ""
    return "This is no JSON: write a text, a number, true, false, null, a list or an object."
