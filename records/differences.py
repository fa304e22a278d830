"""What an event changed, value by value, as people read it: for records, objects, users and teams alike."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from records.eventtypes import RECORD_ATTRIBUTES
from records.models import Event, RecordState, User
from records.texts import Labels

# A long value is recognised by its beginning.
MAX_LENGTH = 500


@dataclass(frozen=True, slots=True)
class Difference:
    """One value before and after; empty where there was or is none."""

    label: str
    before: str
    after: str
    changed: bool


def differences_of(event: Event) -> list[Difference]:
    """The values that changed; of a creation or deletion, all values."""
    if event.type.startswith("record."):
        return _of_record(event)
    before, after = _flat(event.before or {}), _flat(event.after or {})
    names = list(event.changed) or list(dict.fromkeys([*after, *before]))
    return [
        Difference(name, _text(before.get(name)), _text(after.get(name)), name in event.changed)
        for name in names
    ]


def _of_record(event: Event) -> list[Difference]:
    """Fields by their labels, references by what they refer to."""
    before, after = event.before or {}, event.after or {}
    schema = event.object.schema if event.object else None
    fields = schema.by_slug if schema else {}
    labels = Labels(fields.values(), [before.get("data"), after.get("data")])
    owners = User.objects.in_bulk([pk for shot in (before, after) if (pk := shot.get("owner"))])
    slugs = dict.fromkeys([*fields, *(after.get("data") or {}), *(before.get("data") or {})])
    names = list(event.changed) or [*slugs, *RECORD_ATTRIBUTES]

    def text(name: str, shot: Mapping[str, Any]) -> str:
        if name == "stage":
            slug = str(shot.get(name, ""))
            return schema.stage_labels.get(slug, slug) if schema else slug
        if name == "state":
            return dict(RecordState.choices).get(shot.get(name, ""), "")
        if name == "owner":
            pk = shot.get(name)
            return str(owners.get(pk, pk)) if pk else ""
        value = (shot.get("data") or {}).get(name)
        if name not in fields:
            return _text(value)
        return "" if not shot or value is None else labels.text(fields[name], value)[:MAX_LENGTH]

    return [
        Difference(
            fields[name].label if name in fields else name.capitalize(),
            text(name, before),
            text(name, after),
            name in event.changed,
        )
        for name in names
    ]


def _flat(values: Mapping[str, Any]) -> dict[str, Any]:
    """An object's fields and stages by the names that events use: “fields.email”."""
    flat = dict(values)
    for parts in ("fields", "stages"):
        if isinstance(flat.get(parts), dict):
            for slug, value in flat.pop(parts).items():
                flat[f"{parts}.{slug}"] = value
    return flat


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return ", ".join(value)[:MAX_LENGTH]
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text[:MAX_LENGTH]
