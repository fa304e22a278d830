"""Values that only one record may have: kept by the database, in rows of their own.

A record holds a row for each of its values in a unique field while it is not deleted. Two that want the same
value at once are told apart by the constraint, not by looking first.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db import IntegrityError, transaction

from records.exceptions import InvalidData
from records.fieldkinds import kind_of
from records.models import FieldDefinition, Record, UniqueValue

# How many duplicates are named when a field cannot become unique.
MAX_NAMED = 5


def replace_claims(record: Record) -> None:
    """After a change: give up old values and claim new ones. Raises InvalidData when one is taken."""
    fields = record.object.schema.unique_fields
    if not fields:
        return
    old = {} if record.loaded["deleted_at"] else _keys(fields, record.loaded["data"])
    new = {} if record.deleted_at else _keys(fields, record.data)
    gone = [pk for pk in old if new.get(pk) != old[pk]]
    if gone:
        UniqueValue.objects.filter(record=record, field__in=gone).delete()
    _claim(
        [
            UniqueValue(record=record, field_id=pk, value=key)
            for pk, key in new.items()
            if old.get(pk) != key
        ]
    )


def claim_new(records: Sequence[Record]) -> None:
    """After creation or restoration: claim what the records need. Raises InvalidData."""
    _claim(
        [
            UniqueValue(record=record, field_id=pk, value=key)
            for record in records
            if record.deleted_at is None
            for pk, key in _keys(record.object.schema.unique_fields, record.data).items()
        ]
    )


def release(records: Iterable[Record]) -> None:
    """Deleted records hold nothing."""
    pks = [record.pk for record in records]
    for start in range(0, len(pks), 2000):
        UniqueValue.objects.filter(record__in=pks[start : start + 2000]).delete()


def holders_of(field: FieldDefinition, keys: Iterable[str]) -> dict[str, str]:
    """key → title of the record that has it, of the keys that are taken."""
    listed = sorted(set(keys))
    found: dict[str, str] = {}
    for start in range(0, len(listed), 2000):
        rows = UniqueValue.objects.filter(field=field, value__in=listed[start : start + 2000])
        found.update((row.value, str(row.record)) for row in rows.select_related("record"))
    return found


def find_duplicates(field: FieldDefinition) -> str:
    """Why this field cannot be unique, with the values that several records have; empty when it can."""
    return _duplicates_text(_holders(field))


def rebuild_claims(field: FieldDefinition) -> None:
    """After a field became unique, ceased to be or changed its kind. Raises InvalidData naming duplicates."""
    UniqueValue.objects.filter(field=field).delete()
    if not field.unique or not kind_of(field).can_be_unique:
        return
    holders = _holders(field)
    if text := _duplicates_text(holders):
        raise InvalidData({"unique": [text]})
    UniqueValue.objects.bulk_create(
        (
            UniqueValue(field=field, record_id=pk, value=key)
            for key, found in holders.items()
            for pk, _ in found
        ),
        batch_size=500,
    )


def _claim(claims: Sequence[UniqueValue]) -> None:
    if not claims:
        return
    try:
        with transaction.atomic():
            UniqueValue.objects.bulk_create(claims, batch_size=500)
    except IntegrityError:
        raise InvalidData(_taken(claims)) from None


def _taken(claims: Sequence[UniqueValue]) -> dict[str, list[str]]:
    """Which field's value is taken, and by which record."""
    errors: dict[str, list[str]] = {}
    seen: dict[tuple[int, str], UniqueValue] = {}
    for claim in claims:
        key = (claim.field_id, claim.value)
        holder = (
            UniqueValue.objects.filter(field_id=claim.field_id, value=claim.value)
            .exclude(record=claim.record_id)
            .select_related("record", "field")
            .first()
        ) or seen.get(key)
        seen[key] = claim
        if holder is not None:
            text = taken_text(holder.record)
            errors.setdefault(holder.field.slug, [])
            if text not in errors[holder.field.slug]:
                errors[holder.field.slug].append(text)
            if len(errors) > MAX_NAMED:
                break
    return errors or {"__all__": ["A value that must be unique was taken a moment ago; try again."]}


def taken_text(holder: Record) -> str:
    """The message for a value that another record has."""
    return f"“{holder}” has this value already; it must be unique."


def _keys(fields: Sequence[FieldDefinition], data: dict[str, Any]) -> dict[int, str]:
    keys = {}
    for field in fields:
        value = data.get(field.slug)
        kind = kind_of(field)
        if not kind.is_empty(value):
            keys[field.pk] = kind.unique_key(value)
    return keys


def _holders(field: FieldDefinition) -> dict[str, list[tuple[Any, str]]]:
    """key → the records that have it, each with the value as text."""
    kind = kind_of(field)
    rows = Record.objects.alive().filter(object_id=field.object_id).order_by("pk")
    holders: dict[str, list[tuple[Any, str]]] = {}
    for pk, data in rows.values_list("pk", "data").iterator(chunk_size=2000):
        value = data.get(field.slug)
        if not kind.is_empty(value):
            holders.setdefault(kind.unique_key(value), []).append((pk, kind.to_text(value, field)))
    return holders


def _duplicates_text(holders: Mapping[str, Sequence[tuple[str, str]]]) -> str:
    texts = [
        f"“{found[0][1][:60]}” ({len(found)} times)" for found in holders.values() if found[1:]
    ]
    if not texts:
        return ""
    more = f" and {len(texts) - MAX_NAMED} more" if len(texts) > MAX_NAMED else ""
    return f"Records have the same value: {', '.join(texts[:MAX_NAMED])}{more}. Change them first."
