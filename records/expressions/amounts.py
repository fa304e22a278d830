"""What an expression can do with numbers."""

from __future__ import annotations

from collections.abc import Callable
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Context, Decimal, InvalidOperation
from typing import Any, Final

from .errors import Problem
from .limits import MAX_INTEGER_BITS, Scope
from .values import (
    ABSENT,
    NUMBERS,
    Number,
    check_number,
    describe,
    need_integer,
    need_number,
    need_text,
    refuse_symbol,
)

MAX_DIGITS = 60  # characters of a number written as text
ROUNDING: Final = {"common": ROUND_HALF_UP, "ceil": ROUND_CEILING, "floor": ROUND_FLOOR}
# Enough digits for any number that `check_number` lets pass.
EXACT: Final = Context(prec=1_000)


def read_number(value: object) -> Number | None:
    """Take a number, or the text of one; None when it is neither."""
    refuse_symbol(value)
    if isinstance(value, NUMBERS):
        return check_number(value)
    if not isinstance(value, str) or len(value) > MAX_DIGITS:
        return None
    try:
        return check_number(Decimal(value.strip()))
    except (InvalidOperation, Problem):
        return None


def conversion(
    words: str, convert: Callable[[Number], Number]
) -> Callable[[Scope, object, object], Any]:
    """Make a filter that reads a number, or gives the default when there is none."""

    def run(scope: Scope, value: object, default: object = ABSENT) -> Any:
        number = read_number(value)
        if number is not None:
            return check_number(convert(number))
        if default is ABSENT:
            raise Problem(f"can't read {describe(value)} as {words}; a default in () may help")
        return default

    return run


to_integer = conversion("a whole number", int)
to_float = conversion("a number", float)
to_decimal = conversion(
    "a number", lambda n: Decimal(repr(n)) if isinstance(n, float) else Decimal(n)
)


def absolute(scope: Scope, x: object) -> Any:
    """Take away the minus sign."""
    return abs(need_number(x))


def rounded(scope: Scope, x: object, precision: object = 0, method: object = "common") -> Any:
    """Round to so many places, halves away from zero; method: common, ceil or floor."""
    number, places = need_number(x), need_integer(precision)
    rounding = ROUNDING.get(need_text(method))
    if rounding is None:
        raise Problem(f"unknown way to round {describe(method)}; known are {', '.join(ROUNDING)}")
    if abs(places) > MAX_INTEGER_BITS // 4:
        raise Problem("too many places to round to")
    exact = Decimal(repr(number)) if isinstance(number, float) else Decimal(number)
    if exact.as_tuple().exponent >= -places and places >= 0:  # type: ignore[operator]
        result = exact
    else:
        result = exact.quantize(Decimal(1).scaleb(-places), rounding=rounding, context=EXACT)
    if places <= 0 and not isinstance(number, Decimal):
        return int(result)
    return type(number)(result) if places > 0 else Decimal(int(result))
