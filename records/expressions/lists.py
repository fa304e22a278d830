"""What an expression can do with lists and objects."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from .arithmetic import add, comparable
from .errors import Problem
from .limits import Scope, check_list_size, check_text_size
from .texts import source_text
from .values import (
    ABSENT,
    Reference,
    is_true,
    kind,
    need_integer,
    need_list,
    need_text,
    refuse_symbol,
    to_json,
    to_text,
)


def attribute_of(value: object, path: object) -> Any:
    """Follow a dotted path of keys and places into a value; ABSENT when it leads nowhere."""
    for step in need_text(path).split("."):
        refuse_symbol(value)
        if isinstance(value, Reference):
            value = value.target
        if isinstance(value, Mapping):
            try:
                value = value[step]
            except KeyError:
                return ABSENT
        elif isinstance(value, (list, tuple)) and step.isdecimal() and int(step) < len(value):
            value = value[int(step)]
        else:
            return ABSENT
    return value


def need_attribute(value: object, path: object) -> Any:
    """Follow a dotted path; raises Problem when an item has no such attribute."""
    found = attribute_of(value, path)
    if found is ABSENT:
        raise Problem(f"an item of the list ({kind(value)}) has no `{need_text(path)}`")
    return found


def values_of(scope: Scope, value: object, attribute: object = None) -> list[Any]:
    """Take the items of a list, or one attribute of each."""
    items = need_list(scope, value)
    if attribute is None:
        return list(items)
    return [need_attribute(item, attribute) for item in items]


class SortKey:
    """Orders numbers, texts and dates by the language's own rules, empty values first."""

    __slots__ = ("value",)

    def __init__(self, value: object, ignore_case: bool) -> None:
        refuse_symbol(value)
        self.value = value.casefold() if ignore_case and isinstance(value, str) else value

    def __lt__(self, other: SortKey) -> bool:
        if self.value is None or other.value is None:
            return self.value is None and other.value is not None
        one, two = comparable(self.value, other.value)
        return bool(one < two)


def sort(
    scope: Scope,
    value: object,
    reverse: object = False,
    case_sensitive: object = False,
    attribute: object = None,
) -> list[Any]:
    """Sort a list, or sort its items by an attribute."""
    items = list(need_list(scope, value))
    scope.spend(4 * len(items))
    ignore_case = not is_true(case_sensitive)

    def key(item: object) -> SortKey:
        return SortKey(item if attribute is None else need_attribute(item, attribute), ignore_case)

    return sorted(items, key=key, reverse=is_true(reverse))


def extreme(choose: Callable[..., Any]) -> Callable[..., Any]:
    """Make the filter for the smallest or the largest item; None of an empty list."""

    def run(
        scope: Scope, value: object, case_sensitive: object = False, attribute: object = None
    ) -> Any:
        items = values_of(scope, value, attribute)
        ignore_case = not is_true(case_sensitive)
        chosen = choose(
            zip(items, need_list(scope, value), strict=True),
            key=lambda both: SortKey(both[0], ignore_case),
            default=(None, None),
        )
        return chosen[1]

    return run


smallest = extreme(min)
largest = extreme(max)


def extreme_of(choose: Callable[..., Any]) -> Callable[..., Any]:
    """Make the function for the smallest or largest of its arguments, or of one list."""
    pick = extreme(choose)

    def run(scope: Scope, *values: object) -> Any:
        whole = len(values) == 1 and isinstance(values[0], (list, tuple))
        return pick(scope, values[0] if whole else values)

    return run


def total(scope: Scope, value: object, attribute: object = None, start: object = 0) -> Any:
    """Add up the numbers of a list, or an attribute of its items."""
    result: Any = start
    for item in values_of(scope, value, attribute):
        if isinstance(item, (str, list, tuple)):
            raise Problem(f"can't add up {kind(item)}; make numbers with |map('float')")
        result = add(scope, result, item)
    return result


