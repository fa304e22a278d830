"""What fires by time: ticks of schedules, and records that become due.

Each is a row that says when. Whoever takes one writes its event in the same transaction, so it fires once, however
many workers look, and late rather than never when none of them ran. What the row says is held against the automation
and the record as they are then: a date that was moved a moment ago does not fire for the old one.
"""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import transaction

from automations.models import Automation, DueDate, DueWatch, Schedule
from automations.moments import due_moment
from automations.ticks import Timetable, TimetableError, next_ticks, upcoming
from automations.triggers.base import TRIGGERS
from config.clocks import shared_now
from config.queues import TookTooLong, ring_on_commit
from records.events import capture, make_event
from records.models import Event, ObjectDefinition, Record, RecordState
from records.snapshots import snapshot
from webhooks.jsontext import iso_moment

logger = logging.getLogger(__name__)

TICK: Final = "schedule.tick"
DUE: Final = "record.due"

# Due dates that are fired in one transaction.
BATCH_SIZE: Final = 200
# Records that are looked at in one step of a walk: some 50 ms.
WALK_SIZE: Final = 500
# Missed ticks are counted so far: a cron for every minute misses so many in 17 hours.
MAX_MISSED: Final = 1000

# --- Schedules --------------------------------------------------------------------------------------


def keep_schedule(automation: Automation, timetable: Timetable) -> None:
    """Have the automation tick by this timetable. A tick that it has missed by now, and has still, is made up for.

    Call it in the transaction that publishes or switches on.
    """
    now = shared_now()
    row = Schedule.objects.select_for_update().filter(pk=automation.pk).first()
    if row is None:
        Schedule.objects.create(automation=automation, next_tick_at=_first(timetable, now))
        return
    waiting = row.next_tick_at
    if waiting is not None and waiting <= now and _has_tick(timetable, waiting):
        return
    # A clock that was set back does not bring back what has ticked.
    row.next_tick_at = _first(timetable, max(now, row.last_tick_at or now))
    row.save(update_fields=["next_tick_at"])


def drop_schedule(automation: Automation) -> None:
    Schedule.objects.filter(pk=automation.pk).delete()


def tick_schedules() -> int:
    """Write the events of all ticks whose time has come. How many."""
    due = Schedule.objects.filter(next_tick_at__lte=shared_now()).order_by("next_tick_at")
    ticked = 0
    for pk in list(due.values_list("pk", flat=True)[:BATCH_SIZE]):
        try:
            ticked += _tick(pk)
        except TookTooLong:
            raise
        except Exception:  # one schedule's trouble must not stop the others
            logger.exception("The schedule of %s can't tick", pk)
    return ticked


@transaction.atomic
def _tick(pk: str) -> bool:
    """The tick of one schedule, if nobody else has taken it."""
    now = shared_now()
    rows = Schedule.objects.filter(pk=pk, next_tick_at__lte=now)
    row = rows.select_for_update(skip_locked=True).first()
    if row is None or row.next_tick_at is None:
        return False
    first = row.next_tick_at
    # Read under the lock: what is published meanwhile has waited for it, or has been waited for.
    automation = Automation.objects.select_related("published").get(pk=pk)
    timetable = _timetable_of(automation)
    if timetable is None:
        Schedule.objects.filter(pk=pk).update(next_tick_at=None)
        return False
    latest, missed, following = _catch_up(timetable, first, now)
    moved = Schedule.objects.filter(pk=pk, next_tick_at=first)
    if not moved.update(next_tick_at=following, last_tick_at=latest):
        return False
    capture(_tick_event(automation, latest, missed, first))
    return True


def _tick_event(automation: Automation, latest: datetime, missed: int, first: datetime) -> Event:
    """`subject.scheduled_for` in expressions; when ticks were missed, how many and since when."""
    return make_event(
        TICK,
        subject_id=automation.pk,
        subject_label=automation.name,
        target=automation.pk,
        after={
            "scheduled_for": iso_moment(latest),
            "missed": missed,
            "missed_since": iso_moment(first) if missed else None,
        },
    )


