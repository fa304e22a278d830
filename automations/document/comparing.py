"""What is different between two documents, step by step and field by field, in words. Pure but for kinds of steps."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any, Final, Literal

from automations.builder.fields import fields_of
from automations.builder.flow import labelled
from automations.conditions import describe
from automations.document.cards import (
    CONDITIONS,
    SETTINGS,
    TRIGGER,
    Card,
    cards_of,
    without_children,
)
from automations.document.names import validated
from automations.document.schema import Settings, Step
from automations.steps import ACTIONS
from automations.triggers import TRIGGERS
from records.expressions.errors import shorten

_STEP_PARTS: Final = {
    "name": "Name",
    "type": "Action",
    "disabled": "Switched off",
    "on_error": "When it fails",
    "retry_delays_s": "Tried again after (seconds)",
}
_STEP_DEFAULTS: Final = Step(id="x", type="").model_dump(include={*_STEP_PARTS})
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


def compare_documents(
    before: Any, after: Any, labels: Mapping[str, str] | None = None
) -> list[Change]:
    """All differences: trigger, conditions, steps in the order of the later document, settings.

    A part that is left out is the same as its default. `labels`: what people call the record's fields, by their paths.
    """
    return [
        *_trigger(_part(before, TRIGGER), _part(after, TRIGGER)),
        *_conditions(_part(before, CONDITIONS), _part(after, CONDITIONS), labels or {}),
        *_steps(before, after),
        *_settings(_part(before, SETTINGS), _part(after, SETTINGS)),
    ]


def _trigger(before: Any, after: Any) -> Iterator[Change]:
    kinds = _part(before, "type"), _part(after, "type")
    configs = [_whole(TRIGGERS, part) for part in (before, after)]
    if kinds[0] != kinds[1]:
        words = f"Trigger: {_described(before)} → {_described(after)}"
        yield Change("changed", TRIGGER, words, "", before, after)
        return
    titles = _titles(TRIGGERS, kinds[1])
    yield from _fields(TRIGGER, "Trigger", titles, *configs)


def _conditions(before: Any, after: Any, labels: Mapping[str, str]) -> Iterator[Change]:
    if (before or None) != (after or None):
        told = [describe(labelled(part, labels)) for part in (before, after)]
        words = f"Conditions: {told[0]} → {told[1]}"
        yield Change("changed", CONDITIONS, words, "", before, after)


# --- Steps ---


def _steps(before: Any, after: Any) -> Iterator[Change]:
    earlier, later = _by_name(before), _by_name(after)
    moved = _moved(earlier, later)
    for name, card in later.items():
        if name not in earlier:
            yield Change("added", name, f"Step {_label(card)} added", "", None, dict(card.values))
            continue
        if name in moved:
            yield Change("moved", name, f"Step {_label(card)} moved")
        yield from _step(earlier[name], card)
    for name, card in earlier.items():
        if name not in later:
            words = f"Step {_label(card)} removed"
            yield Change("removed", name, words, "", dict(card.values), None)


def _own_parts(card: Card) -> dict[str, Any]:
    return {name: card.values[name] for name in _STEP_PARTS if name in card.values}


def _by_name(document: Any) -> dict[str, Card]:
    """Where two steps have the same id, which is a mistake, the second goes by its place."""
    cards: dict[str, Card] = {}
    for card in cards_of(document):
        cards[card.path if card.name in cards else card.name] = card
    return cards


def _step(before: Card, after: Card) -> Iterator[Change]:
    label = f"Step {_label(after)}"
    parts = [{**_STEP_DEFAULTS, **_own_parts(card)} for card in (before, after)]
    yield from _fields(after.name, label, _STEP_PARTS, *parts)
    configs = [
        _whole(ACTIONS, {"type": card.type, "config": without_children(card.values)})
        for card in (before, after)
    ]
    yield from _fields(after.name, label, _titles(ACTIONS, after.type), *configs)


def _moved(before: Mapping[str, Card], after: Mapping[str, Card]) -> set[str]:
    """Steps in another block, and the fewest of those that stayed that explain their new order."""
    moved = {
        name
        for name in before.keys() & after.keys()
        if _block(before, before[name]) != _block(after, after[name])
    }
    rows: dict[Any, tuple[list[str], list[str]]] = {}
    for place, cards in enumerate((before, after)):
        for name, card in cards.items():
            if name in before and name in after and name not in moved:
                rows.setdefault(_block(cards, card), ([], []))[place].append(name)
    for old, new in rows.values():
        matches = SequenceMatcher(None, old, new, autojunk=False).get_matching_blocks()
        stayed = {name for match in matches for name in old[match.a : match.a + match.size]}
        moved |= set(new) - stayed
    return moved


def _block(cards: Mapping[str, Card], card: Card) -> Any:
    """Where a step is: in which arm of which step, by its id, so that a block may move as a whole."""
    if not card.blocks:
        return card.is_fallback
    innermost = card.blocks[-1]
    around = next(name for name, each in cards.items() if each.path == innermost.step_path)
    return around, innermost.arm


# --- Settings ---


def _settings(before: Any, after: Any) -> Iterator[Change]:
    wholes = []
    for part in (before, after):
        part = dict(part) if isinstance(part, Mapping) else {}
        failure = part.get("on_failure")
        if isinstance(failure, Mapping):
            part["on_failure"] = {**failure, "steps": []}
        wholes.append(_flat(_with_defaults(Settings, part)))
    yield from _fields(SETTINGS, "Settings", {}, *wholes)


def _flat(values: Mapping[str, Any]) -> dict[str, Any]:
    """{"on_failure": {"quarantine": true}} → {"on_failure: quarantine": true}."""
    flat: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, Mapping):
            flat |= {f"{key}: {name}": inner for name, inner in value.items()}
        else:
            flat[key] = value
    return flat


# --- Fields ---


def _fields(
    card: str, label: str, titles: Mapping[str, str], before: Any, after: Any
) -> Iterator[Change]:
    for key in dict.fromkeys((*before, *after)):
        title = titles.get(key) or key.replace("_", " ").capitalize()
        yield from _values(card, label, title, before.get(key), after.get(key))


def _values(card: str, label: str, title: str, before: Any, after: Any) -> Iterator[Change]:
    """Of objects and rows with names only what differs in them."""
    if before == after and type(before) is type(after):
        return
    old_parts, new_parts = _named_parts(before), _named_parts(after)
    if old_parts is None or new_parts is None:
        words = f"{label}, {title}: {_shown(before)} → {_shown(after)}"
        yield Change("changed", card, words, title, before, after)
        return
    for name in dict.fromkeys((*old_parts, *new_parts)):
        inner = f"{title} “{name[:40]}”"
        old, new = old_parts.get(name, _NOTHING), new_parts.get(name, _NOTHING)
        if old is _NOTHING:
            words = f"{label}, {inner} added: {_shown(new)}"
            yield Change("added", card, words, inner, None, new)
        elif new is _NOTHING:
            words = f"{label}, {inner} removed: {_shown(old)}"
            yield Change("removed", card, words, inner, old, None)
        elif old != new:
            words = f"{label}, {inner}: {_shown(old)} → {_shown(new)}"
            yield Change("changed", card, words, inner, old, new)


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
    rest = {name: value for name, value in row.items() if name != key}
    return next(iter(rest.values())) if len(rest) == 1 else rest


def _shown(value: Any) -> str:
    if value is None or value in ("", [], {}):
        return "nothing"
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    text = shorten(text)
    return f"“{text}”" if len(text) <= _MAX_SHOWN else f"“{text[: _MAX_SHOWN - 1]}…”"


def _label(card: Card) -> str:
    """“Tell the CRM” (Send webhook); the id where there is no name."""
    action = ACTIONS.get(card.type)
    name = card.values.get("name")
    return f"“{name if isinstance(name, str) and name else card.name}” ({action.label if action else card.type})"


def _described(part: Any) -> str:
    kind = TRIGGERS.get(str(_part(part, "type")))
    config = validated(kind, _part(part, "config") or {})
    if kind is None or config is None:
        return str(_part(part, "type") or "none")
    return kind.describe(config)


def _whole(registry: Mapping[str, Any], part: Any) -> dict[str, Any]:
    """A configuration with its defaults; as it stands while it has mistakes."""
    config = _part(part, "config")
    config = dict(config) if isinstance(config, Mapping) else {}
    kind = registry.get(str(_part(part, "type")))
    return _with_defaults(kind.Config, config) if kind else config


def _with_defaults(model: Any, values: Any) -> dict[str, Any]:
    try:
        whole: dict[str, Any] = model.model_validate(values).model_dump(mode="json", by_alias=True)
    except ValueError:  # it has mistakes
        return dict(values)
    return whole


def _titles(registry: Mapping[str, Any], kind: Any) -> dict[str, str]:
    found = registry.get(str(kind))
    return {field.key: field.label for field in fields_of(found.Config)} if found else {}


def _part(value: Any, name: str) -> Any:
    return value.get(name) if isinstance(value, Mapping) else None
