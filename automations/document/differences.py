"""What is different between the fields of two configurations, in words. Pure."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from records.expressions.errors import shorten

_MAX_SHOWN: Final = 60
# What stands for a part that is not there.
_NOTHING: Final[Any] = object()


@dataclass(frozen=True, slots=True)
class Change:
    """`card`: "trigger", "conditions", "settings" or a step's id. `title`: which field, empty for the whole step.

    `before` and `after` are JSON; None where there was or is nothing. `words` tell all of it in one line.
    """

    kind: Literal["added", "removed", "moved", "changed"]
    card: str
    words: str
    title: str = ""
    before: Any = None
    after: Any = None


def _as_it_is(key: str, value: Any) -> Any:
    return value


def _unnamed(key: str) -> Mapping[str, str]:
    return {}


@dataclass(frozen=True, slots=True)
class Side:
    """The values of one side, by key. `said`: a value as people call it; `parts`: how the entries of one are called."""

    values: Mapping[str, Any]
    said: Callable[[str, Any], Any] = _as_it_is
    parts: Callable[[str], Mapping[str, str]] = _unnamed


@dataclass(frozen=True, slots=True)
class Fields:
    """What is compared: of which card, how that is called, and how its fields are."""

    card: str
    label: str
    titles: Mapping[str, str] = field(default_factory=dict)

    def changes(self, before: Side, after: Side) -> Iterator[Change]:
        for key in dict.fromkeys((*before.values, *after.values)):
            yield from self._of_field(key, before, after)

    def _of_field(self, key: str, before: Side, after: Side) -> Iterator[Change]:
        """Of objects and rows with names only what differs in them."""
        old, new = before.values.get(key), after.values.get(key)
        if old == new and type(old) is type(new):
            return
        title = self.titles.get(key) or key.replace("_", " ").capitalize()
        old_parts, new_parts = _named_parts(old), _named_parts(new)
        if old_parts is not None and new_parts is not None:
            names = {**before.parts(key), **after.parts(key)}
            yield from self._of_parts(title, names, old_parts, new_parts)
            return
        told = shown(before.said(key, old)), shown(after.said(key, new))
        if told[0] == told[1]:  # two that are called the same
            told = shown(old), shown(new)
        words = f"{self.label}, {title}: {told[0]} → {told[1]}"
        yield Change("changed", self.card, words, title, old, new)

    def _of_parts(
        self,
        title: str,
        names: Mapping[str, str],
        before: Mapping[str, Any],
        after: Mapping[str, Any],
    ) -> Iterator[Change]:
        for name in dict.fromkeys((*before, *after)):
            inner = f"{title} “{names.get(name, name)[:40]}”"
            old, new = before.get(name, _NOTHING), after.get(name, _NOTHING)
            if old is _NOTHING:
                words = f"{self.label}, {inner} added: {shown(new)}"
                yield Change("added", self.card, words, inner, None, new)
            elif new is _NOTHING:
                words = f"{self.label}, {inner} removed: {shown(old)}"
                yield Change("removed", self.card, words, inner, old, None)
            elif old != new:
                words = f"{self.label}, {inner}: {shown(old)} → {shown(new)}"
                yield Change("changed", self.card, words, inner, old, new)


def shown(value: Any) -> str:
    if value is None or value in ("", [], {}):
        return "nothing"
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    text = shorten(text)
    return f"“{text}”" if len(text) <= _MAX_SHOWN else f"“{text[: _MAX_SHOWN - 1]}…”"


def _named_parts(value: Any) -> dict[str, Any] | None:
    """The entries of an object, or of rows that each have a name of their own; None for all else."""
    if isinstance(value, Mapping):
        return dict(value)
    if not isinstance(value, list) or not all(isinstance(row, Mapping) for row in value):
        return None
    key = "field" if value and "field" in value[0] else "name"
    names = [row.get(key) for row in value]
    if not all(isinstance(name, str) for name in names) or len(set(names)) < len(names):
        return None
    return {name: _row_value(row, key) for name, row in zip(names, value, strict=True)}


def _row_value(row: Mapping[str, Any], key: str) -> Any:
    """Its one value; of several what they are, such as “A name, text, 5”."""
    rest = {name: value for name, value in row.items() if name != key}
    if len(rest) == 1:
        return next(iter(rest.values()))
    if all(isinstance(each, str | int | float) for each in rest.values()):
        return ", ".join(str(each) for each in rest.values() if each != "")
    return rest
