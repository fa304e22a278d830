"""The draft as the page shows it: cards in blocks, each with its words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from automations.builder.blocks import BRANCH, LOOP, Steps, fallback_of
from automations.conditions import describe
from automations.document.schema import FALLBACK
from automations.steps import ACTIONS
from automations.triggers import TRIGGERS

UNFINISHED = "Not set up yet"


@dataclass(frozen=True, slots=True)
class Choice:
    """A kind of step or trigger to choose."""

    name: str
    label: str
    help: str
    icon: str


@dataclass(slots=True)
class StepCard:
    id: str
    type: str
    name: str
    label: str
    icon: str
    summary: str
    disabled: bool
    block: str
    place: int
    is_known: bool
    is_branch: bool = False
    has_else: bool = False
    cases: list["Case"] = field(default_factory=list)
    body: "Block | None" = None

    @property
    def title(self) -> str:
        return self.name or self.label


@dataclass(slots=True)
class Block:
    """A list of steps; `label` says what it is, where steps are added."""

    name: str
    label: str
    steps: list[StepCard]

    @property
    def end(self) -> int:
        return len(self.steps)


@dataclass(slots=True)
class Case:
    """An arm of a branch."""

    place: int
    name: str
    is_else: bool
    summary: str
    conditions: Any
    block: Block

    @property
    def title(self) -> str:
        return self.name or ("Otherwise" if self.is_else else f"If {self.summary}")


@dataclass(slots=True)
class Flow:
    trigger_label: str
    trigger_icon: str
    trigger_summary: str
    conditions_summary: str
    has_conditions: bool
    main: Block
    fallback: Block


def flow_of(draft: Mapping[str, Any], labels: Mapping[str, str] | None = None) -> Flow:
    """`labels`: what people call the record's fields, by their paths."""
    named = labels or {}
    part = draft.get("trigger") or {}
    kind = TRIGGERS.get(str(part.get("type")))
    conditions = draft.get("conditions")
    return Flow(
        trigger_label=kind.label if kind else str(part.get("type") or "Trigger"),
        trigger_icon=kind.icon if kind else "help",
        trigger_summary=trigger_words(draft),
        conditions_summary=conditions_words(conditions, named),
        has_conditions=bool(conditions),
        main=_block("", "the steps", draft.get("steps") or [], named),
        fallback=_block(FALLBACK, "the steps for failures", fallback_of(draft), named),
    )


def trigger_words(draft: Mapping[str, Any]) -> str:
    part = draft.get("trigger") or {}
    return _described(TRIGGERS.get(str(part.get("type"))), part.get("config") or {})


def conditions_words(conditions: Any, labels: Mapping[str, str]) -> str:
    if not conditions:
        return "Always"
    words = describe(labelled(conditions, labels))
    return words[:1].upper() + words[1:]


def labelled(group: Any, labels: Mapping[str, str]) -> Any:
    """The same rules about fields as people call them."""
    if not isinstance(group, Mapping) or not isinstance(group.get("rules"), list):
        return group
    rules = [
        {**rule, "field": labels.get(str(rule["field"]).removeprefix("record."), rule["field"])}
        if isinstance(rule, Mapping) and "field" in rule
        else labelled(rule, labels)
        for rule in group["rules"]
    ]
    return {**group, "rules": rules}


def summaries_of(flow: Flow) -> dict[str, str]:
    """The words of each card, by the ids that the page has for them."""
    words = {"trigger": flow.trigger_summary, "conditions": flow.conditions_summary}
    for card in _all_cards([flow.main, flow.fallback]):
        words[card.id] = card.summary
        words[f"{card.id}:title"] = card.title
        words |= {f"{card.id}/{case.place}": case.title for case in card.cases}
    return words


def targets_of(flow: Flow) -> list[tuple[str, str]]:
    """Blocks that a step can be moved to, each in words."""
    found = [("", "The main steps")]
    for card in _all_cards([flow.main, flow.fallback]):
        found += [(case.block.name, f"{card.title}: {case.title}"[:70]) for case in card.cases]
        if card.body:
            found.append((card.body.name, f"{card.title}: each time"[:70]))
    return [*found, (FALLBACK, "If the automation fails")]


def kinds_of_steps() -> list[tuple[str, list[Choice]]]:
    return _grouped(ACTIONS, ("Records", "Messages", "Requests", "Flow", "Data"))


def kinds_of_triggers() -> list[tuple[str, list[Choice]]]:
    return _grouped(TRIGGERS, ("Records", "Time", "People", "By hand", "Requests", "System"))


def _block(name: str, label: str, steps: Steps, named: Mapping[str, str]) -> Block:
    return Block(name, label, [_card(step, name, place, named) for place, step in enumerate(steps)])


def _card(step: Mapping[str, Any], block: str, place: int, named: Mapping[str, str]) -> StepCard:
    action, config = ACTIONS.get(str(step.get("type"))), step.get("config") or {}
    card = StepCard(
        id=step["id"],
        type=str(step.get("type")),
        name=str(step.get("name") or ""),
        label=action.label if action else f"Unknown kind: {step.get('type')}",
        icon=action.icon if action else "help",
        summary=_described(action, config),
        disabled=bool(step.get("disabled")),
        block=block,
        place=place,
        is_known=action is not None,
        is_branch=step.get("type") == BRANCH,
    )
    if card.is_branch:
        card.cases = [
            _case(arm, card.id, number, named)
            for number, arm in enumerate(config.get("conditions") or [])
        ]
        card.has_else = bool(card.cases) and card.cases[-1].is_else
    elif card.type == LOOP:
        card.body = _block(card.id, "the steps for each entry", config.get("steps") or [], named)
    return card


def _case(arm: Mapping[str, Any], owner: str, place: int, named: Mapping[str, str]) -> Case:
    is_else = "else" in arm
    conditions = arm.get("if")
    return Case(
        place=place,
        name=str(arm.get("name") or ""),
        is_else=is_else,
        summary=describe(labelled(conditions, named)) if _says_something(conditions) else "…",
        conditions=conditions,
        block=_block(
            f"{owner}/{place}",
            "“Otherwise”" if is_else else f"case {place + 1}",
            arm.get("else" if is_else else "then") or [],
            named,
        ),
    )


def _says_something(conditions: Any) -> bool:
    return isinstance(conditions, Mapping) and bool(
        conditions.get("rules") or conditions.get("expression")
    )


def _described(kind: Any, config: Mapping[str, Any]) -> str:
    """In one line; what has mistakes is not described."""
    if kind is None:
        return "This kind is not installed any more"
    try:
        return str(kind.describe(kind.Config.model_validate(config)))
    except ValidationError:
        return UNFINISHED


def _all_cards(blocks: Sequence[Block]) -> list[StepCard]:
    cards: list[StepCard] = []
    for block in blocks:
        for card in block.steps:
            inner = [case.block for case in card.cases] + ([card.body] if card.body else [])
            cards += [card, *_all_cards(inner)]
    return cards


def _grouped(kinds: Mapping[str, Any], order: Sequence[str]) -> list[tuple[str, list[Choice]]]:
    groups: dict[str, list[Choice]] = {name: [] for name in order}
    for kind in kinds.values():
        groups.setdefault(kind.group, []).append(
            Choice(kind.name, kind.label, kind.help, kind.icon)
        )
    return [(name, choices) for name, choices in groups.items() if choices]
