"""Events to try a webhook on: past ones, real records as if it happened to them now, or made-up ones."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from django.db.models import Q, QuerySet
from django.utils import timezone

from records.eventtypes import has_record
from records.ids import decode
from records.models import Event, ObjectDefinition, Record, User
from records.permissions import visible_objects
from records.snapshots import changed_names, snapshot
from webhooks.madeup import MADE_UP_SUBJECTS, made_up_values
from webhooks.subscriptions import event_names_of

MADE_UP: Final = "sample"
# How many are offered, and how far back the log is searched for them: it has no index on types.
_OFFERED: Final = 15
_LOOK_BACK: Final = 2_000
_MAX_WORDS: Final = 5
# Changes that go by several names.
_FROM_CHANGES: Final = (
    *("record.created", "record.updated"),
    *("task.updated", "invitation.updated"),
)


@dataclass(frozen=True, slots=True)
class Choice:
    """`key` is the id of a record or an event, or MADE_UP."""

    key: str
    label: str


@dataclass(frozen=True, slots=True)
class Sample:
    """An event to render a webhook for. `note` says what is not real about it, if anything."""

    key: str
    label: str
    event: Event
    note: str = ""


class Samples:
    """What one person may try a webhook on that has this event name, and this object if any."""

    def __init__(self, user: User, event_name: str, definition: ObjectDefinition | None) -> None:
        self.event_name = event_name
        self.of_record = event_name.startswith("record.")
        self.has_record = has_record(event_name)
        self.definition = definition if self.has_record else None
        self._visible = set(visible_objects(user).values_list("pk", flat=True))

    def choices(self, query: str = "") -> list[tuple[str, list[Choice]]]:
        """Groups for a drop-down: newest records, past events, and always one that is made up."""
        groups = []
        if self.of_record:
            groups.append(("Newest records", [_record_choice(one) for one in self._records(query)]))
        groups.append(("Past events", [_event_choice(one) for one in self._events(query)]))
        groups.append(("Without data", [Choice(MADE_UP, "A made-up example")]))
        return [group for group in groups if group[1]]

    def get(self, key: str) -> Sample:
        """The one with this key; without one, the first there is; in the end one that is made up."""
        event = record = None
        if key.startswith("rec_") and self.of_record:
            record = self._record_rows().filter(pk=key).first() if _is_id("rec", key) else None
        elif key.startswith("evt_"):
            rows = self._event_rows().filter(pk=key) if _is_id("evt", key) else Event.objects.none()
            event = next(iter(self._named(rows)), None)
        if key != MADE_UP and event is None and record is None:
            record = next(iter(self._records("")), None) if self.of_record else None
            event = next(iter(self._events("")), None) if record is None else None
        if record is not None:
            return self._of_record(record)
        if event is not None:
            return Sample(event.pk, _event_choice(event).label, event)
        return self._made_up()

    # --- real ones ---

    def _record_rows(self) -> QuerySet[Record]:
        rows = Record.objects.alive().filter(object_id__in=self._visible).select_related("object")
        return rows.filter(object=self.definition) if self.definition else rows

    def _records(self, query: str) -> list[Record]:
        rows = self._record_rows().order_by("-id")
        for word in query.lower().split()[:_MAX_WORDS]:
            rows = rows.filter(search_text__contains=word)
        return list(rows[:_OFFERED])

    def _event_rows(self) -> QuerySet[Event]:
        types = {self.event_name}
        if self.event_name not in _FROM_CHANGES:
            kind = self.event_name.partition(".")[0]
            types |= {change for change in _FROM_CHANGES if change.startswith(f"{kind}.")}
        rows = Event.objects.filter(type__in=types).select_related("object", "record", "actor")
        if self.has_record:
            # A task may be about no record, and so about no object.
            without = Q(object=None, type__startswith="task.")
            rows = rows.filter(Q(object_id__in=self._visible) | without)
        return rows.filter(object=self.definition) if self.definition else rows

    def _events(self, query: str) -> list[Event]:
        recent = Event.objects.order_by("-id").values("pk")[:_LOOK_BACK]
        rows = self._event_rows().filter(pk__in=recent).order_by("-id")
        for word in query.split()[:_MAX_WORDS]:
            rows = rows.filter(subject_label__icontains=word)
        return self._named(rows[: 4 * _OFFERED])[:_OFFERED]

    def _named(self, events: Iterable[Event]) -> list[Event]:
        return [event for event in events if self.event_name in event_names_of(event)]

    def _of_record(self, record: Record) -> Sample:
        """The newest event of this name that the record had; else as if it happened now."""
        rows = self._event_rows().filter(record=record).order_by("-id")[: 2 * _OFFERED]
        for event in self._named(rows):
            return Sample(record.pk, str(record), event)
        event = self._event(record.object, snapshot(record))
        event.record, event.subject_id, event.subject_label = record, record.pk, str(record)
        note = "This has not happened to this record yet; it is shown as if it happened now."
        return Sample(record.pk, str(record), event, note)

    # --- made-up ones ---

    def _made_up(self) -> Sample:
        if self.of_record:
            event = self._event(self.definition, _made_up_record(self.definition))
            event.subject_id = "rec_00000000000000000000000000"
            event.subject_label = "Example"
        else:
            event = self._event(self.definition, MADE_UP_SUBJECTS.get(self.event_name, {}))
            event.subject_id, event.subject_label = "example", "Example"
            if self.definition:
                values = _made_up_record(self.definition)
                event.record = Record(object=self.definition, **values)
        source = f" from the fields of {self.definition}" if self.definition else ""
        return Sample(MADE_UP, "A made-up example", event, f"These values are made up{source}.")

    def _event(self, definition: ObjectDefinition | None, after: dict[str, Any]) -> Event:
        """An event of this name that is in no log."""
        before, now = _before(self.event_name, after, definition), timezone.now()
        if self.event_name == "record.quarantined":
            after["quarantine_reason"] = "An example of a reason"
        change = self.event_name
        if self.of_record and change.partition(".")[2] in _STORIES:
            change = "record.updated" if before else "record.created"
        gone = self.event_name.endswith(".deleted")
        return Event(
            type=change,
            object=definition,
            before=after if gone else before,
            after=None if gone else after,
            changed=changed_names(before, after) if before and self.of_record else [],
            created_at=now,
        )


# Names that a change of a record goes by beside its own: what was different before.
_STORIES: Final[dict[str, dict[str, Any]]] = {
    "submitted": {},
    "saved": {},
    "closed": {"state": "submitted"},
    "field_changed": {},
    "stage_changed": {},
    "created": {},
    "updated": {},
}


def _before(
    event_name: str, after: dict[str, Any], definition: ObjectDefinition | None
) -> dict[str, Any] | None:
    """What could have been before, for events that have a before. Sets the state that goes with the name."""
    kind, _, change = event_name.partition(".")
    if kind != "record":
        return after if change == "updated" else None
    states = {"submitted": "submitted", "saved": "draft", "closed": "closed"}
    after["state"] = states.get(change, after["state"])
    if change not in ("updated", "field_changed", "stage_changed", "closed"):
        return None
    before = {**after, **_STORIES[change]}
    if change == "stage_changed":
        stages = [stage.slug for stage in definition.schema.stages] if definition else []
        others = [slug for slug in stages if slug != after["stage"]]
        before["stage"] = others[0] if others else ""
    elif change in ("updated", "field_changed"):
        filled = [name for name, value in after["data"].items() if value not in (None, "", [])]
        before["data"] = {**after["data"], **dict.fromkeys(filled[:1])}
    return before


def _made_up_record(definition: ObjectDefinition | None) -> dict[str, Any]:
    return {
        "stage": definition.schema.first_stage if definition else "",
        "state": "submitted",
        "owner": None,
        "data": made_up_values(definition.schema.fields if definition else ()),
    }


def _is_id(prefix: str, text: str) -> bool:
    try:
        decode(prefix, text)
    except ValueError:
        return False
    return True


def _record_choice(record: Record) -> Choice:
    return Choice(record.pk, f"{record} · {record.object.name}"[:120])


def _event_choice(event: Event) -> Choice:
    moment = timezone.localtime(event.created_at)
    return Choice(event.pk, f"{event.subject_label or event.type} · {moment:%d %b, %H:%M:%S}"[:120])
