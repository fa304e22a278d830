"""What an expression can do with text; where a result can grow, it is bounded beforehand."""

from __future__ import annotations

import base64 as base64_codec
import html
import json
import re
from collections.abc import Callable, Mapping
from typing import Any, NoReturn
from urllib.parse import quote, quote_plus

from .errors import Problem
from .limits import Scope, check_list_size, check_text_size
from .values import (
    Encoded,
    check_number,
    describe,
    is_true,
    need_integer,
    need_text,
    refuse_symbol,
    to_json,
    to_text,
)

WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")


def source_text(scope: Scope, value: object) -> str:
    """Take the text to work on, paying for one pass over it."""
    text = need_text(value)
    check_text_size(len(text))
    scope.spend_text(len(text))
    return text


def change(convert: Callable[[str], str]) -> Callable[[Scope, object], str]:
    """Make a function that changes a text to one of at most some three times its length."""

    def run(scope: Scope, value: object) -> str:
        changed = convert(source_text(scope, value))
        check_text_size(len(changed))
        return changed

    return run


upper = change(str.upper)
lower = change(str.lower)
capitalize = change(str.capitalize)
title = change(lambda text: WORD.sub(lambda word: word[0].capitalize(), text))
escape = change(html.escape)
base64 = change(lambda text: base64_codec.b64encode(text.encode()).decode())


def string(scope: Scope, value: object) -> str:
    """Write any value as text, lists and objects as JSON."""
    refuse_symbol(value)
    return to_text(scope, value)


def tojson(scope: Scope, v: object, indent: int | None = None) -> str:
    """Write any value as JSON text."""
    refuse_symbol(v)
    text = to_json(scope, v, indent)
    check_text_size(len(text))
    return text


def refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)


def parse_json(scope: Scope, text: object) -> Any:
    """Read a JSON text."""
    source = source_text(scope, text)
    scope.spend(len(source) // 8)
    try:
        return json.loads(source, parse_constant=refuse_constant)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise Problem(f"this text is not JSON: {error.msg} at {where}") from None
    except (ValueError, RecursionError):
        raise Problem("this text is not JSON that can be read") from None


def trim(scope: Scope, value: object, chars: object = None) -> str:
    """Take away space (or the characters given) at both ends."""
    return source_text(scope, value).strip(chars if chars is None else need_text(chars))


def lstrip(scope: Scope, value: object, chars: object = None) -> str:
    return source_text(scope, value).lstrip(chars if chars is None else need_text(chars))


def rstrip(scope: Scope, value: object, chars: object = None) -> str:
    return source_text(scope, value).rstrip(chars if chars is None else need_text(chars))


def removeprefix(scope: Scope, value: object, prefix: object) -> str:
    return source_text(scope, value).removeprefix(need_text(prefix))


def removesuffix(scope: Scope, value: object, suffix: object) -> str:
    return source_text(scope, value).removesuffix(need_text(suffix))


def startswith(scope: Scope, value: object, prefix: object) -> bool:
    return source_text(scope, value).startswith(need_text(prefix))


def endswith(scope: Scope, value: object, suffix: object) -> bool:
    return source_text(scope, value).endswith(need_text(suffix))


def replace(scope: Scope, value: object, old: object, new: object, count: object = None) -> str:
    """Put a new text in the place of each old one, or of the first few."""
    text, before, after = source_text(scope, value), need_text(old), need_text(new)
    found = text.count(before)
    limit = -1 if count is None else need_integer(count)
    changes = found if limit < 0 else min(limit, found)
    check_text_size(len(text) + changes * (len(after) - len(before)))
    scope.spend(1 + changes // 8)
    return text.replace(before, after, changes)


def split(scope: Scope, value: object, sep: object = None, maxsplit: object = -1) -> list[str]:
    """Cut a text into a list, at each separator or at white space."""
    text = source_text(scope, value)
    separator = None if sep is None else need_text(sep)
    most = need_integer(maxsplit)
    if separator is not None:
        check_list_size(text.count(separator) + 1 if most < 0 else most)
    pieces = text.split(separator, most)
    check_list_size(len(pieces))
    scope.spend(len(pieces))
    return pieces


def truncate(
    scope: Scope,
    value: object,
    length: object = 255,
    killwords: object = False,
    end: object = "...",
    leeway: object = 5,
) -> str:
    """Cut a text to a length, ending included, at the end of a word unless `killwords`."""
    text, size, ending = source_text(scope, value), need_integer(length), need_text(end)
    if size < len(ending):
        raise Problem(f"the length must be at least that of the ending, {len(ending)}")
    if len(text) <= size + need_integer(leeway):
        return text
    cut = text[: size - len(ending)]
    return (cut if is_true(killwords) else cut.rsplit(" ", 1)[0]) + ending


def wordcount(scope: Scope, value: object) -> int:
    """Count the words of a text."""
    return len(WORD.findall(source_text(scope, value)))


def urlencode(scope: Scope, value: object) -> str:
    """Percent-encode a text, or make a query string of an object or of a list of pairs."""
    if isinstance(value, Mapping):
        value = [[key, value[key]] for key in value]
    if isinstance(value, (list, tuple)):
        check_list_size(len(value))
        pairs = [f"{encode_part(scope, k)}={encode_part(scope, v)}" for k, v in map(pair, value)]
        encoded = "&".join(pairs)
    else:
        encoded = quote(source_text(scope, value), safe="")
    check_text_size(len(encoded))
    return Encoded(encoded)


def encode_part(scope: Scope, value: object) -> str:
    """Encode a name or value of a query string, taking its room so that the whole stays bounded."""
    text = source_text(scope, value)
    scope.spend(1 + len(text) // 8)
    return quote_plus(text)


def pair(value: object) -> tuple[object, object]:
    if not isinstance(value, (list, tuple)) or len(value) != 2:
        raise Problem(f"pairs of a name and a value are needed here, not {describe(value)}")
    return value[0], value[1]


def character(text: str, place: int) -> str:
    """Give one character, counted from 0, or from the end when negative."""
    check_number(place)
    return text[place]
