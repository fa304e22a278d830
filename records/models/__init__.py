"""The data of records: people, objects and their fields, records, what is said and to be done of them, events."""

from records.models.discussions import Comment, Participant
from records.models.events import Event, EventQuerySet
from records.models.files import Upload
from records.models.invitations import Invitation, InvitationStatus
from records.models.messages import Mail, Notification, Urgency
from records.models.objects import FieldDefinition, FieldKind, ObjectDefinition, Stage
from records.models.people import User
from records.models.records import Record, RecordQuerySet, RecordState, UniqueValue
from records.models.tasks import Task, TaskQuerySet

__all__ = [
    "Comment",
    "Event",
    "EventQuerySet",
    "FieldDefinition",
    "FieldKind",
    "Invitation",
    "InvitationStatus",
    "Mail",
    "Notification",
    "ObjectDefinition",
    "Participant",
    "Record",
    "RecordQuerySet",
    "RecordState",
    "Stage",
    "Task",
    "TaskQuerySet",
    "UniqueValue",
    "Upload",
    "Urgency",
    "User",
]
