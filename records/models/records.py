"""Records of the objects that admins define."""

from django.conf import settings
from django.db import models

from records.ids import TypeIDField
from records.models.objects import FieldDefinition, ObjectDefinition


class RecordState(models.TextChoices):
    DRAFT = "draft", "Draft"
    SUBMITTED = "submitted", "Submitted"
    CLOSED = "closed", "Closed"


class RecordQuerySet(models.QuerySet["Record"]):
    def alive(self) -> "RecordQuerySet":
        return self.filter(deleted_at=None)

    def of(self, object_definition: ObjectDefinition) -> "RecordQuerySet":
        return self.filter(object=object_definition)


class Record(models.Model):
    """One record. Change it through `records.services`, which validate, lock and keep the events."""

    id = TypeIDField("rec", primary_key=True)
    object = models.ForeignKey(ObjectDefinition, models.PROTECT, related_name="records")
    data = models.JSONField(default=dict, blank=True)
    title = models.CharField(max_length=200, blank=True, editable=False)
    # What the list's search looks through: the text of all fields in small letters.
    search_text = models.TextField(blank=True, editable=False)
    stage = models.CharField(max_length=50, blank=True)
    state = models.CharField(
        max_length=10, choices=RecordState, default=RecordState.SUBMITTED
    )
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="records"
    )
    version = models.PositiveIntegerField(default=1, editable=False)
    created_at = models.DateTimeField(editable=False)
    updated_at = models.DateTimeField(editable=False)
    deleted_at = models.DateTimeField(null=True, blank=True, editable=False)
    quarantined_at = models.DateTimeField(null=True, blank=True, editable=False)
    quarantine_reason = models.CharField(max_length=500, blank=True, editable=False)

    objects = RecordQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        indexes = [
            # The list of an object, newest first; and the deleted ones.
            models.Index(fields=["object", "-id"], name="record_newest"),
            # The list sorted by last change.
            models.Index(fields=["object", "-updated_at", "-id"], name="record_last_changed"),
            # The list filtered by stage.
            models.Index(fields=["object", "stage", "-id"], name="record_stage"),
            # The list sorted by title, and look-ups of links.
            models.Index(fields=["object", "title", "id"], name="record_title"),
        ]

    def __str__(self) -> str:
        return self.title or self.pk


class UniqueValue(models.Model):
    """A value taken by a record in a field that is marked unique: the database keeps it so."""

    field = models.ForeignKey(FieldDefinition, models.CASCADE, related_name="+")
    record = models.ForeignKey(Record, models.CASCADE, related_name="unique_values")
    value = models.CharField(max_length=500)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["field", "value"], name="one_record_per_unique_value")
        ]

    def __str__(self) -> str:
        return self.value
