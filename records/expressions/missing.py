"""What is not there, in words: unknown names, fields and functions, and what may be meant."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from .dates import PARTS
from .errors import Missing, Problem, suggest
from .library import (
    FILTERS,
    FUNCTIONS,
    METHODS,
    SPECIAL_FILTERS,
    SPECIAL_FUNCTIONS,
    usage,
)
from .limits import Scope
from .predicates import PREDICATES
from .values import Symbol, kind

# Words of other languages, and what they are here.
FOREIGN_NAMES: Final = {"null": "none", "nil": "none", "undefined": "none"}


def missing_name(name: str, scope: Scope, offset: int) -> Missing:
    """Say that there is no value of this name."""
    return Missing(lambda: explain_name(name, scope), offset)


def explain_name(name: str, scope: Scope) -> tuple[str, str | None]:
    if name in FUNCTIONS:
        return f"`{name}` is a function; write {usage(name, FUNCTIONS[name], 0)}", None
    if name in FOREIGN_NAMES:
        return f"unknown name `{name}`; write `{FOREIGN_NAMES[name]}`", FOREIGN_NAMES[name]
    return suggest(f"unknown name `{name}`", name, scope.names)


def missing_part(container: Any, name: object, where: str, offset: int) -> Problem:
    """Say that a value has no such attribute or item; `where` is its source, if it is a path."""
    if isinstance(container, Symbol):
        return symbol_problem(container, offset)
    return Missing(lambda: explain_part(container, name, where), offset)


def symbol_problem(symbol: Symbol, offset: int) -> Problem:
    return Problem(symbol.refusal, offset)


def explain_part(container: Any, name: object, where: str) -> tuple[str, str | None]:
    subject = f"`{where}`" if where else "this"
    shown = f"`{name}`" if isinstance(name, str) else f"[{name}]"
    if not isinstance(name, (str, int)):
        shown = f"item named by {kind(name)}"
    if container is None:
        return f"{subject} is empty, so it has no {shown}", None
    if isinstance(container, Mapping):
        return explain_key(container, name, subject, shown)
    if isinstance(container, (str, list, tuple)) and isinstance(name, int):
        size, what = len(container), "character" if isinstance(container, str) else "item"
        count = f"only {size} {what}{'' if size == 1 else 's'}" if size else f"no {what}s"
        return f"{subject} has {count}, so there is no {shown}", None
    message = f"{subject} is {kind(container)}, so it has no {shown}"
    if isinstance(container, (list, tuple)) and isinstance(name, str):
        hint = f"take an item with [0], or map(attribute='{name}') for all of them"
        return f"{message}; {hint}", None
    if has_method(container, name):
        return f"{message}; to call it, write {name}()", None
    return suggest(message, name, PARTS if isinstance(container, date) else ())


def has_method(container: object, name: object) -> bool:
    return isinstance(name, str) and name in METHODS and isinstance(container, METHODS[name][0])


def explain_key(
    container: Mapping[Any, Any], name: object, subject: str, shown: str
) -> tuple[str, str | None]:
    label = getattr(container, "label", "")
    noun = getattr(container, "noun", "field")
    message = f"{label} has no {noun} {shown}" if label else f"{subject} has no {shown}"
    if has_method(container, name):
        return f"{message}; to call it, write {name}()", None
    full, suggestion = suggest(message, name, container)
    if suggestion is None:
        start = f"{name}-".casefold()
        hyphened = (key for key in container if str(key).casefold().startswith(start))
        key = next(hyphened, None)
        if key is not None:  # X-Id reads as X minus Id
            return f"{message}; for `{key}` write ['{key}']", None
    return full, suggestion


def unknown_function(name: str, offset: int) -> Problem:
    """Say that nothing of this name can be called."""
    if name == "now":
        return Problem("`now` is a value, not a function; write it without ()", offset)
    message, suggestion = suggest(
        f"unknown function `{name}`", name, [*FUNCTIONS, *SPECIAL_FUNCTIONS]
    )
    return Problem(message + filter_hint(name, suggestion), offset, suggestion)


def unknown_method(name: str, offset: int) -> Problem:
    """Say that a value has nothing of this name to call."""
    message, suggestion = suggest(f"`{name}` can't be called on a value", name, METHODS)
    return Problem(message + filter_hint(name, suggestion), offset, suggestion)


def filter_hint(name: str, suggestion: str | None) -> str:
    if suggestion is not None or name not in {*FILTERS, *SPECIAL_FILTERS}:
        return ""
    return f"; there is a filter of this name: write value | {name}"


def unknown_filter(name: str, offset: int) -> Problem:
    """Say that there is no such filter."""
    message, suggestion = suggest(f"unknown filter `{name}`", name, [*FILTERS, *SPECIAL_FILTERS])
    return Problem(message, offset, suggestion)


def unknown_test(name: str, offset: int) -> Problem:
    """Say that there is no such test."""
    message, suggestion = suggest(f"unknown test `{name}`", name, PREDICATES)
    return Problem(message, offset, suggestion)


def refuse_here(value: object, offset: int) -> None:
    """Raise Problem, at this offset, if somebody tries to work with a symbol."""
    if isinstance(value, Symbol):
        raise symbol_problem(value, offset)