def _catch_up(
    timetable: Timetable, first: datetime, now: datetime
) -> tuple[datetime, int, datetime | None]:
    """The latest tick that has come, how many came before it since `first`, and the next one."""
    latest, missed = first, 0
    for moment in upcoming(timetable, first):
        if moment > now:
            return latest, missed, moment
        latest, missed = moment, missed + 1
        if missed == MAX_MISSED:
            break
    # More than anybody counts: what ticks so often has ticked within the last day.
    for moment in upcoming(timetable, max(latest, now - timedelta(days=1))):
        if moment > now:
            return latest, missed, moment
        latest = moment
    return latest, missed, None


def _first(timetable: Timetable, after: datetime) -> datetime | None:
    return next(iter(next_ticks(timetable, after)), None)


def _has_tick(timetable: Timetable, moment: datetime) -> bool:
    return _first(timetable, moment - timedelta(microseconds=1)) == moment


def _timetable_of(automation: Automation) -> Timetable | None:
    """The published one."""
    part = automation.published.document["trigger"] if automation.published else {}
    if part.get("type") != "schedule":
        return None
    try:
        timetable: Timetable = TRIGGERS["schedule"].Config.model_validate(part["config"])  # type: ignore[assignment]
        next_ticks(timetable, shared_now())
    except TimetableError:  # a time zone that there is no more
        return None
    return timetable


# --- Due dates --------------------------------------------------------------------------------------


def watch(automation: Automation, definition: ObjectDefinition, config: Mapping[str, Any]) -> None:
    """Have the automation fire when records of the object become due, from now on.

    The records that are there are looked through later, in steps (`walk_records`). The same configuration as
    before changes nothing.
    """
    each = DueWatch.objects.filter(pk=automation.pk).first() or DueWatch(automation=automation)
    if each.object_id == definition.pk and each.config == dict(config):
        return
    each.object, each.config = definition, dict(config)
    each.since, each.cursor, each.walked_at = shared_now(), "", None
    each.save()
    ring_on_commit("chores")


def stop_watching(automation: Automation) -> None:
    """Its due dates stay, and come to nothing when their time comes."""
    DueWatch.objects.filter(pk=automation.pk).delete()


def follow_events(events: Sequence[Event]) -> None:
    """Due dates follow what has become of records. In the transaction that dispatches the events."""
    told = [event for event in events if event.record_id and event.type in _TELLING]
    if not told:
        return
    watches = DueWatch.objects.filter(object__in={event.object_id for event in told})
    for each in watches.order_by("pk"):
        field = each.config["field"]
        rows = {
            event.record_id: event.record.__dict__
            for event in told
            if event.object_id == each.object_id and event.record and _touches(event, field)
        }
        if rows:
            _follow(each, rows.values())


_TELLING: Final = frozenset(
    f"record.{change}"
    for change in ("created", "updated", "deleted", "restored", "quarantined", "released")
)


def _touches(event: Event, field: str) -> bool:
    if event.type != "record.updated":
        return True
    return field in event.changed or "state" in event.changed


def walk_records(is_over: Callable[[], bool]) -> None:
    """Look through the records that were there before their automation, step by step until `is_over()`."""
    for pk in list(DueWatch.objects.filter(walked_at=None).values_list("pk", flat=True)[:20]):
        while _walk_on(pk):
            if is_over():
                return


@transaction.atomic
def _walk_on(pk: str) -> bool:
    """One step. Whether there is more to do, and it was this one's to do."""
    # The same lock first as whoever publishes: it changes the watch, too.
    locked = Automation.objects.select_for_update(skip_locked=True, no_key=True)
    if not locked.filter(pk=pk).exists():
        return False
    each = DueWatch.objects.filter(pk=pk, walked_at=None).first()
    if each is None:
        return False
    ahead = Record.objects.filter(object=each.object_id).order_by("pk")
    if each.cursor:
        ahead = ahead.filter(pk__gt=each.cursor)
    rows = list(ahead.values(*_READ)[:WALK_SIZE])
    _follow(each, rows, anew=True)
    if len(rows) < WALK_SIZE:
        each.walked_at = shared_now()
    if rows:
        each.cursor = rows[-1]["id"]
    each.save(update_fields=["cursor", "walked_at"])
    return each.walked_at is None


