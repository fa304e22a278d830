"""The values an expression works on: their kinds in plain words, their forms as text and JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime, time
from decimal import Decimal
from math import isfinite
from typing import Any, Final, Self

from .errors import Problem
from .limits import MAX_DECIMAL_EXPONENT, MAX_INTEGER_BITS, MAX_VALUE_DEPTH, Scope

Number = int | float | Decimal
NUMBERS: Final = (int, float, Decimal)


class Namespace(dict[str, Any]):
    """A dict that can say what it is in an error: "Leads has no field `nmae`".

    `label` names the container, `noun` what it holds. A subclass may work values out on demand in
    `__getitem__` (raising KeyError for what is not there); iterating over it gives the names to
    suggest.
    """

    __slots__ = ("label", "noun")

    def __init__(
        self,
        values: Mapping[str, Any] | Iterable[tuple[str, Any]] = (),
        *,
        label: str = "",
        noun: str = "field",
    ) -> None:
        super().__init__(values)
        self.label = label
        self.noun = noun


class Symbol:
    """Something that stands for a value not known here, a secret for example.

    It can be inserted in a text, where its placeholder appears, or be a whole value, where the
    object itself is given; an expression can do nothing else with it. `noun` names its kind in
    errors.
    """

    __slots__ = ("noun", "placeholder")

    def __init__(self, placeholder: str, *, noun: str = "a secret") -> None:
        self.placeholder = placeholder
        self.noun = noun

    @property
    def refusal(self) -> str:
        """The message when an expression tries to work with it."""
        return f"{self.noun} can only be inserted as it is"

    def __str__(self) -> str:
        return self.placeholder

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self.noun}>"


class Reference(str):
    """The id of something that can be looked up: text in every use, and `record.company.name` leads on.

    `find` is called when the first name behind it is asked for, and once only.
    """

    __slots__ = ("_find", "_target")

    _find: Callable[[], Namespace]
    _target: Namespace | None

    def __new__(cls, text: str, find: Callable[[], Namespace]) -> Self:
        reference = super().__new__(cls, text)
        reference._find = find
        reference._target = None
        return reference

    @property
    def target(self) -> Namespace:
        if self._target is None:
            self._target = self._find()
        return self._target


class Encoded(str):
    """A text that is percent-encoded already, so a URL takes it as it is."""

    __slots__ = ()


class Absent:
    """The type of ABSENT, which stands for "there is nothing here" where None may be a value."""

    __slots__ = ()


ABSENT: Final = Absent()


def refuse_symbol(value: object) -> None:
    """Raise Problem if somebody tries to work with a symbol."""
    if isinstance(value, Symbol):
        raise Problem(value.refusal)


KINDS: tuple[tuple[type | tuple[type, ...], str], ...] = (
    (type(None), "an empty value"),
    (Absent, "a missing value"),
    (bool, "a yes/no value"),
    (NUMBERS, "a number"),
    (str, "text"),
    ((list, tuple), "a list"),
    (datetime, "a date and time"),
    (date, "a date"),
    (time, "a time"),
    (Mapping, "an object"),
)


def kind(value: object) -> str:
    """Say what a value is, in plain words with their article."""
    if isinstance(value, Symbol):
        return value.noun
    return next((words for types, words in KINDS if isinstance(value, types)), "a special value")


def is_number(value: object) -> bool:
    """Tell numbers, yes/no values not among them."""
    return isinstance(value, NUMBERS) and not isinstance(value, bool)


def check_number(number: Number) -> Number:
    """Give the number back, unless it is too large or none at all."""
    if isinstance(number, int):
        sound = number.bit_length() <= MAX_INTEGER_BITS
    elif isinstance(number, float):
        sound = isfinite(number)
    else:
        sound = number.is_finite() and abs(number.adjusted()) <= MAX_DECIMAL_EXPONENT
    if not sound:
        raise Problem("this number is too large, or not a number at all")
    return number


def float_text(value: float) -> str:
    """Write a float without needless noise: 3.0 is 3, and 0.1 + 0.2 is 0.3."""
    check_number(value)
    if value.is_integer() and abs(value) < 1e16:
        return str(int(value))
    return f"{value:.15g}"


def decimal_text(value: Decimal) -> str:
    """Write a decimal in plain notation, all its digits kept."""
    check_number(value)
    return f"{value:f}"


def datetime_text(value: datetime) -> str:
    """Write a moment as ISO 8601 in UTC with Z; without a time zone it is taken to be UTC."""
    moment = value.astimezone(UTC) if value.tzinfo else value
    return moment.replace(tzinfo=None).isoformat() + "Z"


TEXT_FORMS: dict[type, Callable[[Any], str]] = {
    str: str,
    type(None): lambda value: "",
    bool: lambda value: "true" if value else "false",
    int: lambda value: str(check_number(value)),
    float: float_text,
    Decimal: decimal_text,
    datetime: datetime_text,
    date: date.isoformat,
    time: time.isoformat,
}


def scalar_text(value: object) -> str:
    """Write anything that is not a list or object as text."""
    write = TEXT_FORMS.get(type(value))
    if write is None:
        refuse_symbol(value)
        # Subclasses last, so that an enum of texts or of numbers shows its own text.
        write = next(
            (TEXT_FORMS[base] for base in (datetime, date) if isinstance(value, base)), str
        )
    return write(value)


def to_text(scope: Scope, value: object) -> str:
    """Write any value as text: lists and objects as compact JSON, None as nothing."""
    if isinstance(value, (Mapping, list, tuple)):
        return to_json(scope, value)
    return scalar_text(value)


def need_text(value: object) -> str:
    """Take text, or a single value written as text; lists and objects are refused."""
    if isinstance(value, str):
        return value
    if isinstance(value, (Mapping, list, tuple)):
        raise Problem(f"text is needed here, not {kind(value)}")
    return scalar_text(value)


def need_list(scope: Scope, value: object) -> list[Any] | tuple[Any, ...]:
    """Take a list (of an object, its keys), paying for the work of going through it."""
    if isinstance(value, Mapping):
        value = list(value)
    if not isinstance(value, (list, tuple)):
        refuse_symbol(value)
        raise Problem(f"a list is needed here, not {kind(value)}")
    scope.spend(1 + len(value))
    return value


def need_integer(value: object) -> int:
    """Take a whole number."""
    if is_number(value):
        number = check_number(value)  # type: ignore[arg-type]
        if number == int(number):
            return int(number)
    raise Problem(f"a whole number is needed here, not {describe(value)}")


def describe(value: object) -> str:
    """Say what a value is, and for a number or short text also which."""
    if is_number(value):
        return f"`{scalar_text(value)}`"
    if isinstance(value, str) and 0 < len(value) <= 40:
        return f"the text `{value}`"
    return kind(value)


def need_number(value: object) -> Number:
    """Take a number; yes and no count as 1 and 0."""
    if not isinstance(value, NUMBERS):
        refuse_symbol(value)
        raise Problem(f"a number is needed here, not {describe(value)}")
    return check_number(value)


def is_true(value: object) -> bool:
    """Take a value as yes or no: empty, zero and nothing are no."""
    refuse_symbol(value)
    return bool(value)


def plain(value: Any, pay: Callable[[int], None], depth: int = 0) -> Any:
    """Copy a value into plain lists and dicts, paying one for each item and for each character."""
    if depth > MAX_VALUE_DEPTH:
        raise Problem(f"this value is nested more than {MAX_VALUE_DEPTH} levels deep")
    if isinstance(value, str):
        pay(1 + len(value))
        return str(value)
    pay(1)
    if isinstance(value, Mapping):
        return {
            key if isinstance(key, str) else scalar_text(key): plain(value[key], pay, depth + 1)
            for key in value
        }
    if isinstance(value, (list, tuple)):
        return [plain(item, pay, depth + 1) for item in value]
    return value


def json_form(value: object) -> object:
    """Write what JSON has no form for: a decimal as a number if it stays exact, else as text."""
    if isinstance(value, Decimal):
        check_number(value)
        if value == value.to_integral_value():
            return int(value)
        number = float(value)
        return number if Decimal(repr(number)) == value else decimal_text(value)
    return scalar_text(value)


def to_json(scope: Scope, value: object, indent: int | None = None) -> str:
    """Write any value as JSON, compact unless an indent (0 to 4 spaces) is given."""
    if indent is not None and not 0 <= need_integer(indent) <= 4:
        raise Problem("the indent must be between 0 and 4")
    purse = Scope({})
    whole = purse.room
    cost = 1 if indent is None else 16  # indented lines are mostly space
    content = plain(value, lambda size: purse.emit(size * cost))
    scope.spend(1 + (whole - purse.room) // 8)
    try:
        return json.dumps(
            content,
            ensure_ascii=False,
            allow_nan=False,
            separators=(",", ":") if indent is None else (",", ": "),
            indent=indent,
            default=json_form,
        )
    except ValueError:  # infinite, not a number, or of thousands of digits
        raise Problem("this value holds a number that JSON can't write") from None
