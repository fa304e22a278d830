"""Values of rules and fields, read as numbers, moments, yes or no, and text."""

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, tzinfo
from decimal import Decimal
from typing import Any, Final, Literal

from records.expressions.amounts import read_number
from records.expressions.errors import Problem
from records.expressions.limits import MAX_VALUE_DEPTH
from records.expressions.values import describe, kind, need_text, refuse_symbol

# As the kinds of fields have it (`records.fieldkinds.base`), which can't be imported by what is pure.
CompareType = Literal["text", "number", "boolean", "date", "datetime", "list", "json"]
Number = int | Decimal
When = date | datetime

_TRUTHS: Final = {"true": True, "yes": True, "false": False, "no": False}


def is_empty(value: object) -> bool:
    """Nothing, blank text, an empty list or object; no number and no yes or no is empty."""
    if isinstance(value, str):
        return not value or value.isspace()
    return value is None or (isinstance(value, list | tuple | Mapping) and not value)


def number_in(value: object) -> Number | None:
    """The number, or that of a text; None when it is neither. Raises Problem for NaN and the like."""
    if isinstance(value, bool):
        return None
    number = read_number(value)
    return Decimal(repr(number)) if isinstance(number, float) else number


def number_of(value: object) -> Number:
    """The number that a rule names; raises Problem."""
    number = number_in(value)
    if number is None:
        raise Problem(f"give a number, not {describe(value)}")
    return number


def truth_in(value: object) -> bool | None:
    """Yes or no, also as text; None when it is neither."""
    if isinstance(value, bool):
        return value
    return _TRUTHS.get(value.strip().lower()) if isinstance(value, str) else None


def when_in(value: object) -> When | None:
    """The date or moment, or that of an ISO 8601 text, its time zone as it is; None when it is neither."""
    if isinstance(value, date):
        return value
    if not isinstance(value, str) or not 8 <= len(value) <= 40:
        return None
    text = value.strip()
    for read in (date.fromisoformat, datetime.fromisoformat):
        try:
            return read(text)
        except ValueError:
            continue
    return None


def instant(when: When, zone: tzinfo) -> When:
    """A moment in UTC; a date stays as it is.

    Moments are compared in UTC: Python compares those of one zone by the clock on the wall, which stands twice at
    half past two when summer ends.
    """
    if not isinstance(when, datetime):
        return when
    return _moved(when if when.tzinfo else when.replace(tzinfo=zone), UTC)


def day(when: When, zone: tzinfo) -> date:
    """The day of a moment in this zone; a date stays as it is."""
    if not isinstance(when, datetime):
        return when
    return _moved(when, zone).date() if when.tzinfo else when.date()


def aligned(one: When, other: When, zone: tzinfo) -> tuple[When, When]:
    """Two moments, or where one of them is a date, two days."""
    if isinstance(one, datetime) and isinstance(other, datetime):
        return instant(one, zone), instant(other, zone)
    return day(one, zone), day(other, zone)


def text_of(value: object) -> str:
    """Text as it is, anything else single as it is written, nothing as no text; raises Problem for lists."""
    return value if type(value) is str else need_text(value)


def identity(value: Any, depth: int = 0) -> Any:
    """A key that two values share when JSON calls them equal: 1 is 1.0 but not true; raises Problem.

    It can be hashed, so that long lists are compared in one go.
    """
    if depth > MAX_VALUE_DEPTH:
        raise Problem(f"this value is nested more than {MAX_VALUE_DEPTH} levels deep")
    if isinstance(value, bool):
        return (bool, value)
    if isinstance(value, int | float | Decimal):
        return number_in(value)
    if isinstance(value, datetime):
        return instant(value, UTC)
    if isinstance(value, list | tuple):
        return (list, tuple(identity(item, depth + 1) for item in value))
    if isinstance(value, Mapping):
        return (dict, frozenset((key, identity(value[key], depth + 1)) for key in value))
    if value is None or isinstance(value, str | date | time):
        return value
    raise Problem(f"{kind(value)} can't be compared")


def wanted(value: Any, compare_type: CompareType | None) -> Any:
    """What a rule compares with, as the type of its field asks for; raises Problem when it makes no sense there."""
    refuse_symbol(value)
    if is_empty(value):
        return None
    read = _READERS.get(compare_type or "")
    return read(value) if read else value


def bound(value: Any, compare_type: CompareType | None) -> Number | When:
    """What sizes are compared with: a number, or a date or moment; raises Problem."""
    refuse_symbol(value)
    if is_empty(value):
        raise Problem("there is nothing to compare with; give a number or a date")
    if compare_type == "number":
        return number_of(value)
    if compare_type in ("date", "datetime"):
        return _when(value)
    found = number_in(value)
    if found is None:
        return _when(value, "a number or a date")
    return found


def _truth(value: object) -> bool:
    truth = truth_in(value)
    if truth is None:
        raise Problem(f"give yes or no (true or false), not {describe(value)}")
    return truth


def _when(value: object, words: str = "a date") -> When:
    when = when_in(value)
    if when is None:
        raise Problem(f"give {words} (2025-01-31 or 2025-01-31T10:30, say), not {describe(value)}")
    return when


def _text(value: object) -> str:
    if isinstance(value, list | tuple | Mapping):
        raise Problem(f"give a text, not {kind(value)}")
    return text_of(value)


def _list(value: object) -> object:
    if not isinstance(value, list | tuple):
        raise Problem(f'give a list of all its entries (["a", "b"]), not {describe(value)}')
    return value


def _moved(moment: datetime, zone: tzinfo) -> datetime:
    try:
        return moment.astimezone(zone)
    except OverflowError:
        raise Problem("this moment is before the year 1 or after the year 9999") from None


_READERS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "text": _text,
    "number": number_of,
    "boolean": _truth,
    "date": _when,
    "datetime": _when,
    "list": _list,
}
