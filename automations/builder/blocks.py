"""The blocks of steps in a draft: walking them, finding a step, taking a place. Pure.

Blocks are named as `automations.document.child_blocks` has them: "" the outermost, `s3/0` an arm of a branch, `s5`
the body of a loop, `!` the fallback. A step is found by its id, which no edit changes.
"""

from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from typing import Any, Final

from automations.document.schema import FALLBACK, MAX_NESTING, MAX_STEPS

Draft = Mapping[str, Any]
Values = dict[str, Any]
Steps = list[Values]

# Kinds of steps that have blocks of steps inside.
BRANCH: Final = "branch"
LOOP: Final = "for_each"


class EditRefused(ValueError):
    """An edit makes no sense (any more); the words are for people."""


# --- Looking ----------------------------------------------------------------------------------------


def blocks_of(step: Draft) -> list[tuple[str, Steps]]:
    """The blocks inside a step, by name. The lists are those of the draft."""
    config = step.get("config") or {}
    if step.get("type") == BRANCH:
        return [
            (f"{step['id']}/{place}", arm.get("else" if "else" in arm else "then") or [])
            for place, arm in enumerate(config.get("conditions") or [])
        ]
    if step.get("type") == LOOP:
        return [(step["id"], config.get("steps") or [])]
    return []


def walk(draft: Draft) -> Iterator[tuple[str, int, Values]]:
    """Every step with its block and its place in it, in the order of the page."""
    yield from walk_block("", draft.get("steps") or [])
    yield from walk_block(FALLBACK, fallback_of(draft))


def fallback_of(draft: Draft) -> Steps:
    on_failure = (draft.get("settings") or {}).get("on_failure") or {}
    steps: Steps = on_failure.get("steps") or []
    return steps


def find_step(draft: Draft, step_id: str) -> tuple[str, int, Values]:
    """Block, place and step. Raises EditRefused."""
    for block, place, step in walk(draft):
        if step["id"] == step_id:
            return block, place, step
    raise EditRefused("This step is not there any more.")


def ids_in(draft: Draft) -> set[str]:
    return {step["id"] for _, _, step in walk(draft)}


def walk_block(name: str, steps: Steps) -> Iterator[tuple[str, int, Values]]:
    for place, step in enumerate(steps):
        yield name, place, step
        for inner, inner_steps in blocks_of(step):
            yield from walk_block(inner, inner_steps)


def walk_within(step: Draft) -> Iterator[tuple[str, int, Values]]:
    for name, steps in blocks_of(step):
        yield from walk_block(name, steps)


# --- Changing ---------------------------------------------------------------------------------------


def copy_of(draft: Draft) -> Values:
    return deepcopy(dict(draft))


def change_step(draft: Draft, step_id: str, change: Callable[[Values], None]) -> Values:
    changed = copy_of(draft)
    change(find_step(changed, step_id)[2])
    return changed


def steps_of(draft: Values, block: str) -> Steps:
    """The list itself, so that it can be changed; made where a draft leaves it out. Raises EditRefused."""
    if block == "":
        return _list_at(draft, "steps")
    if block == FALLBACK:
        settings = draft.setdefault("settings", {})
        return _list_at(settings.setdefault("on_failure", {}), "steps")
    owner, _, arm = block.partition("/")
    step = find_step(draft, owner)[2]
    config = step.setdefault("config", {})
    if step["type"] == LOOP and not arm:
        return _list_at(config, "steps")
    arms = config.get("conditions") or []
    if step["type"] == BRANCH and arm.isdecimal() and int(arm) < len(arms):
        chosen = arms[int(arm)]
        return _list_at(chosen, "else" if "else" in chosen else "then")
    raise EditRefused("This place is not there any more.")


def _list_at(part: Values, key: str) -> Steps:
    if part.get(key) is None:
        part[key] = []
    steps: Steps = part[key]
    return steps


def insert_step(draft: Values, block: str, place: int, step: Values) -> None:
    if sum(1 for _ in walk(draft)) >= MAX_STEPS:
        raise EditRefused(f"An automation has at most {MAX_STEPS} steps.")
    if depth_of(draft, block) + _height(step) > MAX_NESTING:
        raise EditRefused(f"Steps are nested at most {MAX_NESTING} deep.")
    steps = steps_of(draft, block)
    steps.insert(max(0, min(place, len(steps))), step)


def depth_of(draft: Draft, block: str) -> int:
    """How many blocks a block is in: 0 for the outermost ones."""
    depth = 0
    while block not in ("", FALLBACK):
        block = find_step(draft, block.partition("/")[0])[0]
        depth += 1
    return depth


def _height(step: Draft) -> int:
    inner = [each for _, steps in blocks_of(step) for each in steps]
    own = 1 if step.get("type") in (BRANCH, LOOP) else 0
    return own + max(map(_height, inner), default=0)


def names_within(step: Draft) -> set[str]:
    inner = [each for _, steps in blocks_of(step) for each in steps]
    return {name for name, _ in blocks_of(step)}.union(*map(names_within, inner))