def join(scope: Scope, value: object, d: object = "", attribute: object = None) -> str:
    """Write the items of a list as text, one after the other with something between them."""
    separator = need_text(d)
    pieces: list[str] = []
    size = 0
    for item in values_of(scope, value, attribute):
        piece = to_text(scope, item)
        size += len(piece) + len(separator)
        check_text_size(size)
        pieces.append(piece)
    scope.spend_text(size)
    return separator.join(pieces)


def length(scope: Scope, value: object) -> int:
    """Count the characters of a text, or the items of a list or object."""
    refuse_symbol(value)
    if isinstance(value, (str, list, tuple, Mapping)):
        return len(value)
    raise Problem(f"{kind(value)} has no length; it needs a text, a list or an object")


def first(scope: Scope, value: object) -> Any:
    """Give the first item of a list or character of a text; None when it is empty."""
    items = value if isinstance(value, str) else need_list(scope, value)
    return items[0] if items else None


def last(scope: Scope, value: object) -> Any:
    """Give the last item of a list or character of a text; None when it is empty."""
    items = value if isinstance(value, str) else need_list(scope, value)
    return items[-1] if items else None


def as_list(scope: Scope, value: object) -> list[Any]:
    """Make a list of a list, of an object's keys, or of a text's characters."""
    if isinstance(value, str):
        check_list_size(len(value))
        scope.spend(len(value))
        return list(value)
    return list(need_list(scope, value))


def backwards(scope: Scope, value: object) -> Any:
    """Turn a list or text around."""
    if isinstance(value, str):
        return source_text(scope, value)[::-1]
    return list(need_list(scope, value))[::-1]


def unique(
    scope: Scope, value: object, case_sensitive: object = False, attribute: object = None
) -> list[Any]:
    """Keep the first of equal items."""
    ignore_case = not is_true(case_sensitive)
    kept: dict[object, Any] = {}
    for item in need_list(scope, value):
        key = item if attribute is None else need_attribute(item, attribute)
        kept.setdefault(identity(scope, key, ignore_case), item)
    return list(kept.values())


def identity(scope: Scope, value: object, ignore_case: bool) -> object:
    """Give something to tell equal values by."""
    if isinstance(value, (Mapping, list, tuple)):
        return "json", to_json(scope, value)
    if isinstance(value, str):
        scope.spend_text(len(value))
        return "text", value.casefold() if ignore_case else value
    return value


def batch(scope: Scope, value: object, linecount: object, fill_with: object = None) -> list[Any]:
    """Cut a list into lists of so many items; the last is filled up if something is given."""
    items, size = list(need_list(scope, value)), need_integer(linecount)
    if size < 1:
        raise Problem("a batch needs at least 1 item")
    rows = [items[start : start + size] for start in range(0, len(items), size)]
    if rows and fill_with is not None:
        lacking = size - len(rows[-1])
        check_list_size(lacking)
        scope.spend(lacking)
        rows[-1] += [fill_with] * lacking
    return rows


def need_object(scope: Scope, value: object) -> Mapping[str, Any]:
    """Take an object, paying for the work of going through it."""
    if not isinstance(value, Mapping):
        raise Problem(f"an object is needed here, not {kind(value)}")
    scope.spend(1 + len(value))
    return value


def pairs(scope: Scope, value: object) -> list[list[Any]]:
    """Give the keys and values of an object as a list of pairs."""
    content = need_object(scope, value)
    return [[key, content[key]] for key in content]


def keys(scope: Scope, value: object) -> list[str]:
    """Give the keys of an object."""
    return list(need_object(scope, value))


def contents(scope: Scope, value: object) -> list[Any]:
    """Give the values of an object."""
    content = need_object(scope, value)
    return [content[key] for key in content]


def get(scope: Scope, value: object, key: object, default: object = None) -> Any:
    """Give the value of a key, or the default when there is none."""
    if not isinstance(value, Mapping):
        raise Problem(f"an object is needed here, not {kind(value)}")
    try:
        return value[need_text(key)]
    except KeyError:
        return default
