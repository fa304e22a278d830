"""What expressions see of an event, and the payload that is sent when a webhook names no body."""

from collections.abc import Iterable, Mapping
from functools import cache, partial
from typing import Any, Final

from django.core.exceptions import ObjectDoesNotExist

from records.eventtypes import RECORD_ATTRIBUTES, has_record
from records.expressions import Namespace
from records.linked import RECORD_NAMES, record_values, with_links
from records.models import Event, ObjectDefinition, Record
from records.snapshots import snapshot
from webhooks.jsontext import iso_moment

EVENT_NAMES: Final = ("id", "name", "changed", "created_at")
OBJECT_NAMES: Final = ("id", "slug", "name", "plural")
ACTOR_NAMES: Final = ("id", "username", "name", "email")


class OnDemand(Namespace):
    """Values that are functions are called when somebody asks: few webhooks need a look-up."""

    __slots__ = ()

    def __getitem__(self, name: str) -> Any:
        value = super().__getitem__(name)
        return value() if callable(value) else value


def context_of(event: Event, event_name: str) -> dict[str, Any]:
    """The names that expressions can use for this event.

    `record` is as the event tells of it; for events of comments, discussions and tasks it is as it is now, and
    for all others (and a task that is about no record) it is None. `previous`, `object` and `actor` are always there:
    where there was nothing before, no object or no user, their values are empty, so that
    `previous.stage != record.stage` holds for a new record.
    """
    return {
        "event": Namespace(
            {
                "id": event.pk,
                "name": event_name,
                "changed": event.changed,
                "created_at": event.created_at,
            },
            label="`event`",
        ),
        "record": _record(event),
        "previous": _previous(event),
        "subject": Namespace(_subject(event, event.after or event.before), label="`subject`"),
        "object": _object(event.object),
        "actor": _actor(event),
        "now": event.created_at,
    }


def default_payload(event: Event, event_name: str) -> dict[str, Any]:
    """The documented body: event, timestamp and data, and what was before on updates.

    A record's data are `id`, `object_id`, `field_values`, and beside these `stage`, `state` and `owner`. What is
    told of a comment, a discussion or a task comes with its `record` as it is now, in the same form.
    """
    payload: dict[str, Any] = {
        "event": event_name,
        "timestamp": iso_moment(event.created_at),
        "data": _data(event, event.after or event.before or {}),
    }
    if event.before is not None and event.after is not None:
        payload["previous"] = _data(event, event.before)
    if not _tells_of_record(event) and has_record(event.type):
        record = _find_record(event)
        payload["record"] = _record_data(event, record.pk, snapshot(record)) if record else None
    return payload


def _tells_of_record(event: Event) -> bool:
    return event.type.startswith("record.")


def record_names(definition: ObjectDefinition | None) -> list[str]:
    """What `record.` can be followed by: the fields of the object, then what every record has."""
    fields = [field.slug for field in definition.schema.fields] if definition else []
    return [*fields, *RECORD_NAMES]


def _data(event: Event, snapshot: Mapping[str, Any]) -> dict[str, Any]:
    if _tells_of_record(event):
        return _record_data(event, event.subject_id, snapshot)
    return _subject(event, snapshot)


def _record_data(event: Event, pk: str, snapshot: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": pk,
        "object_id": event.object.public_id if event.object else None,
        "field_values": snapshot.get("data", {}),
        **{name: snapshot.get(name) for name in RECORD_ATTRIBUTES},
    }


def _subject(event: Event, snapshot: Mapping[str, Any] | None) -> dict[str, Any]:
    return {**_flat(snapshot), "id": event.subject_id, "label": event.subject_label}


def _flat(snapshot: Mapping[str, Any] | None) -> dict[str, Any]:
    """A record's fields beside its stage, state and owner: `record.name`, `record.stage`."""
    if not snapshot:
        return {}
    attributes = {name: value for name, value in snapshot.items() if name != "data"}
    return {**(snapshot.get("data") or {}), **attributes}


def _record(event: Event) -> Namespace | None:
    if _tells_of_record(event):
        return _told_record(event)
    if has_record(event.type) and event.record_id and event.object:
        return _current_record(event, event.object)
    return None


def _current_record(event: Event, definition: ObjectDefinition) -> Namespace:
    """The record as it is now. It is looked up when the first of its values is asked for."""

    @cache
    def load() -> Mapping[str, Any]:
        record = _find_record(event)
        return record_values(record) if record else {}

    def value_of(name: str) -> Any:
        return load().get(name)

    values: dict[str, Any] = {name: partial(value_of, name) for name in record_names(definition)}
    values |= {"id": event.record_id, "object_id": definition.public_id}
    return OnDemand(values, label=_label(event))


def _find_record(event: Event) -> Record | None:
    try:
        record = event.record
    except ObjectDoesNotExist:  # it has gone since the event was read
        return None
    if record and event.object:
        record.object = event.object  # no need to look it up again
    return record


def _told_record(event: Event) -> Namespace:
    """The record as the event tells of it, also when it is long gone."""
    values = with_links(_identity(event) | _flat(event.after or event.before), event.object)
    values["created_at"] = lambda: event.record.created_at if event.record else None
    values["updated_at"] = lambda: event.record.updated_at if event.record else None
    return OnDemand(values, label=_label(event))


def _previous(event: Event) -> Namespace:
    if _tells_of_record(event):
        values = with_links(_identity(event) | _flat(event.before), event.object)
        return Namespace(values, label=_label(event))
    values = dict.fromkeys(event.after or {}) | (event.before or {})
    return Namespace(values, label="`previous`")


def _identity(event: Event) -> dict[str, Any]:
    """Also the fields that this record has no value for: they are empty, not unknown."""
    definition = event.object
    fields: Iterable[str] = (f.slug for f in definition.schema.fields) if definition else ()
    values = dict.fromkeys([*fields, *RECORD_ATTRIBUTES])
    values["id"] = event.subject_id
    values["object_id"] = definition.public_id if definition else None
    return values


def _label(event: Event) -> str:
    """Errors say "Leads has no field …"."""
    return str(event.object) if event.object else "This record"


def _object(definition: ObjectDefinition | None) -> Namespace:
    values: dict[str, Any] = dict.fromkeys(OBJECT_NAMES)
    if definition:
        values = {
            "id": definition.public_id,
            "slug": definition.slug,
            "name": definition.name,
            "plural": definition.plural,
        }
    return Namespace(values, label="`object`")


def _actor(event: Event) -> Namespace:
    """Who did it; without a user, `name` may still say what did: "Import"."""

    def of_user(name: str) -> Any:
        return getattr(event.actor, name) if event.actor else None

    return OnDemand(
        {
            "id": event.actor_id,
            "username": lambda: of_user("username"),
            "name": event.actor_label or (lambda: str(event.actor) if event.actor else None),
            "email": lambda: of_user("email"),
        },
        label="`actor`",
    )
