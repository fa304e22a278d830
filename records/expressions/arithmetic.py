"""Arithmetic and comparison, for the kinds of values where they make sense, and bounded."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any, Final

from .dates import moment_of, read
from .errors import Problem
from .limits import MAX_INTEGER_BITS, Scope, check_list_size, check_text_size
from .values import (
    NUMBERS,
    Number,
    Symbol,
    check_number,
    kind,
    need_number,
    refuse_symbol,
    scalar_text,
    to_text,
)

Operation = Callable[[Scope, Any, Any], Any]

PHRASES: Final = {
    "+": "add {a} and {b}",
    "-": "take {b} away from {a}",
    "*": "multiply {a} by {b}",
    "/": "divide {a} by {b}",
    "//": "divide {a} by {b}",
    "%": "divide {a} by {b}",
    "**": "raise {a} to the power of {b}",
}

DIVIDING: Final = frozenset({"/", "//", "%"})


def refuse(sign: str, a: object, b: object) -> Problem:
    """Say that an operation makes no sense for these kinds of values, and what would."""
    refuse_symbol(a)
    refuse_symbol(b)
    message = "can't " + PHRASES[sign].format(a=kind(a), b=kind(b))
    if isinstance(a, date) or isinstance(b, date):
        message += "; use date_add or date_diff"
    elif sign == "+" and (isinstance(a, str) or isinstance(b, str)):
        message += "; join texts with ~, or make a number of a text with |float"
    elif isinstance(a, str) or isinstance(b, str):
        message += "; make a number of a text with |float"
    return Problem(message)


def same_kind(a: Number, b: Number) -> tuple[Any, Any]:
    """Let floats and decimals meet as decimals, a float counting for what it shows."""
    if isinstance(a, Decimal) and isinstance(b, float):
        return a, Decimal(repr(b))
    if isinstance(a, float) and isinstance(b, Decimal):
        return Decimal(repr(a)), b
    return a, b


def arithmetic(sign: str, compute: Callable[[Any, Any], Any]) -> Operation:
    """Make an operation on two numbers."""

    def run(scope: Scope, a: Any, b: Any) -> Any:
        if not (isinstance(a, NUMBERS) and isinstance(b, NUMBERS)):
            raise refuse(sign, a, b)
        if b == 0 and sign in DIVIDING:
            raise Problem("can't divide by zero")
        try:
            return check_number(compute(*same_kind(a, b)))
        except ArithmeticError:
            raise Problem("this number is too large, or not a number at all") from None

    return run


def multiply(a: Any, b: Any) -> Any:
    check_number(a)
    check_number(b)
    return a * b


def power(a: Any, b: Any) -> Any:
    check_number(a)
    check_number(b)
    if isinstance(a, int) and isinstance(b, int):
        if b > 0 and abs(a) > 1 and a.bit_length() * b > 2 * MAX_INTEGER_BITS:
            raise OverflowError
        if b > 0 and abs(a) <= 1:
            return a ** (2 - b % 2)
    result = a**b
    if isinstance(result, complex):
        raise Problem("this root of a negative number is not a number")
    return result


def add(scope: Scope, a: Any, b: Any) -> Any:
    """Add numbers, or put two texts or two lists together."""
    if isinstance(a, NUMBERS) and isinstance(b, NUMBERS):
        return add_numbers(scope, a, b)
    if isinstance(a, str) and isinstance(b, str):
        return joined(scope, [a, b])
    if isinstance(a, (list, tuple)) and isinstance(b, (list, tuple)):
        check_list_size(len(a) + len(b))
        scope.spend(len(a) + len(b))
        return [*a, *b]
    raise refuse("+", a, b)


def joined(scope: Scope, texts: list[str]) -> str:
    """Put texts together."""
    size = sum(map(len, texts))
    check_text_size(size)
    scope.spend_text(size)
    return "".join(texts)


def concat(scope: Scope, values: list[Any]) -> str:
    """Write values as text and put them together."""
    return joined(scope, [to_text(scope, value) for value in values])


add_numbers = arithmetic("+", operator.add)

BINARY: Final[dict[str, Operation]] = {
    "+": add,
    "-": arithmetic("-", operator.sub),
    "*": arithmetic("*", multiply),
    "/": arithmetic("/", operator.truediv),
    "//": arithmetic("//", operator.floordiv),
    "%": arithmetic("%", operator.mod),
    "**": arithmetic("**", power),
}


def negate(scope: Scope, value: Any) -> Any:
    return -need_number(value)


def positive(scope: Scope, value: Any) -> Any:
    return +need_number(value)


def equal(scope: Scope, a: Any, b: Any) -> bool:
    """Compare by value: a number of any kind, a date also with its text, lists deeply."""
    if isinstance(a, Symbol) or isinstance(b, Symbol):
        refuse_symbol(a)
        refuse_symbol(b)
    if isinstance(a, (list, tuple)) and isinstance(b, (list, tuple)):
        scope.spend(1 + min(len(a), len(b)))
        return len(a) == len(b) and all(
            equal(scope, one, two) for one, two in zip(a, b, strict=True)
        )
    if isinstance(a, Mapping) and isinstance(b, Mapping):
        scope.spend(1 + min(len(a), len(b)))
        return len(a) == len(b) and all(key in b and equal(scope, a[key], b[key]) for key in a)
    return equal_scalars(a, b)


def equal_scalars(a: Any, b: Any) -> bool:
    if isinstance(a, NUMBERS) and isinstance(b, NUMBERS):
        a, b = same_kind(a, b)
    elif isinstance(a, date) or isinstance(b, date):
        if not (is_datelike(a) and is_datelike(b)):
            return False
        a, b = moment_of(a), moment_of(b)
    return bool(a == b)


def is_datelike(value: object) -> bool:
    return isinstance(value, date) or (isinstance(value, str) and read(value) is not None)


def ordered(compare: Callable[[Any, Any], Any]) -> Operation:
    """Make a comparison by size of two numbers, texts or dates."""

    def run(scope: Scope, a: Any, b: Any) -> bool:
        return bool(compare(*comparable(a, b)))

    return run


def comparable(a: Any, b: Any) -> tuple[Any, Any]:
    """Bring two values into a form that Python can compare by size."""
    if isinstance(a, NUMBERS) and isinstance(b, NUMBERS):
        return same_kind(check_number(a), check_number(b))
    if isinstance(a, str) and isinstance(b, str):
        return a, b
    if isinstance(a, date) or isinstance(b, date):
        return moment_of(a), moment_of(b)
    refuse_symbol(a)
    refuse_symbol(b)
    hint = "; make a number of a text with |float" if {str} & {type(a), type(b)} else ""
    raise Problem(f"can't compare {kind(a)} with {kind(b)} by size{hint}")


def contains(scope: Scope, item: Any, container: Any) -> bool:
    """Find a text within a text, a value in a list, or a key in an object."""
    refuse_symbol(item)
    refuse_symbol(container)
    if isinstance(container, str):
        if not isinstance(item, str):
            raise Problem(f"can't look for {kind(item)} in a text; write it as text with |string")
        scope.spend_text(len(container))
        return item in container
    if isinstance(container, Mapping):
        return (item if isinstance(item, str) else scalar_text(item)) in container
    if isinstance(container, (list, tuple)):
        scope.spend(1 + len(container))
        return any(equal(scope, item, one) for one in container)
    raise Problem(f"can't look into {kind(container)}; `in` needs a list, a text or an object")


def not_equal(scope: Scope, a: Any, b: Any) -> bool:
    return not equal(scope, a, b)


def not_contains(scope: Scope, item: Any, container: Any) -> bool:
    return not contains(scope, item, container)


COMPARE: Final[dict[str, Operation]] = {
    "eq": equal,
    "ne": not_equal,
    "lt": ordered(operator.lt),
    "lteq": ordered(operator.le),
    "gt": ordered(operator.gt),
    "gteq": ordered(operator.ge),
    "in": contains,
    "notin": not_contains,
}
