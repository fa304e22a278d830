"""What people do to a draft, as functions of the document. Pure: each returns a changed copy.

What is done to the cases of a branch is in `cases`; how blocks are named, and a step found, in `blocks`.
"""

import re
from collections.abc import Collection, Mapping
from copy import deepcopy
from typing import Any, Final

from automations.builder.blocks import (
    BRANCH,
    LOOP,
    Draft,
    EditRefused,
    Values,
    change_step,
    copy_of,
    fallback_of,
    find_step,
    ids_in,
    insert_step,
    names_within,
    steps_of,
    walk_within,
)
from automations.builder.cases import NEW_ARMS
from automations.document.schema import FALLBACK

MAX_ID: Final = 40
# A place behind all others of a block.
MANY: Final = 100_000


# --- Steps ------------------------------------------------------------------------------------------


def add_step(draft: Draft, block: str, place: int, step_type: str) -> tuple[Values, str]:
    """A new step of this kind, and its id."""
    changed = copy_of(draft)
    step: Values = {"id": new_id(step_type, ids_in(draft)), "type": step_type, "config": {}}
    if step_type == BRANCH:
        step["config"] = {"conditions": deepcopy(list(NEW_ARMS))}
    insert_step(changed, block, place, step)
    return changed, step["id"]


def move_step(draft: Draft, step_id: str, block: str, place: int) -> Values:
    """To a place of a block; places are counted without the step itself."""
    changed = copy_of(draft)
    _, _, step = find_step(changed, step_id)
    if block in names_within(step):
        raise EditRefused("A step can't be moved into itself.")
    old_block, old_place, _ = find_step(changed, step_id)
    del steps_of(changed, old_block)[old_place]
    insert_step(changed, block, place, step)
    return changed


def shift_step(draft: Draft, step_id: str, by: int) -> Values:
    """Up or down; at the end of a block, out of it: before or after the step that the block is in."""
    block, place, _ = find_step(draft, step_id)
    count = len(steps_of(copy_of(draft), block))
    if 0 <= place + by < count:
        return move_step(draft, step_id, block, place + by)
    owner = block.partition("/")[0]
    if block in ("", FALLBACK):
        return copy_of(draft)
    outer, outer_place, _ = find_step(draft, owner)
    return move_step(draft, step_id, outer, outer_place if by < 0 else outer_place + 1)


def duplicate_step(draft: Draft, step_id: str) -> tuple[Values, str]:
    """A copy behind the step, new ids all through it; references among the copied steps follow."""
    changed = copy_of(draft)
    block, place, step = find_step(changed, step_id)
    copy = deepcopy(step)
    taken = ids_in(draft)
    renamed: dict[str, str] = {}
    for each in [copy, *(inner for _, _, inner in walk_within(copy))]:
        fresh = new_id(each["id"], taken)
        taken.add(fresh)
        renamed[each["id"]] = fresh
        each["id"] = fresh
    copy["config"] = _with_renamed(copy.get("config") or {}, renamed)
    if copy.get("name"):
        copy["name"] = f"{copy['name'][:73]} (copy)"
    insert_step(changed, block, place + 1, copy)
    return changed, copy["id"]


def remove_step(draft: Draft, step_id: str) -> tuple[Values, Values]:
    """The draft without the step, and what `restore_step` needs to put it back."""
    changed = copy_of(draft)
    block, place, step = find_step(changed, step_id)
    del steps_of(changed, block)[place]
    return changed, {"block": block, "place": place, "step": step}


def restore_step(draft: Draft, block: str, place: int, step: Draft) -> Values:
    """A removed step comes back where it was, or at the end when that block is gone."""
    changed = copy_of(draft)
    kept = deepcopy(dict(step))
    taken = ids_in(draft)
    for each in [kept, *(inner for _, _, inner in walk_within(kept))]:
        if each["id"] in taken:
            raise EditRefused("There is a step with this id again, so it can't be brought back.")
    try:
        steps_of(changed, block)
    except EditRefused:
        block, place = "", len(changed["steps"])
    insert_step(changed, block, place, kept)
    return changed


def toggle_step(draft: Draft, step_id: str) -> Values:
    def flip(step: Values) -> None:
        if step.get("disabled"):
            step.pop("disabled")
        else:
            step["disabled"] = True

    return change_step(draft, step_id, flip)


def set_step(draft: Draft, step_id: str, values: Mapping[str, Any]) -> Values:
    """Some of name, config, on_error and retry_delays_s. Blocks inside the step stay as they are."""

    def fill(step: Values) -> None:
        for key in ("name", "on_error", "retry_delays_s"):
            if key in values:
                step[key] = values[key]
        if "config" in values:
            kept = {name: step["config"][name] for name in _hidden(step) if name in step["config"]}
            step["config"] = {**dict(values["config"]), **kept}

    return change_step(draft, step_id, fill)


# --- The rest of the document -----------------------------------------------------------------------


def set_trigger(draft: Draft, trigger_type: str, config: Mapping[str, Any]) -> Values:
    return {**copy_of(draft), "trigger": {"type": trigger_type, "config": dict(config)}}


def set_conditions(draft: Draft, conditions: Mapping[str, Any] | None) -> Values:
    return {**copy_of(draft), "conditions": dict(conditions) if conditions else None}


def set_settings(draft: Draft, settings: Mapping[str, Any]) -> Values:
    """All settings but the steps of the fallback, which are edited as all steps are."""
    changed = copy_of(draft)
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


# --- Ids --------------------------------------------------------------------------------------------


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


def _hidden(step: Draft) -> tuple[str, ...]:
    """What is kept in a step's config and edited as blocks, not by its form."""
    return {BRANCH: ("conditions",), LOOP: ("steps",)}.get(str(step.get("type")), ())
