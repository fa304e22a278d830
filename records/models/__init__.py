"""The data of records: people, objects and their fields, records, events."""

from records.models.events import Event, EventQuerySet
from records.models.files import Upload
from records.models.messages import Mail, Notification, Urgency
from records.models.objects import FieldDefinition, FieldKind, ObjectDefinition, Stage
from records.models.people import User
from records.models.records import Record, RecordQuerySet, RecordState, UniqueValue

__all__ = [
    "Event",
    "EventQuerySet",
    "FieldDefinition",
    "FieldKind",
    "Mail",
    "Notification",
    "ObjectDefinition",
    "Record",
    "RecordQuerySet",
    "RecordState",
    "Stage",
    "UniqueValue",
    "Upload",
    "Urgency",
    "User",
]
