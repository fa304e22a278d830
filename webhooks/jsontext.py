"""JSON text, read with errors in words and written without losing a digit. Pure."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any, NoReturn
from uuid import uuid4

# Beyond so many places a decimal is written with its exponent: 1E+400 would be 401 digits.
_PLAIN_EXPONENT = 30


class JSONTextError(Exception):
    """Text that is no JSON, or a value that JSON has no form for; `line` and `column` from 1, or 0."""

    def __init__(self, reason: str, *, line: int = 0, column: int = 0) -> None:
        super().__init__(reason)
        self.line = line
        self.column = column


# Longer texts are read anew each time, so that what is kept stays small.
_KEPT_LENGTH = 8_000


def read_json(text: str) -> Any:
    """Read JSON; 1500.00 keeps its digits as a Decimal. Raises JSONTextError. Never change the result.

    The result is kept, because a webhook's body is read for each of its events.
    """
    return _keep(text) if len(text) <= _KEPT_LENGTH else _read(text)


def _read(text: str) -> Any:
    try:
        return json.loads(
            text,
            parse_float=Decimal,
            parse_constant=_refuse_constant,
            object_pairs_hook=_without_duplicates,
        )
    except json.JSONDecodeError as error:
        words = f"not valid JSON: {_in_words(error)}"
        raise JSONTextError(words, line=error.lineno, column=error.colno) from None
    except RecursionError:
        raise JSONTextError("not valid JSON: it is nested too deeply.") from None
    except ValueError:
        raise JSONTextError("not valid JSON: it has a number of thousands of digits.") from None


_keep = lru_cache(maxsize=256)(_read)


def write_json(value: Any) -> str:
    """Compact JSON. Decimals keep all their digits, moments are ISO 8601 in UTC with Z.

    Raises JSONTextError for what JSON cannot hold.
    """
    # Python's encoder writes no Decimal: each gets a mark that no text has, which then makes way.
    numerals: dict[str, str] = {}

    def plain(item: Any) -> Any:
        if not isinstance(item, Decimal):
            return _plain(item)
        mark = f"decimal {uuid4().hex}"
        numerals[f'"{mark}"'] = _numeral(item)
        return mark

    try:
        text = json.dumps(
            value, ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=plain
        )
    except (ValueError, RecursionError):
        raise JSONTextError(
            "A number is infinite or none at all, or it is nested too deeply."
        ) from None
    for mark, numeral in numerals.items():
        text = text.replace(mark, numeral, 1)
    return text


def iso_moment(moment: datetime) -> str:
    """ISO 8601 in UTC, to the millisecond: "2025-01-15T10:30:00.250Z"; whole seconds without."""
    utc = moment.astimezone(UTC).replace(tzinfo=None)
    return utc.isoformat(timespec="milliseconds").removesuffix(".000") + "Z"


def _numeral(value: Decimal) -> str:
    if not value.is_finite():
        raise ValueError
    return f"{value:f}" if abs(value.adjusted()) <= _PLAIN_EXPONENT else str(value)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return iso_moment(value)
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, Iterable) and not isinstance(value, str | bytes):
        return list(value)
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def _refuse_constant(name: str) -> NoReturn:
    raise JSONTextError(f"not valid JSON: it has no `{name}`; write null, or a text.")


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        twice, _ = Counter(name for name, _ in pairs).most_common(1)[0]
        raise JSONTextError(f"The key `{twice[:100]}` stands twice in the same object.")
    return found


def _in_words(error: json.JSONDecodeError) -> str:
    text, place = error.doc, error.pos
    if not text.strip():
        return "it is empty."
    before = text[:place]
    if text[place - 1 : place + 1] == "{{" or text.startswith("{{", place):
        return 'put expressions between quotes, "{{ … }}"; one that stands alone keeps its type.'
    if before.rfind("{{") > before.rfind("}}"):
        return "in an expression within a JSON text, use single quotes: 'like this'."
    return f"{error.msg[:1].lower()}{error.msg[1:]}."
