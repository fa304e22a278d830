"""What people do to a draft, as functions of the document. Pure: each returns a changed copy.

Blocks are named as `automations.document.child_blocks` has them: "" the outermost, `s3/0` an arm of a branch, `s5`
the body of a loop, `!` the fallback. A step is found by its id, which no edit changes.
"""

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from copy import deepcopy
from typing import Any, Final

from automations.document.schema import FALLBACK, MAX_NESTING, MAX_STEPS

Draft = Mapping[str, Any]
Values = dict[str, Any]
Steps = list[Values]

MAX_ID: Final = 40
# A place behind all others of a block.
MANY: Final = 100_000
# Kinds of steps that have blocks of steps inside.
BRANCH: Final = "branch"
LOOP: Final = "for_each"
# What a new branch begins with.
_NEW_ARMS: Final[tuple[Values, ...]] = (
    {"if": {"match": "all", "rules": []}, "then": []},
    {"else": []},
)


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
    yield from _walk_block("", draft.get("steps") or [])
    yield from _walk_block(FALLBACK, fallback_of(draft))


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


def _walk_block(name: str, steps: Steps) -> Iterator[tuple[str, int, Values]]:
    for place, step in enumerate(steps):
        yield name, place, step
        for inner, inner_steps in blocks_of(step):
            yield from _walk_block(inner, inner_steps)


# --- Steps ------------------------------------------------------------------------------------------


def add_step(draft: Draft, block: str, place: int, step_type: str) -> tuple[Values, str]:
    """A new step of this kind, and its id."""
    changed = _copy(draft)
    step: Values = {"id": new_id(step_type, ids_in(draft)), "type": step_type, "config": {}}
    if step_type == BRANCH:
        step["config"] = {"conditions": deepcopy(list(_NEW_ARMS))}
    _insert(changed, block, place, step)
    return changed, step["id"]


def move_step(draft: Draft, step_id: str, block: str, place: int) -> Values:
    """To a place of a block; places are counted without the step itself."""
    changed = _copy(draft)
    _, _, step = find_step(changed, step_id)
    if block in _blocks_within(step):
        raise EditRefused("A step can't be moved into itself.")
    old_block, old_place, _ = find_step(changed, step_id)
    del _steps_of(changed, old_block)[old_place]
    _insert(changed, block, place, step)
    return changed


def shift_step(draft: Draft, step_id: str, by: int) -> Values:
    """Up or down; at the end of a block, out of it: before or after the step that the block is in."""
    block, place, _ = find_step(draft, step_id)
    count = len(_steps_of(_copy(draft), block))
    if 0 <= place + by < count:
        return move_step(draft, step_id, block, place + by)
    owner = block.partition("/")[0]
    if block in ("", FALLBACK):
        return _copy(draft)
    outer, outer_place, _ = find_step(draft, owner)
    return move_step(draft, step_id, outer, outer_place if by < 0 else outer_place + 1)


def duplicate_step(draft: Draft, step_id: str) -> tuple[Values, str]:
    """A copy behind the step, new ids all through it; references among the copied steps follow."""
    changed = _copy(draft)
    block, place, step = find_step(changed, step_id)
    copy = deepcopy(step)
    taken = ids_in(draft)
    renamed: dict[str, str] = {}
    for each in [copy, *(inner for _, _, inner in _walk_blocks_of(copy))]:
        fresh = new_id(each["id"], taken)
        taken.add(fresh)
        renamed[each["id"]] = fresh
        each["id"] = fresh
    copy["config"] = _with_renamed(copy.get("config") or {}, renamed)
    if copy.get("name"):
        copy["name"] = f"{copy['name'][:73]} (copy)"
    _insert(changed, block, place + 1, copy)
    return changed, copy["id"]


def remove_step(draft: Draft, step_id: str) -> tuple[Values, Values]:
    """The draft without the step, and what `restore_step` needs to put it back."""
    changed = _copy(draft)
    block, place, step = find_step(changed, step_id)
    del _steps_of(changed, block)[place]
    return changed, {"block": block, "place": place, "step": step}


def restore_step(draft: Draft, block: str, place: int, step: Draft) -> Values:
    """A removed step comes back where it was, or at the end when that block is gone."""
    changed = _copy(draft)
    kept = deepcopy(dict(step))
    taken = ids_in(draft)
    for each in [kept, *(inner for _, _, inner in _walk_blocks_of(kept))]:
        if each["id"] in taken:
            raise EditRefused("There is a step with this id again, so it can't be brought back.")
    try:
        _steps_of(changed, block)
    except EditRefused:
        block, place = "", len(changed["steps"])
    _insert(changed, block, place, kept)
    return changed


def toggle_step(draft: Draft, step_id: str) -> Values:
    def flip(step: Values) -> None:
        if step.get("disabled"):
            step.pop("disabled")
        else:
            step["disabled"] = True

    return _change_step(draft, step_id, flip)


def set_step(draft: Draft, step_id: str, values: Mapping[str, Any]) -> Values:
    """Some of name, config, on_error and retry_delays_s. Blocks inside the step stay as they are."""

    def fill(step: Values) -> None:
        for key in ("name", "on_error", "retry_delays_s"):
            if key in values:
                step[key] = values[key]
        if "config" in values:
            kept = {name: step["config"][name] for name in _hidden(step) if name in step["config"]}
            step["config"] = {**dict(values["config"]), **kept}

    return _change_step(draft, step_id, fill)


