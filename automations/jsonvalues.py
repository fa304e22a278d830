"""Values as they are kept in the rows of runs: plain JSON, bounded, secrets by name."""

import json
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

from records.expressions import Symbol

MAX_BYTES: Final = 64 * 1024
_MAX_DEPTH: Final = 40


def plain(value: Any, depth: int = 0) -> Any:
    """The value as JSON has it: dates as ISO 8601, decimals as numbers, secrets as `{{ secrets.name }}`."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, str):
        return value.replace("\0", "\N{REPLACEMENT CHARACTER}")
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Symbol):
        return secret_by_name(value)
    if depth > _MAX_DEPTH:
        return "…"
    if isinstance(value, Mapping):
        return {str(key): plain(value[key], depth + 1) for key in value}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item, depth + 1) for item in value]
    return str(value)


def kept(value: Any) -> Any:
    """As `plain`, but what is too large to keep is cut to what tells what it was."""
    value = plain(value)
    if isinstance(value, dict | list | str) and value:
        size = len(json.dumps(value, ensure_ascii=False))
        if size > MAX_BYTES:
            return {"too_large": True, "bytes": size, "begins": json.dumps(value)[:1000]}
    return value


def secret_by_name(symbol: Symbol) -> str:
    """A secret as it was written, never its value; the placeholder is `secret~name~nonce~`."""
    parts = symbol.placeholder.split("~")
    return f"{{{{ secrets.{parts[1]} }}}}" if len(parts) > 1 else "(secret)"
