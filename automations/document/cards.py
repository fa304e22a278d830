"""The steps of a document as they stand, also where they have mistakes: what the builder shows as cards. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from automations.document.schema import MAX_NESTING

# The places that are no steps.
TRIGGER: Final = "trigger"
CONDITIONS: Final = "conditions"
SETTINGS: Final = "settings"


@dataclass(frozen=True, slots=True)
class Block:
    """A list of steps inside of a step: the arm of a branch, or the body of a loop (`arm` is None)."""

    step_path: str
    arm: int | None = None


@dataclass(frozen=True, slots=True)
class Card:
    """A step. `path` is its JSON Pointer; `blocks` are those it is in, outermost first."""

    path: str
    values: Mapping[str, Any]
    blocks: tuple[Block, ...] = ()
    is_fallback: bool = False

    @property
    def id(self) -> str:
        return _text(self.values.get("id"))

    @property
    def type(self) -> str:
        return _text(self.values.get("type"))

    @property
    def config(self) -> Mapping[str, Any]:
        config = self.values.get("config")
        return config if isinstance(config, Mapping) else {}

    @property
    def name(self) -> str:
        """Where its mistakes are shown: its id, or the place of a step that has none."""
        return self.id or self.path


def cards_of(document: Any) -> list[Card]:
    """All steps in the order in which people read them; those of the fallback come last."""
    cards: list[Card] = []
    settings = _part(document, SETTINGS)
    for steps, path, is_fallback in (
        (_part(document, "steps"), "/steps", False),
        (_part(_part(settings, "on_failure"), "steps"), "/settings/on_failure/steps", True),
    ):
        cards += _cards_in(steps, path, (), is_fallback)
    return cards


def child_lists(step: Mapping[str, Any]) -> Iterator[tuple[str, int | None, Any]]:
    """(path within the step, arm, steps) of the lists of steps in a step, as far as there are any."""
    if step.get("type") == "branch":
        arms = _part(step.get("config"), "conditions")
        for place, arm in enumerate(arms if isinstance(arms, list) else ()):
            for key in ("then", "else"):
                if _part(arm, key) is not None:
                    yield f"/config/conditions/{place}/{key}", place, arm[key]
    elif step.get("type") == "for_each":
        steps = _part(step.get("config"), "steps")
        if steps is not None:
            yield "/config/steps", None, steps


def without_children(step: Mapping[str, Any]) -> dict[str, Any]:
    """The configuration of a step with nothing in its lists of steps."""
    config = step.get("config")
    config = dict(config) if isinstance(config, Mapping) else {}
    for within, arm, children in list(child_lists(step)):
        if not isinstance(children, list):
            continue
        key = within.rpartition("/")[2]
        if arm is None:
            config[key] = []
        else:
            arms = list(config["conditions"])
            arms[arm] = {**arms[arm], key: []}
            config["conditions"] = arms
    return config


def _cards_in(steps: Any, path: str, blocks: tuple[Block, ...], is_fallback: bool) -> list[Card]:
    cards: list[Card] = []
    for place, step in enumerate(steps if isinstance(steps, list) else ()):
        if not isinstance(step, Mapping):
            continue
        own = f"{path}/{place}"
        cards.append(Card(own, step, blocks, is_fallback))
        if len(blocks) > MAX_NESTING:  # one more than there may be, so that it is told
            continue
        for within, arm, children in child_lists(step):
            inner = (*blocks, Block(own, arm))
            cards += _cards_in(children, own + within, inner, is_fallback)
    return cards


def _part(value: Any, name: str) -> Any:
    return value.get(name) if isinstance(value, Mapping) else None


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