# --- Cases of a branch ------------------------------------------------------------------------------


def add_case(draft: Draft, step_id: str) -> Values:
    """One more case, before “Otherwise”."""

    def add(step: Values) -> None:
        arms = _arms(step)
        place = len(arms) - 1 if arms and "else" in arms[-1] else len(arms)
        arms.insert(place, {"if": {"match": "all", "rules": []}, "then": []})

    return _change_step(draft, step_id, add)


def add_otherwise(draft: Draft, step_id: str) -> Values:
    def add(step: Values) -> None:
        arms = _arms(step)
        if not arms or "else" not in arms[-1]:
            arms.append({"else": []})

    return _change_step(draft, step_id, add)


def remove_case(draft: Draft, step_id: str, place: int) -> Values:
    def remove(step: Values) -> None:
        arms = _arms(step)
        if not 0 <= place < len(arms):
            raise EditRefused("This case is not there any more.")
        del arms[place]

    return _change_step(draft, step_id, remove)


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

    return _change_step(draft, step_id, restore)


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

    return _change_step(draft, step_id, fill)


# --- The rest of the document -----------------------------------------------------------------------


def set_trigger(draft: Draft, trigger_type: str, config: Mapping[str, Any]) -> Values:
    return {**_copy(draft), "trigger": {"type": trigger_type, "config": dict(config)}}


def set_conditions(draft: Draft, conditions: Mapping[str, Any] | None) -> Values:
    return {**_copy(draft), "conditions": dict(conditions) if conditions else None}


def set_settings(draft: Draft, settings: Mapping[str, Any]) -> Values:
    """All settings but the steps of the fallback, which are edited as all steps are."""
    changed = _copy(draft)
    steps = fallback_of(changed)
    filled = deepcopy(dict(settings))
    on_failure = {**(filled.get("on_failure") or {})}
    on_failure.pop("steps", None)
    if steps:
        on_failure["steps"] = steps
    filled.pop("on_failure", None)
    if on_failure:
        filled["on_failure"] = on_failure
    changed["settings"] = filled
    return changed


# --- How it is done ---------------------------------------------------------------------------------


def new_id(wanted: str, taken: Collection[str]) -> str:
    """The kind's name, with a number when there is one already: webhook, webhook_2 …"""
    plain = re.sub(r"[^a-z0-9_]", "_", wanted.lower())
    base = re.sub(r"_\d+$", "", plain) or "step"
    if not base[0].isalpha():
        base = f"s{base}"
    base = base[: MAX_ID - 5]
    if base not in taken:
        return base
    number = 2
    while f"{base}_{number}" in taken:
        number += 1
    return f"{base}_{number}"


def _copy(draft: Draft) -> Values:
    return deepcopy(dict(draft))


def _change_step(draft: Draft, step_id: str, change: Callable[[Values], None]) -> Values:
    changed = _copy(draft)
    change(find_step(changed, step_id)[2])
    return changed


def _arms(step: Values) -> list[Values]:
    if step.get("type") != BRANCH:
        raise EditRefused("Only a branch has cases.")
    arms: list[Values] = step.setdefault("config", {}).setdefault("conditions", [])
    return arms


def _steps_of_arm(arm: Draft) -> Iterator[Values]:
    steps = arm.get("else" if "else" in arm else "then") or []
    return (step for _, _, step in _walk_block("", steps))


def _hidden(step: Draft) -> tuple[str, ...]:
    """What is kept in a step's config and edited as blocks, not by its form."""
    return {BRANCH: ("conditions",), LOOP: ("steps",)}.get(str(step.get("type")), ())


def _steps_of(draft: Values, block: str) -> Steps:
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


def _insert(draft: Values, block: str, place: int, step: Values) -> None:
    if sum(1 for _ in walk(draft)) >= MAX_STEPS:
        raise EditRefused(f"An automation has at most {MAX_STEPS} steps.")
    if depth_of(draft, block) + _height(step) > MAX_NESTING:
        raise EditRefused(f"Steps are nested at most {MAX_NESTING} deep.")
    steps = _steps_of(draft, block)
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


def _blocks_within(step: Draft) -> set[str]:
    inner = [each for _, steps in blocks_of(step) for each in steps]
    return {name for name, _ in blocks_of(step)}.union(*map(_blocks_within, inner))


def _walk_blocks_of(step: Draft) -> Iterator[tuple[str, int, Values]]:
    for name, steps in blocks_of(step):
        yield from _walk_block(name, steps)


def _with_renamed(value: Any, renamed: Mapping[str, str]) -> Any:
    """Texts that name steps, `steps.lookup.response`, name their copies."""
    if isinstance(value, str) and "steps." in value:
        return re.sub(
            r"\bsteps\.([a-z][a-z0-9_]*)",
            lambda found: f"steps.{renamed.get(found[1], found[1])}",
            value,
        )
    if isinstance(value, dict):
        return {key: _with_renamed(each, renamed) for key, each in value.items()}
    if isinstance(value, list):
        return [_with_renamed(each, renamed) for each in value]
    return value
