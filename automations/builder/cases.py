"""What people do to the cases of a branch. Pure: each returns a changed copy of the draft."""

from collections.abc import Iterator, Mapping
from copy import deepcopy
from typing import Any, Final

from automations.builder.blocks import (
    BRANCH,
    Draft,
    EditRefused,
    Values,
    change_step,
    ids_in,
    walk_block,
)

# What a new branch begins with.
NEW_ARMS: Final[tuple[Values, ...]] = (
    {"if": {"match": "all", "rules": []}, "then": []},
    {"else": []},
)


def add_case(draft: Draft, step_id: str) -> Values:
    """One more case, before “Otherwise”."""

    def add(step: Values) -> None:
        arms = _arms(step)
        place = len(arms) - 1 if arms and "else" in arms[-1] else len(arms)
        arms.insert(place, {"if": {"match": "all", "rules": []}, "then": []})

    return change_step(draft, step_id, add)


def add_otherwise(draft: Draft, step_id: str) -> Values:
    def add(step: Values) -> None:
        arms = _arms(step)
        if not arms or "else" not in arms[-1]:
            arms.append({"else": []})

    return change_step(draft, step_id, add)


def remove_case(draft: Draft, step_id: str, place: int) -> Values:
    def remove(step: Values) -> None:
        arms = _arms(step)
        if not 0 <= place < len(arms):
            raise EditRefused("This case is not there any more.")
        del arms[place]

    return change_step(draft, step_id, remove)


def restore_case(draft: Draft, step_id: str, place: int, arm: Draft) -> Values:
    """A removed case comes back with its steps, “Otherwise” last. Raises EditRefused."""
    taken = ids_in(draft)
    if any(step["id"] in taken for step in _steps_of_arm(arm)):
        raise EditRefused("There are steps with these ids again, so it can't be brought back.")

    def restore(step: Values) -> None:
        arms = _arms(step)
        has_else = bool(arms) and "else" in arms[-1]
        if "else" in arm and has_else:
            raise EditRefused("There is an “Otherwise” again.")
        last = len(arms) - 1 if has_else else len(arms)
        arms.insert(len(arms) if "else" in arm else min(place, last), deepcopy(dict(arm)))

    return change_step(draft, step_id, restore)


def set_case(draft: Draft, step_id: str, place: int, values: Mapping[str, Any]) -> Values:
    """The `name` of a case, and its conditions, `if`."""

    def fill(step: Values) -> None:
        arms = _arms(step)
        if not 0 <= place < len(arms):
            raise EditRefused("This case is not there any more.")
        arm = arms[place]
        if "if" in values and "else" not in arm:
            arm["if"] = values["if"]
        if "name" in values:
            arm["name"] = values["name"]
            if not arm["name"]:
                del arm["name"]

    return change_step(draft, step_id, fill)


def _arms(step: Values) -> list[Values]:
    if step.get("type") != BRANCH:
        raise EditRefused("Only a branch has cases.")
    arms: list[Values] = step.setdefault("config", {}).setdefault("conditions", [])
    return arms


def _steps_of_arm(arm: Draft) -> Iterator[Values]:
    steps = arm.get("else" if "else" in arm else "then") or []
    return (step for _, _, step in walk_block("", steps))
