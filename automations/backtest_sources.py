"""What a backtest walks through: captured events, the ticks of a schedule, or records that were due. In slices."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Protocol

from automations.models import Automation
from automations.moments import due_moment
from automations.samples import key_of_tick, moment_of_tick
from automations.ticks import upcoming
from automations.timers import DUE, TICK
from records.ids import first_id_at, moment_of
from records.models import Event, ObjectDefinition, Record, RecordState
from records.snapshots import snapshot
from webhooks.jsontext import iso_moment

# Rows that are loaded together: a slice may end at any of them.
_CHUNK: Final = 200
# As exactly as an id tells its time.
_MILLISECOND: Final = timedelta(milliseconds=1)
# Changes by whose names others go, too: `records.eventtypes.names_of`.
_TOLD_BY: Final = {
    "record.submitted": ("record.created", "record.updated"),
    "record.saved": ("record.created", "record.updated"),
    "record.closed": ("record.created", "record.updated"),
    "record.field_changed": ("record.updated",),
    "record.stage_changed": ("record.updated",),
    "task.completed": ("task.updated",),
    "invitation.accepted": ("invitation.updated",),
    "invitation.declined": ("invitation.updated",),
    "invitation.revoked": ("invitation.updated",),
}


@dataclass(frozen=True, slots=True)
class Window:
    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class Candidate:
    """Something that may have fired it. `key` is also the cursor; without an event it is none of its business."""

    key: str
    moment: datetime
    event: Event | None


class Source(Protocol):
    @property
    def noun(self) -> str:
        """What it walks through, in the plural."""
        ...

    def after(self, cursor: str, limit: int) -> Iterator[Candidate]:
        """The next ones behind the cursor ("": the first), `limit` of them unless there are no more."""
        ...

    def share(self, cursor: str) -> float:
        """How much of the window lies behind the cursor: 0 to 1."""
        ...


@dataclass(frozen=True, slots=True)
class Events:
    """Captured events, newest first; by the index of their types."""

    window: Window
    names: Collection[str]
    object_id: int | None
    # The objects whose events may be looked at.
    visible: Collection[int]
    target: str = ""
    noun: str = "events"

    def after(self, cursor: str, limit: int) -> Iterator[Candidate]:
        rows = self._keys(cursor, limit)
        for start in range(0, len(rows), _CHUNK):
            part = rows[start : start + _CHUNK]
            wanted = [pk for pk, object_id, target in part if self._concerns(object_id, target)]
            events = Event.objects.select_related("object", "record", "actor").in_bulk(wanted)
            for pk, _, _ in part:
                event = events.get(pk)
                yield Candidate(pk, event.created_at if event else moment_of(pk), event)

    def share(self, cursor: str) -> float:
        return 1 - _share(self.window, moment_of(cursor)) if cursor else 0.0

    def _keys(self, cursor: str, limit: int) -> list[tuple[str, int | None, str]]:
        """The newest of each type, merged: one query for each."""
        types = {change for name in self.names for change in _TOLD_BY.get(name, (name,))}
        found: list[tuple[str, int | None, str]] = []
        below = cursor or first_id_at("evt", self.window.until + _MILLISECOND)
        for change in sorted(types):
            rows = Event.objects.filter(
                type=change, pk__lt=below, pk__gte=first_id_at("evt", self.window.since)
            )
            found += rows.order_by("-id").values_list("pk", "object_id", "target")[:limit]
        return sorted(found, reverse=True)[:limit]

    def _concerns(self, object_id: int | None, target: str) -> bool:
        if target != self.target or (object_id is not None and object_id not in self.visible):
            return False
        return self.object_id is None or self.object_id == object_id


@dataclass(frozen=True, slots=True)
class Ticks:
    """When a schedule would have ticked, oldest first."""

    window: Window
    automation: Automation
    timetable: Any
    noun: str = "ticks"

    def after(self, cursor: str, limit: int) -> Iterator[Candidate]:
        begin = moment_of_tick(cursor) or self.window.since
        for number, moment in enumerate(upcoming(self.timetable, begin)):
            if moment > self.window.until or number == limit:
                return
            yield Candidate(key_of_tick(moment), moment, self._event(moment))

    def share(self, cursor: str) -> float:
        moment = moment_of_tick(cursor)
        return _share(self.window, moment) if moment else 0.0

    def _event(self, moment: datetime) -> Event:
        return Event(
            type=TICK,
            subject_id=self.automation.pk,
            subject_label=self.automation.name,
            target=self.automation.pk,
            after={"scheduled_for": iso_moment(moment), "missed": 0, "missed_since": None},
            created_at=moment,
        )


@dataclass(frozen=True, slots=True)
class DueRecords:
    """Records as they are now, those first that were made last; the moment is when they were due."""

    window: Window
    automation: Automation
    definition: ObjectDefinition
    config: Any
    noun: str = "records"

    def after(self, cursor: str, limit: int) -> Iterator[Candidate]:
        rows = Record.objects.filter(object=self.definition).select_related("object")
        if cursor:
            rows = rows.filter(pk__lt=cursor)
        for record in rows.order_by("-id")[:limit].iterator(chunk_size=_CHUNK):
            moment = due_moment(record.data.get(self.config.field), self.config)
            if moment is None or not self._fires(record, moment):
                yield Candidate(record.pk, self.window.until, None)
            else:
                yield Candidate(record.pk, moment, self._event(record, moment))

    def share(self, cursor: str) -> float:
        """How many records there are is not counted: by when they were made, as far as that is known."""
        oldest = Record.objects.filter(object=self.definition).order_by("id").values_list("pk")
        first = oldest.first()
        if not cursor or first is None:
            return 0.0
        return 1 - _share(Window(moment_of(first[0]), self.window.until), moment_of(cursor))

    def _fires(self, record: Record, moment: datetime) -> bool:
        is_off = record.deleted_at or record.quarantined_at or record.state == RecordState.DRAFT
        return not is_off and self.window.since <= moment <= self.window.until

    def _event(self, record: Record, moment: datetime) -> Event:
        return Event(
            type=DUE,
            object=self.definition,
            record=record,
            subject_id=record.pk,
            subject_label=str(record)[:200],
            target=self.automation.pk,
            after=snapshot(record),
            created_at=moment,
        )


def _share(window: Window, moment: datetime) -> float:
    """Where a moment is in the window: 0 at its beginning, 1 at its end."""
    length = (window.until - window.since).total_seconds()
    passed = (moment.astimezone(UTC) - window.since).total_seconds()
    return min(1.0, max(0.0, passed / length)) if length > 0 else 1.0
