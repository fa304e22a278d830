"""What is different between two documents, step by step and field by field, in words."""

from collections.abc import Iterator, Mapping
from difflib import SequenceMatcher
from typing import Any, Final

from automations.actions.branch import Branch
from automations.builder.fields import fields_of
from automations.document.cards import (
    CONDITIONS,
    SETTINGS,
    TRIGGER,
    Card,
    cards_of,
    without_children,
)
from automations.document.differences import Change, Fields, Side
from automations.document.labels import MODES, ON_ERROR, STEP_PARTS, Labels
from automations.document.labels import SETTINGS as SETTING_TITLES
from automations.document.names import validated
from automations.document.schema import Settings, Step
from automations.steps import ACTIONS
from automations.triggers import TRIGGERS
from records.models import User
from webhooks.durations import format_delays

__all__ = ["Change", "compare_documents"]

_STEP_DEFAULTS: Final = Step(id="x", type="").model_dump(include={*STEP_PARTS})
_MODE_WORDS: Final = {key: words.lower() for key, words, _ in MODES}


def compare_documents(before: Any, after: Any, user: User | None = None) -> list[Change]:
    """All differences: trigger, conditions, steps in the order of the later document, settings.

    A part that is left out is the same as its default. With `user` what they may know goes by the names that people
    call it by: fields, stages, automations.
    """
    labels = Labels(before, user), Labels(after, user)
    return [
        *_trigger(_part(before, TRIGGER), _part(after, TRIGGER), *labels),
        *_conditions(_part(before, CONDITIONS), _part(after, CONDITIONS), *labels),
        *_Steps(before, after, *labels).changes(),
        *_settings(_part(before, SETTINGS), _part(after, SETTINGS)),
    ]


def _trigger(before: Any, after: Any, *labels: Labels) -> Iterator[Change]:
    if _part(before, "type") != _part(after, "type"):
        words = f"Trigger: {_described(before)} → {_described(after)}"
        yield Change("changed", TRIGGER, words, "", before, after)
        return
    titles = _titles(TRIGGERS, _part(after, "type"))
    sides = [
        _side(TRIGGERS, part, each) for part, each in zip((before, after), labels, strict=True)
    ]
    yield from Fields(TRIGGER, "Trigger", titles).changes(*sides)


def _conditions(before: Any, after: Any, *labels: Labels) -> Iterator[Change]:
    if (before or None) != (after or None):
        told = [each.conditions(part) for part, each in zip((before, after), labels, strict=True)]
        words = f"Conditions: {told[0]} → {told[1]}"
        yield Change("changed", CONDITIONS, words, "", before, after)


# --- Steps ---


class _Steps:
    """The steps of both documents, by their ids."""

    def __init__(self, before: Any, after: Any, *labels: Labels) -> None:
        self.before, self.after = _by_name(before), _by_name(after)
        self.labels = labels

    def changes(self) -> Iterator[Change]:
        moved = _moved(self.before, self.after)
        for name, card in self.after.items():
            label = _label(card, self.after)
            if name not in self.before:
                yield Change("added", name, f"{label} added", "", None, dict(card.values))
                continue
            if name in moved:
                yield Change("moved", name, f"{label} moved")
            yield from self._of_step(label, self.before[name], card)
        for name, card in self.before.items():
            if name not in self.after:
                words = f"{_label(card, self.before)} removed"
                yield Change("removed", name, words, "", dict(card.values), None)

    def _of_step(self, label: str, before: Card, after: Card) -> Iterator[Change]:
        parts = [
            Side({**_STEP_DEFAULTS, **_own_parts(card)}, _said_of_step) for card in (before, after)
        ]
        yield from Fields(after.name, label, STEP_PARTS).changes(*parts)
        configs = [
            _side(ACTIONS, {"type": card.type, "config": without_children(card.values)}, labels)
            for card, labels in zip((before, after), self.labels, strict=True)
        ]
        if before.type == after.type == Branch.name:
            configs = [
                Side(_cases(side.values.get("conditions"), labels))
                for side, labels in zip(configs, self.labels, strict=True)
            ]
        yield from Fields(after.name, label, _titles(ACTIONS, after.type)).changes(*configs)


def _own_parts(card: Card) -> dict[str, Any]:
    return {name: card.values[name] for name in STEP_PARTS if name in card.values}


def _said_of_step(key: str, value: Any) -> Any:
    if key == "type":
        action = ACTIONS.get(str(value))
        return action.label if action else value
    if key == "on_error":
        return ON_ERROR.get(str(value), value)
    if key == "retry_delays_s" and isinstance(value, list):
        return format_delays(value) if all(isinstance(each, int) for each in value) else value
    return value


def _cases(arms: Any, labels: Labels) -> dict[str, Any]:
    """The cases of a branch, each with its name and condition in words."""
    found: dict[str, Any] = {}
    for place, arm in enumerate(arms if isinstance(arms, list) else ()):
        if not isinstance(arm, Mapping):
            continue
        if arm.get("else") is not None:
            found["Otherwise"] = True
            continue
        words = f"if {labels.conditions(arm.get('if'))}"
        found[f"Case {place + 1}"] = f"{arm['name']}: {words}" if arm.get("name") else words
    return found


def _by_name(document: Any) -> dict[str, Card]:
    """Where two steps have the same id, which is a mistake, the second goes by its place."""
    cards: dict[str, Card] = {}
    for card in cards_of(document):
        cards[card.path if card.name in cards else card.name] = card
    return cards


def _label(card: Card, cards: Mapping[str, Card]) -> str:
    """Step “Tell the CRM” (Send webhook); without a name by its place on the page: Step 3 · Send webhook."""
    action = ACTIONS.get(card.type)
    kind = action.label if action else card.type or "no action"
    name = card.values.get("name")
    if isinstance(name, str) and name:
        return f"Step “{name}” ({kind})"
    alike = [each.path for each in cards.values() if each.is_fallback == card.is_fallback]
    number = alike.index(card.path) + 1
    return f"Step {number}{' for failures' if card.is_fallback else ''} · {kind}"


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
    sides = []
    for part in (before, after):
        part = dict(part) if isinstance(part, Mapping) else {}
        failure = part.get("on_failure")
        if isinstance(failure, Mapping):
            part["on_failure"] = {**failure, "steps": []}
        sides.append(Side(_flat(_with_defaults(Settings, part)), _said_of_setting))
    yield from Fields(SETTINGS, "Settings", SETTING_TITLES).changes(*sides)


def _said_of_setting(key: str, value: Any) -> Any:
    if key == "concurrency: mode":
        return _MODE_WORDS.get(str(value), value)
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return ", ".join(value)
    return value


def _flat(values: Mapping[str, Any]) -> dict[str, Any]:
    """{"on_failure": {"quarantine": true}} → {"on_failure: quarantine": true}."""
    flat: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, Mapping):
            flat |= {f"{key}: {name}": inner for name, inner in value.items()}
        else:
            flat[key] = value
    return flat


# --- Configurations ---


def _side(registry: Mapping[str, Any], part: Any, labels: Labels) -> Side:
    """The configuration of a trigger or step, with what its values are called."""
    config = _whole(registry, part)
    found = registry.get(str(_part(part, "type")))
    fields = {field.key: field for field in fields_of(found.Config)} if found else {}

    def said(key: str, value: Any) -> Any:
        return labels.value(fields[key], value, config) if key in fields else value

    def parts(key: str) -> Mapping[str, str]:
        return labels.parts(fields[key], config) if key in fields else {}

    return Side(config, said, parts)


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
