"""From what the page sends to an edit of the draft: one function for each thing that can be done."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from automations.actions.branch import Arm
from automations.builder import blocks, cases, edits
from automations.builder.blocks import EditRefused, Values
from automations.builder.forms import read_config, sources_of
from automations.builder.inputs.base import Data
from automations.builder.inputs.numbers import number_of
from automations.builder.inputs.references import is_written_id
from automations.builder.inputs.structures import read_conditions
from automations.builder.requestform import read_stores
from automations.document.schema import DEFAULT_MAX_DEPTH, Step, child_blocks
from automations.request_config import WebhookConfig
from automations.steps import ACTIONS
from automations.triggers import TRIGGERS
from webhooks.durations import DelayError, parse_delays


@dataclass(slots=True)
class Edited:
    """What came of an edit. `redraws`: the cards stand differently now; `focus`: the card to go on with."""

    draft: Mapping[str, Any]
    redraws: bool = False
    focus: str = ""
    opens: str = ""
    words: str = ""
    # What was removed, and what brings it back: the name of the edit, and its values.
    removed: "Removed | None" = None


@dataclass(frozen=True, slots=True)
class Removed:
    label: str
    undo: str
    values: Mapping[str, Any]


Change = Callable[[Values, Data], Edited]
CHANGES: Final[dict[str, Change]] = {}


def change(name: str) -> Callable[[Change], Change]:
    def register(function: Change) -> Change:
        CHANGES[name] = function
        return function

    return register


@change("redraw")
def _redraw(draft: Values, data: Data) -> Edited:
    """Nothing changes; the page wants its cards as they are now."""
    return Edited(draft, redraws=True)


@change("trigger-type")
def _choose_trigger(draft: Values, data: Data) -> Edited:
    """Another kind of trigger; what it has in common with the one before is kept."""
    kind = TRIGGERS.get(str(data.get("type")))
    if kind is None:
        raise EditRefused("There is no such trigger.")
    old = (draft.get("trigger") or {}).get("config") or {}
    kept: Values = {
        name: old[name]
        for name in ("object", "fields")
        if name in kind.Config.model_fields and name in old
    }
    if "event" in kind.Config.model_fields and kind.Config.model_fields["event"].is_required():
        kept["event"] = old.get("event", "record.created")
    changed = edits.set_trigger(draft, kind.name, kept)
    return Edited(changed, redraws=True, focus="trigger", opens="trigger")


@change("trigger")
def _set_trigger(draft: Values, data: Data) -> Edited:
    part = draft.get("trigger") or {}
    kind = TRIGGERS.get(str(part.get("type")))
    if kind is None:
        raise EditRefused("Choose a trigger first.")
    old = part.get("config") or {}
    config = read_config(kind.Config, old, data)
    changed = edits.set_trigger(draft, kind.name, config)
    # What can be chosen in the other cards depends on these.
    redraws = any(old.get(key) != config.get(key) for key in ("object", "event"))
    return Edited(changed, redraws=redraws)


@change("conditions")
def _set_conditions(draft: Values, data: Data) -> Edited:
    return Edited(edits.set_conditions(draft, read_conditions(str(data.get("c-conditions") or ""))))


@change("settings")
def _set_settings(draft: Values, data: Data) -> Edited:
    return Edited(edits.set_settings(draft, _settings_in(data)))


@change("step")
def _set_step(draft: Values, data: Data) -> Edited:
    step_id = _card(data)
    _, _, step = blocks.find_step(draft, step_id)
    values: Values = {}
    if "name" in data:
        values["name"] = str(data["name"]).strip()[:80]
    if "on_error" in data:
        values["on_error"] = "continue" if data["on_error"] == "continue" else "stop"
    if "retry_delays_s" in data:
        values["retry_delays_s"] = _delays(str(data["retry_delays_s"]))
    action = ACTIONS.get(str(step.get("type")))
    old = step.get("config") or {}
    if action:
        values["config"] = read_config(action.Config, old, data)
        if issubclass(action.Config, WebhookConfig):
            values["config"] = read_stores(values["config"], data)
    redraws = action is not None and any(
        _named(old.get(source)) != _named(values["config"].get(source))
        for source in sources_of(action.Config)
    )
    return Edited(edits.set_step(draft, step_id, values), redraws=redraws)


@change("add")
def _add_step(draft: Values, data: Data) -> Edited:
    kind = str(data.get("type"))
    if kind not in ACTIONS:
        raise EditRefused("There is no such kind of step.")
    changed, step_id = edits.add_step(
        draft, str(data.get("block") or ""), _number(data, "place"), kind
    )
    is_flow = kind == blocks.BRANCH
    return Edited(
        changed,
        redraws=True,
        focus=step_id,
        opens="" if is_flow else step_id,
        words=f"{ACTIONS[kind].label} added.",
    )


@change("move")
def _move_step(draft: Values, data: Data) -> Edited:
    step_id = _card(data)
    if "by" in data:
        by = -1 if str(data["by"]) == "-1" else 1
        changed = edits.shift_step(draft, step_id, by)
        words = "Moved up." if by < 0 else "Moved down."
    else:
        place = _number(data, "place") if data.get("place") else edits.MANY
        changed = edits.move_step(draft, step_id, str(data.get("block") or ""), place)
        words = "Moved."
    if changed == draft:
        words = "It can't be moved further."
    return Edited(changed, redraws=True, focus=step_id, words=words)


@change("duplicate")
def _duplicate_step(draft: Values, data: Data) -> Edited:
    changed, step_id = edits.duplicate_step(draft, _card(data))
    return Edited(changed, redraws=True, focus=step_id, words="Duplicated.")


@change("remove")
def _remove_step(draft: Values, data: Data) -> Edited:
    changed, gone = edits.remove_step(draft, _card(data))
    step = gone["step"]
    label = step.get("name") or step["type"].replace("_", " ").capitalize()
    removed = Removed(str(label), "restore", {**gone, "step": json.dumps(step)})
    return Edited(changed, redraws=True, removed=removed)


@change("restore")
def _restore_step(draft: Values, data: Data) -> Edited:
    try:
        step = json.loads(str(data.get("step") or ""))
        check_steps([step])
    except ValueError:  # pydantic's is one, too
        raise EditRefused("This step can't be brought back.") from None
    changed = edits.restore_step(draft, str(data.get("block") or ""), _number(data, "place"), step)
    return Edited(changed, redraws=True, focus=step["id"], words="The step is back.")


@change("toggle")
def _toggle_step(draft: Values, data: Data) -> Edited:
    step_id = _card(data)
    changed = edits.toggle_step(draft, step_id)
    is_off = blocks.find_step(changed, step_id)[2].get("disabled")
    words = "Switched off: runs pass over it." if is_off else "Switched on."
    return Edited(changed, redraws=True, focus=step_id, words=words)


@change("case")
def _set_case(draft: Values, data: Data) -> Edited:
    values: Values = {}
    if "c-conditions" in data:
        values["if"] = read_conditions(str(data["c-conditions"])) or {"match": "all", "rules": []}
    if "name" in data:
        values["name"] = str(data["name"]).strip()[:80]
    return Edited(cases.set_case(draft, _card(data), _number(data, "case"), values))


@change("add-case")
def _add_case(draft: Values, data: Data) -> Edited:
    return Edited(
        cases.add_case(draft, _card(data)), redraws=True, focus=_card(data), words="Case added."
    )


@change("add-otherwise")
def _add_otherwise(draft: Values, data: Data) -> Edited:
    return Edited(cases.add_otherwise(draft, _card(data)), redraws=True, focus=_card(data))


@change("remove-case")
def _remove_case(draft: Values, data: Data) -> Edited:
    card, place = _card(data), _number(data, "case")
    changed = cases.remove_case(draft, card, place)
    arm = blocks.find_step(draft, card)[2]["config"]["conditions"][place]
    label = arm.get("name") or ("Otherwise" if "else" in arm else f"Case {place + 1}")
    values = {"card": card, "case": place, "arm": json.dumps(arm)}
    removed = Removed(str(label), "restore-case", values)
    return Edited(changed, redraws=True, focus=card, removed=removed)


@change("restore-case")
def _restore_case(draft: Values, data: Data) -> Edited:
    try:
        arm = json.loads(str(data.get("arm") or ""))
        Arm.model_validate(arm)
    except ValueError:
        raise EditRefused("This case can't be brought back.") from None
    check_steps(arm.get("else" if "else" in arm else "then") or [])
    changed = cases.restore_case(draft, _card(data), _number(data, "case"), arm)
    return Edited(changed, redraws=True, focus=_card(data), words="The case is back.")


def check_steps(steps: Sequence[Any]) -> None:
    """Steps all the way down. Raises ValidationError."""
    for each in steps:
        step = Step.model_validate(each)
        for _, inner in child_blocks(step):
            check_steps(inner)


def _settings_in(data: Data) -> Values:
    on_failure: Values = {
        "notify_admins": "notify_admins" in data,
        "notify_teams": [str(each) for each in data.getlist("notify_teams")],
        "quarantine": "quarantine" in data,
    }
    if pause_after := str(data.get("pause_after") or "").strip():
        on_failure["pause_after"] = number_of(pause_after)
    concurrency: Values = {"mode": str(data.get("mode") or "parallel")}
    if max_open := str(data.get("max_open") or "").strip():
        concurrency["max_open"] = number_of(max_open)
    depth = str(data.get("max_depth") or "").strip()
    return {
        "concurrency": concurrency,
        "max_depth": number_of(depth) if depth else DEFAULT_MAX_DEPTH,
        "on_failure": on_failure,
    }


def _delays(text: str) -> Any:
    try:
        return parse_delays(text)
    except DelayError:
        return text


def _named(source: Any) -> Any:
    """What decides what can be chosen: with an id, whichever it is, anything."""
    return "?" if isinstance(source, str) and is_written_id(source) else source


def _card(data: Data) -> str:
    return str(data.get("card") or "")


def _number(data: Data, name: str) -> int:
    text = str(data.get(name) or "0")
    return int(text) if text.isdecimal() and len(text) < 6 else 0
