"""Changes of many records at once, in few queries, each record with its event. They say how many changed."""

from django.utils import timezone

from records.models import ObjectDefinition, RecordState
from records.models.records import RecordQuerySet
from records.validation import check_stage, raise_for


def delete_records(queryset: RecordQuerySet) -> int:
    """Delete so that they can be restored."""
    return queryset.alive().update(deleted_at=timezone.now())


def restore_records(queryset: RecordQuerySet) -> int:
    """Restore those whose object is there. Raises InvalidData when a value is taken; then none is restored."""
    return queryset.deleted().filter(object__deleted_at=None).update(deleted_at=None)


def move_records(
    queryset: RecordQuerySet, *, object_definition: ObjectDefinition, stage: str
) -> int:
    """Move the records of one object to a stage. Raises InvalidData for a stage it does not have."""
    raise_for(object_definition, check_stage(object_definition, stage))
    return queryset.alive().of(object_definition).exclude(stage=stage).update(stage=stage)


def close_records(queryset: RecordQuerySet) -> int:
    """Close those that are submitted; drafts stay drafts."""
    return queryset.alive().filter(state=RecordState.SUBMITTED).update(state=RecordState.CLOSED)
