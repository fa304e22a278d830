"""What expressions see of an event, and the payload that is sent when a webhook names no body of its own."""

from collections.abc import Mapping
from typing import Any

from records.expressions import Namespace
from records.models import Event, ObjectDefinition, Record, User


def context_of(event: Event, event_name: str) -> dict[str, Any]:
    """The names that expressions can use for this event: record, previous, event, object, actor, subject, now."""
    return {
        "event": Namespace(
            {
                "id": event.pk,
                "name": event_name,
                "changed": event.changed,
                "created_at": event.created_at,
            },
            label="event",
        ),
        "record": _record(event) if event.record else None,
        "previous": Namespace(_flat(event.before), label="previous") if event.before else None,
        "subject": Namespace(
            _subject(event, event.after or event.before), label=event.subject_label
        ),
        "object": _object(event.object),
        "actor": _actor(event.actor),
        "now": event.created_at,
    }


def default_payload(event: Event, event_name: str) -> dict[str, Any]:
    """The documented body: event, timestamp and data, and what was before on updates."""
    payload: dict[str, Any] = {
        "event": event_name,
        "timestamp": event.created_at,
        "data": _data(event, event.after or event.before or {}),
    }
    if event.before is not None and event.after is not None:
        payload["previous"] = _data(event, event.before)
    return payload


def _data(event: Event, snapshot: Mapping[str, Any]) -> dict[str, Any]:
    if not event.type.startswith("record."):
        return _subject(event, snapshot)
    return {
        "id": event.subject_id,
        "object_id": event.object.public_id if event.object else None,
        "stage": snapshot.get("stage"),
        "state": snapshot.get("state"),
        "owner": snapshot.get("owner"),
        "field_values": snapshot.get("data", {}),
    }


def _subject(event: Event, snapshot: Mapping[str, Any] | None) -> dict[str, Any]:
    return {"id": event.subject_id, "label": event.subject_label, **_flat(snapshot)}


def _flat(snapshot: Mapping[str, Any] | None) -> dict[str, Any]:
    """A record's fields beside its stage, state and owner: `record.name`, `record.stage`."""
    if not snapshot:
        return {}
    attributes = {name: value for name, value in snapshot.items() if name != "data"}
    return {**attributes, **(snapshot.get("data") or {})}


def _record(event: Event) -> Namespace:
    record, definition = event.record, event.object
    assert isinstance(record, Record)
    values = dict.fromkeys(_field_names(definition)) | _flat(event.after or event.before)
    values |= {
        "id": record.pk,
        "object_id": definition.public_id if definition else None,
        "created_at": record.created_at,
        "updated_at": record.updated_at,
    }
    return Namespace(values, label=str(definition) if definition else "record")


def _field_names(definition: ObjectDefinition | None) -> list[str]:
    """Also the fields that this record has no value for: they are empty, not unknown."""
    return [field.slug for field in definition.fields.all()] if definition else []


def _object(definition: ObjectDefinition | None) -> Namespace | None:
    if definition is None:
        return None
    values = {
        "id": definition.public_id,
        "slug": definition.slug,
        "name": definition.name,
        "plural": definition.plural,
    }
    return Namespace(values, label="object")


def _actor(user: User | None) -> Namespace | None:
    if user is None:
        return None
    values = {"id": user.pk, "username": user.username, "name": str(user), "email": user.email}
    return Namespace(values, label="actor")
