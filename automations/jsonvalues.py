"""Values as they are kept in the rows of runs: plain JSON, bounded, secrets by name."""

import json
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from math import isfinite
from typing import Any, Final

from records.expressions import Symbol
from records.expressions.values import datetime_text

MAX_BYTES: Final = 64 * 1024
_MAX_DEPTH: Final = 40


def plain(value: Any, depth: int = 0) -> Any:
    """The value as JSON has it: dates as ISO 8601, decimals as numbers, secrets as `{{ secrets.name }}`."""
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, Mapping | list | tuple | set | frozenset):
        return _plain_parts(value, depth)
    if isinstance(value, float | Decimal):
        return _plain_number(value)
    if isinstance(value, datetime):
        return datetime_text(value)
    if isinstance(value, date):
        return value.isoformat()
    return secret_by_name(value) if isinstance(value, Symbol) else _storable(str(value))


def _plain_parts(value: Any, depth: int) -> Any:
    if depth > _MAX_DEPTH:
        return "…"
    if isinstance(value, Mapping):
        return {_storable(str(key)): plain(value[key], depth + 1) for key in value}
    return [plain(item, depth + 1) for item in value]


def _plain_number(value: float | Decimal) -> Any:
    """What is infinite, or no number, is text: JSON has no form for it."""
    if isinstance(value, Decimal):
        if value.is_finite() and value == value.to_integral_value():
            return int(value)
        value = float(value)
    return value if isfinite(value) else str(value)


def kept(value: Any) -> Any:
    """As `plain`, but what is too large to keep is cut to what tells what it was."""
    value = plain(value)
    if isinstance(value, dict | list | str) and value:
        size = len(json.dumps(value, ensure_ascii=False))
        if size > MAX_BYTES:
            return {"too_large": True, "bytes": size, "begins": json.dumps(value)[:1000]}
    return value


def capped(value: Any, max_bytes: int) -> Any:
    """As `plain`, but what is longer than so much JSON is the beginning of its text."""
    value = plain(value)
    text = json.dumps(value, ensure_ascii=False)
    if len(text) <= max_bytes:
        return value
    shown = value if isinstance(value, str) else text
    return f"{shown[: max(0, max_bytes - 3)]}…"


def _storable(text: str) -> str:
    """Without what databases refuse: NUL, and halves of characters (lone surrogates)."""
    text = text.replace("\0", "\N{REPLACEMENT CHARACTER}")
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def secret_by_name(symbol: Symbol) -> str:
    """A secret as it was written, never its value; the placeholder is `secret~name~nonce~`."""
    parts = symbol.placeholder.split("~")
    return f"{{{{ secrets.{parts[1]} }}}}" if len(parts) > 1 else "(secret)"