# What a due date follows from, beside the trigger.
_READ: Final = ("id", "version", "data", "state", "deleted_at", "quarantined_at")


def _follow(watch: DueWatch, rows: Iterable[Mapping[str, Any]], *, anew: bool = False) -> None:
    """Bring the due dates of some records up to date: new ones, changed ones, and those that are none any more.

    `anew`: also those that this version of the record has told already, by another configuration.
    """
    dues = {row["id"]: (row["version"], _due_at(watch, row)) for row in rows}
    there = DueDate.objects.filter(automation=watch.pk, record__in=list(dues))
    known = set(there.values_list("record_id", flat=True))
    missing = [
        DueDate(automation_id=watch.pk, record_id=pk, record_version=version, due_at=due)
        for pk, (version, due) in dues.items()
        if due is not None and pk not in known
    ]
    DueDate.objects.bulk_create(missing, ignore_conflicts=True)
    if not known and not missing:
        return
    changed = []
    for row in there.order_by("pk").select_for_update():
        version, due = dues[row.record_id]
        is_newer = version > row.record_version or (anew and version == row.record_version)
        if is_newer and (version, due) != (row.record_version, row.due_at):
            _set(row, version, due)
            changed.append(row)
    DueDate.objects.bulk_update(changed, ["record_version", "due_at", "fired_at"], batch_size=200)


def _set(row: DueDate, version: int, due: datetime | None) -> None:
    if due != row.due_at:
        row.due_at = due
        # For this very date it has fired before.
        row.fired_at = due if due == row.fired_for else None
    row.record_version = version


def _due_at(watch: DueWatch, row: Mapping[str, Any]) -> datetime | None:
    """When this record becomes due for the automation; None for one that has no date, or is not to fire as it is:
    a draft, a deleted one, one in quarantine. Nor what was due before the automation began."""
    if row["deleted_at"] or row["quarantined_at"] or row["state"] == RecordState.DRAFT:
        return None
    config: Any = TRIGGERS["due"].Config.model_validate(watch.config)
    try:
        moment = due_moment(row["data"].get(config.field), config)
    except TimetableError:  # a time zone that there is no more
        return None
    return moment if moment is not None and moment >= watch.since else None


def fire_due_dates() -> int:
    """Write the events of all records that have become due. How many."""
    fired = 0
    while True:
        looked_at, some = _fire_some()
        fired += some
        if looked_at < BATCH_SIZE:
            return fired


@transaction.atomic
def _fire_some() -> tuple[int, int]:
    """How many due dates were looked at, and how many of them fired."""
    now = shared_now()
    waiting = DueDate.objects.due(now).order_by("due_at")
    rows = list(waiting.select_for_update(skip_locked=True)[:BATCH_SIZE])
    if not rows:
        return 0, 0
    watches = DueWatch.objects.in_bulk({row.automation_id for row in rows})
    records = Record.objects.select_related("object").in_bulk({row.record_id for row in rows})
    events = []
    for row in rows:
        record, each = records[row.record_id], watches.get(row.automation_id)
        due = _due_at(each, record.__dict__) if each else None
        if due is not None and due == row.due_at:
            row.fired_at, row.fired_for = now, due
            events.append(_due_event(record, row.automation_id))
        else:
            _set(row, record.version, due)
    DueDate.objects.bulk_update(rows, ["record_version", "due_at", "fired_at", "fired_for"])
    capture(*events)
    return len(rows), len(events)


def _due_event(record: Record, automation_id: str) -> Event:
    return make_event(
        DUE,
        record=record,
        object_definition=record.object,
        after=snapshot(record),
        target=automation_id,
    )
