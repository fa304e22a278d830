"""The whitelist: every function, filter and method an expression can name, and no other.

Each takes the Scope it pays from, then the values. A filter's or method's first value is what
stands before it. `default`, `coalesce`, `map`, `select` and their kin get their arguments in a
special way and are built in `calls`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from functools import lru_cache
from inspect import Parameter, Signature, signature
from typing import Any, Final

from . import amounts, dates, lists, texts
from .errors import Problem
from .limits import Scope
from .patterns import regex_match
from .values import datetime_text

Function = Callable[..., Any]

FUNCTIONS: Final[dict[str, Function]] = {
    "date_add": dates.date_add,
    "date_diff": dates.date_diff,
    "format_date": dates.format_date,
    "parse_date": dates.parse_date,
    "parse_json": texts.parse_json,
    "to_json": texts.tojson,
    "regex_match": regex_match,
    "length": lists.length,
    "round": amounts.rounded,
    "abs": amounts.absolute,
    "min": lists.extreme_of(min),
    "max": lists.extreme_of(max),
    "sum": lists.total,
}

FILTERS: Final[dict[str, Function]] = {
    **FUNCTIONS,
    "min": lists.smallest,
    "max": lists.largest,
    "base64": texts.base64,
    "batch": lists.batch,
    "capitalize": texts.capitalize,
    "count": lists.length,
    "decimal": amounts.to_decimal,
    "e": texts.escape,
    "escape": texts.escape,
    "first": lists.first,
    "float": amounts.to_float,
    "int": amounts.to_integer,
    "items": lists.pairs,
    "join": lists.join,
    "keys": lists.keys,
    "last": lists.last,
    "list": lists.as_list,
    "lower": texts.lower,
    "replace": texts.replace,
    "reverse": lists.backwards,
    "sort": lists.sort,
    "split": texts.split,
    "string": texts.string,
    "title": texts.title,
    "tojson": texts.tojson,
    "trim": texts.trim,
    "truncate": texts.truncate,
    "unique": lists.unique,
    "upper": texts.upper,
    "urlencode": texts.urlencode,
    "values": lists.contents,
    "wordcount": texts.wordcount,
}

SPECIAL_FILTERS: Final = frozenset(
    {"d", "default", "map", "select", "reject", "selectattr", "rejectattr"}
)
SPECIAL_FUNCTIONS: Final = frozenset({"coalesce"})


def isoformat(scope: Scope, value: date) -> str:
    return datetime_text(value) if isinstance(value, datetime) else value.isoformat()


def day(scope: Scope, value: date) -> date:
    return value.date() if isinstance(value, datetime) else value


# The type of value that has it, and what it does.
METHODS: Final[dict[str, tuple[type, Function]]] = {
    "capitalize": (str, texts.capitalize),
    "endswith": (str, texts.endswith),
    "lower": (str, texts.lower),
    "lstrip": (str, texts.lstrip),
    "removeprefix": (str, texts.removeprefix),
    "removesuffix": (str, texts.removesuffix),
    "replace": (str, texts.replace),
    "rstrip": (str, texts.rstrip),
    "split": (str, texts.split),
    "startswith": (str, texts.startswith),
    "strip": (str, texts.trim),
    "title": (str, texts.title),
    "upper": (str, texts.upper),
    "get": (Mapping, lists.get),
    "items": (Mapping, lists.pairs),
    "keys": (Mapping, lists.keys),
    "values": (Mapping, lists.contents),
    "date": (date, day),
    "isoformat": (date, isoformat),
    "strftime": (date, dates.format_date),
}


@lru_cache(maxsize=512)
def signature_of(function: Function) -> Signature:
    """Give the signature as the user sees it, without the scope."""
    whole = signature(function)
    return whole.replace(parameters=list(whole.parameters.values())[1:])


def usage(name: str, function: Function, given: int) -> str:
    """Write how a function is called, leaving out the values that stand before it."""
    parameters = list(signature_of(function).parameters.values())[given:]
    words = [
        f"{parameter.name}…"
        if parameter.kind is Parameter.VAR_POSITIONAL
        else parameter.name
        if parameter.default is Parameter.empty
        else f"[{parameter.name}]"
        for parameter in parameters
    ]
    return f"{name}({', '.join(words)})"


def check_arguments(
    name: str, function: Function, given: int, positional: int, named: list[str]
) -> None:
    """Raise Problem unless the function can be called with so many arguments and these names."""
    try:
        signature_of(function).bind(*[None] * (given + positional), **dict.fromkeys(named))
    except TypeError:
        shown = usage(name, function, given)
        raise Problem(f"`{name}` does not take these arguments; it is {shown}") from None
