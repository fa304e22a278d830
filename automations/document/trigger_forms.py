"""Triggers as people write them: {"event": "schedule", "cron": "0 9 * * 1"} is a type and its configuration. Pure."""

from collections.abc import Mapping
from typing import Any, Final

# Events that have a kind of trigger of their own; all others are of kind "event".
_KINDS: Final = {
    "schedule": "schedule",
    "interval": "schedule",
    "webhook": "webhook",
    "webhook.received": "webhook",
    "field.changed": "field_changed",
    "record.field_changed": "field_changed",
    "stage.changed": "stage_changed",
    "record.stage_changed": "stage_changed",
    "record.due": "due",
    "record.clicked": "manual",
}
# Names that events have elsewhere.
_EVENTS: Final = {"field.changed": "record.field_changed", "stage.changed": "record.stage_changed"}
# Without an object these are events of any object.
_OF_AN_OBJECT: Final = ("field_changed", "stage_changed")
_OBJECT_KEYS: Final = ("object", "object_id", "object_definition_id")
# Parts that are lists here, and one value elsewhere.
_LISTS: Final = {
    "field_changed": {"field": "fields"},
    "stage_changed": {"from": "from_stages", "to": "to_stages"},
}


def read_trigger(part: Mapping[str, Any]) -> dict[str, Any]:
    """{"type", "config"}, whichever way it was written. What has our form is not changed."""
    config = part.get("config", {})
    is_ours = set(part) <= {"type", "config"} and "." not in str(part.get("type"))
    if "type" in part and is_ours:
        is_plain = isinstance(part["type"], str) and isinstance(config, Mapping)
        return {"type": part["type"], "config": _config(config) if is_plain else config}
    loose = {key: value for key, value in part.items() if key not in ("type", "event", "config")}
    event = part.get("event", part.get("type"))
    if not isinstance(event, str) or not isinstance(config, Mapping):
        return dict(part)
    values = _config({**loose, **config})
    kind = _KINDS.get(event, "event")
    if kind == "event" or (kind in _OF_AN_OBJECT and not values.get("object")):
        return {"type": "event", "config": {"event": _EVENTS.get(event, event), **values}}
    lists = _LISTS.get(kind, {})
    read = {
        lists.get(key, key): _as_list(value) if key in lists else value
        for key, value in values.items()
    }
    return {"type": kind, "config": read}


def _config(config: Mapping[str, Any]) -> dict[str, Any]:
    """Objects by their slug, under one name."""
    values: dict[str, Any] = {}
    for key, value in config.items():
        if key in _OBJECT_KEYS:
            values["object"] = object_slug(value)
        else:
            values[key] = value
    return values


def object_slug(value: Any) -> Any:
    """`obj_def_leads` → leads."""
    return value.removeprefix("obj_def_") if isinstance(value, str) else value


def _as_list(value: Any) -> Any:
    return [value] if isinstance(value, str) else value
