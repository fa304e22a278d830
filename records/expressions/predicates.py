"""The tests behind `is`: `record.owner is none`, `items | select('gt', 5)`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final

from .arithmetic import BINARY, COMPARE, contains, equal
from .errors import Problem
from .limits import Scope
from .values import ABSENT, NUMBERS, is_number, need_text, refuse_symbol

Predicate = Callable[..., Any]


def kind_test(*types: type) -> Predicate:
    def run(scope: Scope, value: object) -> bool:
        return isinstance(value, types) and (bool in types or not isinstance(value, bool))

    return run


def defined(scope: Scope, value: object) -> bool:
    return value is not ABSENT


def undefined(scope: Scope, value: object) -> bool:
    return value is ABSENT


def empty(scope: Scope, value: object) -> bool:
    """True for None, a blank text, an empty list or object; a number is never empty."""
    if isinstance(value, str):
        return not value.strip()
    return value is None or (isinstance(value, (list, tuple, Mapping)) and not value)


def integer(scope: Scope, value: object) -> bool:
    return is_number(value) and not isinstance(value, (float, Decimal))


def number(scope: Scope, value: object) -> bool:
    return is_number(value)


def odd(scope: Scope, value: object) -> bool:
    return bool(BINARY["%"](scope, value, 2) == 1)


def even(scope: Scope, value: object) -> bool:
    return bool(BINARY["%"](scope, value, 2) == 0)


def divisibleby(scope: Scope, value: object, num: object) -> bool:
    return bool(BINARY["%"](scope, value, num) == 0)


def uppercase(scope: Scope, value: object) -> bool:
    return need_text(value).isupper()


def lowercase(scope: Scope, value: object) -> bool:
    return need_text(value).islower()


def containing(scope: Scope, value: object, item: object) -> bool:
    return contains(scope, item, value)


def compared(operation: str) -> Predicate:
    def run(scope: Scope, value: object, other: object) -> Any:
        return COMPARE[operation](scope, value, other)

    return run


def is_none(scope: Scope, value: object) -> bool:
    return value is None


def is_yes(scope: Scope, value: object) -> bool:
    return value is True


def is_no(scope: Scope, value: object) -> bool:
    return value is False


def sameas(scope: Scope, value: object, other: object) -> bool:
    """Compare the kind too, so that 1 is not the same as true."""
    if isinstance(value, NUMBERS) and type(value) is not type(other):
        return False
    return equal(scope, value, other)


def truth(scope: Scope, value: object) -> bool:
    """The test that `select` and `reject` make when none is named."""
    refuse_symbol(value)
    if value is ABSENT:
        raise Problem("an item of the list does not have this attribute; test it with 'defined'")
    return bool(value)


PREDICATES: Final[dict[str, Predicate]] = {
    "defined": defined,
    "undefined": undefined,
    "none": is_none,
    "empty": empty,
    "boolean": kind_test(bool),
    "true": is_yes,
    "false": is_no,
    "number": number,
    "integer": integer,
    "float": kind_test(float),
    "string": kind_test(str),
    "mapping": kind_test(Mapping),
    "sequence": kind_test(list, tuple, str),
    "iterable": kind_test(list, tuple, str, Mapping),
    "odd": odd,
    "even": even,
    "divisibleby": divisibleby,
    "upper": uppercase,
    "lower": lowercase,
    "sameas": sameas,
    "in": compared("in"),
    "containing": containing,
    **dict.fromkeys(("eq", "equalto"), compared("eq")),
    "ne": compared("ne"),
    **dict.fromkeys(("lt", "lessthan"), compared("lt")),
    "le": compared("lteq"),
    **dict.fromkeys(("gt", "greaterthan"), compared("gt")),
    "ge": compared("gteq"),
}
