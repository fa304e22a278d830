"""Values as the trace keeps them: JSON that any database takes, not too long, and never a secret."""

from collections.abc import Mapping
from datetime import date, time
from decimal import Decimal
from math import isfinite
from typing import Any, Final

from records.expressions import Namespace, Symbol
from records.expressions.limits import MAX_INTEGER_BITS
from records.expressions.values import json_form, kind, scalar_text

MAX_TEXT: Final = 500  # characters
MAX_ENTRIES: Final = 20  # of a list or object
MAX_DEPTH: Final = 4


def shown(value: Any, depth: int = 0) -> Any:
    """A value as JSON; a secret appears as what it is called, other things JSON can't say by their kind."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return shown_text(value)
    if isinstance(value, int | float | Decimal):
        return _number(value)
    if isinstance(value, date | time):
        return scalar_text(value)
    if isinstance(value, Symbol | Namespace):
        return _named(value)
    if isinstance(value, list | tuple | Mapping) and depth >= MAX_DEPTH:
        return "…"
    if isinstance(value, Mapping):
        return _object(value, depth)
    if isinstance(value, list | tuple):
        return _list(value, depth)
    return shown_text(kind(value))


def shown_text(text: str) -> str:
    """Without what PostgreSQL's JSON refuses: NUL, and halves of characters."""
    cut = text if len(text) <= MAX_TEXT else text[: MAX_TEXT - 1] + "…"
    return cut.replace("\x00", "␀").encode("utf-8", "replace").decode()


def _number(value: float | Decimal) -> Any:
    if isinstance(value, int):
        return value if value.bit_length() <= MAX_INTEGER_BITS else "a very large number"
    if isinstance(value, float):
        return value if isfinite(value) else str(value)
    if not value.is_finite():
        return str(value)
    return json_form(value) if abs(value.adjusted()) <= 100 else f"{value:.20E}"


def _named(value: Symbol | Namespace) -> str:
    """What works its values out on demand is not asked for all of them."""
    return shown_text(value.noun if isinstance(value, Symbol) else value.label or "an object")


def _object(value: Mapping[Any, Any], depth: int) -> dict[str, Any]:
    keys = list(value)
    room = MAX_ENTRIES if len(keys) <= MAX_ENTRIES else MAX_ENTRIES - 1
    entries = {shown_text(str(key)): shown(value[key], depth + 1) for key in keys[:room]}
    if len(keys) > room:
        entries["…"] = f"{len(keys) - room:,} more"
    return entries


def _list(value: list[Any] | tuple[Any, ...], depth: int) -> list[Any]:
    room = MAX_ENTRIES if len(value) <= MAX_ENTRIES else MAX_ENTRIES - 1
    entries = [shown(entry, depth + 1) for entry in value[:room]]
    return entries if len(value) <= room else [*entries, f"… {len(value) - room:,} more"]
