"""Changes of one record. They check values, not permissions: those are the caller's to ask for.

All of them raise InvalidData for values that do not fit and StaleRecord when the record has changed since it
was loaded (or is not the expected version); the given record is then as it was before.
"""

from collections.abc import Mapping
from typing import Any, Final

from django.utils import timezone

from records.exceptions import ObjectDeleted, RecordDeleted, StaleRecord
from records.models import ObjectDefinition, Record, RecordState, User
from records.validation import (
    check_stage,
    clean_data,
    clean_partial,
    missing_values,
    raise_for,
)


class _Unset:
    """Not given, where None has a meaning of its own."""


UNSET: Final = _Unset()


def create_record(
    *,
    object_definition: ObjectDefinition,
    data: Mapping[str, Any],
    state: str = RecordState.SUBMITTED,
    stage: str | None = None,
    owner: User | None = None,
) -> Record:
    """Create a record; defaults fill what `data` leaves out. A draft need not have the required values."""
    if object_definition.deleted_at is not None:
        raise ObjectDeleted
    record = build_record(
        object_definition=object_definition, data=data, state=state, stage=stage, owner=owner
    )
    record.save()
    return record


def build_record(
    *,
    object_definition: ObjectDefinition,
    data: Mapping[str, Any],
    state: str = RecordState.SUBMITTED,
    stage: str | None = None,
    owner: User | None = None,
) -> Record:
    """A checked record that is not saved yet."""
    stage = object_definition.schema.first_stage if stage is None else stage
    errors = {**check_stage(object_definition, stage), **_check_state(state)}
    raise_for(object_definition, errors)
    cleaned = clean_data(object_definition, data, draft=state == RecordState.DRAFT)
    return Record(object=object_definition, data=cleaned, state=state, stage=stage, owner=owner)


def update_record(
    *,
    record: Record,
    expected_version: int | None = None,
    data: Mapping[str, Any] | None = None,
    stage: str | None = None,
    owner: User | _Unset | None = UNSET,
    state: str | None = None,
) -> Record:
    """Change a record. `data` is partial: the given fields are replaced, the others stay.

    `expected_version` is the version that the change is based on; without one it is the version loaded.
    """
    if record.deleted_at is not None:
        raise RecordDeleted
    attempted = _attempted(data, stage, owner, state)
    if expected_version is not None and expected_version != record.version:
        raise StaleRecord(current=_fresh(record), attempted=attempted)
    _check(record, data or {}, stage, state)
    new_state = record.state if state is None else state
    draft = new_state == RecordState.DRAFT
    cleaned = clean_partial(record.object, data or {}, current=record.data, draft=draft)
    if record.state == RecordState.DRAFT and not draft:
        raise_for(record.object, missing_values(record.object, cleaned))
    record.data = cleaned
    record.state = new_state
    if stage is not None:
        record.stage = stage
    if not isinstance(owner, _Unset):
        record.owner = owner
    return _save(record, attempted)


def submit_record(*, record: Record, expected_version: int | None = None) -> Record:
    """A draft is complete. Raises InvalidData naming the required fields without a value."""
    return update_record(
        record=record, expected_version=expected_version, state=RecordState.SUBMITTED
    )


def close_record(*, record: Record, expected_version: int | None = None) -> Record:
    """The work on a record is done. People change it no more until it is reopened; automations may."""
    return update_record(record=record, expected_version=expected_version, state=RecordState.CLOSED)


def reopen_record(*, record: Record, expected_version: int | None = None) -> Record:
    """A closed record is worked on again."""
    if record.state != RecordState.CLOSED:
        return record
    return submit_record(record=record, expected_version=expected_version)


def move_stage(*, record: Record, stage: str, expected_version: int | None = None) -> Record:
    """Move a record to a stage of its object, given by its slug."""
    return update_record(record=record, expected_version=expected_version, stage=stage)


def delete_record(*, record: Record, expected_version: int | None = None) -> Record:
    """Delete a record so that it can be restored. Its unique values are free for others."""
    if record.deleted_at is not None:
        return record
    if expected_version is not None and expected_version != record.version:
        raise StaleRecord(current=_fresh(record))
    record.deleted_at = timezone.now()
    return _save(record, {})


def restore_record(*, record: Record) -> Record:
    """Bring a deleted record back. Raises InvalidData when another has taken a value that must be unique."""
    if record.deleted_at is None:
        return record
    if record.object.deleted_at is not None:
        raise ObjectDeleted
    record.deleted_at = None
    return _save(record, {})


def quarantine_record(*, record: Record, reason: str) -> Record:
    """Set a record aside until a person releases it."""
    if record.quarantined_at is None:
        record.quarantined_at = timezone.now()
        record.quarantine_reason = reason[:500]
        _save(record, {})
    return record


def release_record(*, record: Record) -> Record:
    """End a quarantine."""
    record.quarantined_at, record.quarantine_reason = None, ""
    return _save(record, {})


def _save(record: Record, attempted: Mapping[str, Any]) -> Record:
    try:
        record.save()
    except StaleRecord as stale:
        stale.attempted = dict(attempted)
        record.discard_changes()
        raise
    except BaseException:
        record.discard_changes()
        raise
    return record


def _check(record: Record, data: Mapping[str, Any], stage: str | None, state: str | None) -> None:
    """A stage that the object has no more may stay, but nothing moves there."""
    errors = {} if state is None else _check_state(state)
    if state == RecordState.DRAFT and record.state != RecordState.DRAFT:
        errors["state"] = ["A record that was submitted cannot become a draft again."]
    if stage is not None and stage != record.stage:
        errors |= check_stage(record.object, stage)
    raise_for(record.object, errors)


def _check_state(state: str) -> dict[str, list[str]]:
    if state in RecordState.values:
        return {}
    return {"state": [f"“{state}” is not a state; there are {', '.join(RecordState.values)}."]}


def _attempted(
    data: Mapping[str, Any] | None,
    stage: str | None,
    owner: User | _Unset | None,
    state: str | None,
) -> dict[str, Any]:
    attempted = dict(data or {})
    if stage is not None:
        attempted["stage"] = stage
    if state is not None:
        attempted["state"] = str(state)
    if not isinstance(owner, _Unset):
        attempted["owner"] = owner.pk if owner else None
    return attempted


def _fresh(record: Record) -> Record | None:
    return Record.objects.select_related("object", "owner").filter(pk=record.pk).first()
