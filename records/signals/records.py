"""Records: created, updated, deleted, restored, quarantined; alone and in bulk."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from django.db import models
from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver

from records.capturing import write_events
from records.events import make_event
from records.models import Event, ObjectDefinition, Record
from records.models.tracking import rows_changed, rows_created
from records.snapshots import changed_names, column_snapshot, snapshot
from records.uniqueness import claim_new, release, replace_claims


@receiver(post_save, sender=Record)
def record_saved(
    instance: Record, created: bool, raw: bool, update_fields: Collection[str] | None, **_: Any
) -> None:
    if raw:  # a fixture: its events, if any, are in the fixture
        return
    if created:
        claim_new([instance])
        write_events(_event("record.created", instance, after=snapshot(instance)))
        return
    saved = {name: instance.__dict__[name] for name in instance.unsaved_changes(update_fields)}
    if "deleted_at" in saved or "data" in saved:
        replace_claims(instance)
    write_events(*_events_of(instance, instance.loaded, {**instance.loaded, **saved}))


@receiver(post_delete, sender=Record)
def record_deleted_for_good(instance: Record, **_: Any) -> None:
    if instance.deleted_at is None:
        event = _event("record.deleted", instance, before=snapshot(instance))
        event.record = None
        write_events(event)


@receiver(rows_created, sender=Record)
def records_created(instances: Sequence[Record], **_: Any) -> None:
    claim_new(instances)
    write_events(*[_event("record.created", one, after=snapshot(one)) for one in instances])


@receiver(rows_changed, sender=Record)
def records_changed(pairs: Sequence[tuple[Record, Record]], **_: Any) -> None:
    objects = ObjectDefinition.objects.in_bulk({after.object_id for _, after in pairs})
    events: list[Event] = []
    for before, after in pairs:
        after.object = objects[after.object_id]
        after.loaded = before.loaded
        events += _events_of(after, before.loaded, after.__dict__)
    rows = [after for _, after in pairs]
    _describe([row for row in rows if "data" in row.unsaved_changes()])
    was_deleted = {before.pk for before, _ in pairs if before.deleted_at}
    release([row for row in rows if row.deleted_at and row.pk not in was_deleted])
    claim_new([row for row in rows if not row.deleted_at and row.pk in was_deleted])
    write_events(*events)


def _describe(rows: Sequence[Record]) -> None:
    """Data that was changed in bulk: titles, search texts and unique values follow."""
    for row in rows:
        row.describe()
        if row.loaded["deleted_at"] is None and row.deleted_at is None:
            replace_claims(row)
    if rows:
        # The plain QuerySet: these columns follow from the change that is being told.
        queryset: models.QuerySet[Record] = models.QuerySet(Record)
        queryset.bulk_update(rows, ["title", "search_text"], batch_size=200)


def _events_of(
    record: Record, before: Mapping[str, Any], after: Mapping[str, Any]
) -> Sequence[Event]:
    """The events of one change, from the values of the tracked columns before and after it."""
    old, new = column_snapshot(before), column_snapshot(after)
    if before["deleted_at"] is None and after["deleted_at"] is not None:
        return [_event("record.deleted", record, before=old)]
    if before["deleted_at"] is not None and after["deleted_at"] is None:
        return [_event("record.restored", record, after=new)]
    events = []
    if changed := changed_names(old, new, _order_of(record)):
        events.append(_event("record.updated", record, before=old, after=new, changed=changed))
    if before["quarantined_at"] is None and after["quarantined_at"] is not None:
        reason = {"quarantine_reason": after["quarantine_reason"]}
        events.append(_event("record.quarantined", record, after={**new, **reason}))
    if before["quarantined_at"] is not None and after["quarantined_at"] is None:
        events.append(_event("record.released", record, before=old, after=new))
    return events


def _order_of(record: Record) -> Iterable[str]:
    """The order of the fields, where it costs no look-up: a change of data has needed the fields already."""
    known = Record._meta.get_field("object").is_cached(record)
    return record.object.schema.by_slug if known else ()


def _event(change: str, record: Record, **values: Any) -> Event:
    event = make_event(change, record=record, **values)
    event.object_id = record.object_id  # the id alone: the object need not be looked up
    return event
