"""Records of the objects that admins define."""

from collections.abc import Iterable
from typing import Any, ClassVar

from django.conf import settings
from django.db import models, transaction
from django.db.models.functions import Lower
from django.utils import timezone

from records.exceptions import StaleRecord
from records.ids import TypeIDField
from records.models.objects import FieldDefinition, ObjectDefinition
from records.models.tracking import TrackedModel, TrackedQuerySet


class RecordState(models.TextChoices):
    DRAFT = "draft", "Draft"
    SUBMITTED = "submitted", "Submitted"
    CLOSED = "closed", "Closed"


class RecordQuerySet(TrackedQuerySet["Record"]):
    """Every bulk change writes its events, in bulk: `update`, `bulk_create`, `bulk_update`, `delete`."""

    def alive(self) -> "RecordQuerySet":
        return self.filter(deleted_at=None)

    def deleted(self) -> "RecordQuerySet":
        return self.exclude(deleted_at=None)

    def of(self, object_definition: ObjectDefinition) -> "RecordQuerySet":
        return self.filter(object=object_definition)

    def _update_rows(self, rows: models.QuerySet["Record"], values: dict[str, Any]) -> int:
        stamps = {"version": models.F("version") + 1, "updated_at": timezone.now()}
        return super()._update_rows(rows, {**stamps, **values})

    def bulk_create(self, objs: Iterable["Record"], *args: Any, **kwargs: Any) -> list["Record"]:
        records = list(objs)
        now = timezone.now()
        for record in records:
            record.stamp(now)
            record.describe()
        return super().bulk_create(records, *args, **kwargs)

    def delete(self) -> tuple[int, dict[str, int]]:
        from records.capturing import collecting  # events know this model

        with transaction.atomic(using=self.db), collecting():
            return super().delete()

    delete.alters_data = True  # type: ignore[attr-defined]
    delete.queryset_only = True  # type: ignore[attr-defined]


class Record(TrackedModel):
    """One record. Change it through `records.services`, which validate, lock and keep the events."""

    tracked: ClassVar = (
        "object_id",
        "data",
        "stage",
        "state",
        "owner_id",
        "version",
        "deleted_at",
        "quarantined_at",
        "quarantine_reason",
    )

    id = TypeIDField("rec", primary_key=True)
    object = models.ForeignKey(ObjectDefinition, models.PROTECT, related_name="records")
    data = models.JSONField(default=dict, blank=True)
    title = models.CharField(max_length=200, blank=True, editable=False)
    # What the list's search looks through: the text of all fields in small letters.
    search_text = models.TextField(blank=True, editable=False)
    stage = models.CharField(max_length=50, blank=True)
    state = models.CharField(max_length=10, choices=RecordState, default=RecordState.SUBMITTED)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="records",
        db_index=False,  # `record_own` begins with it
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
            # The list sorted by title, whatever its capitals, and look-ups of links.
            models.Index("object", Lower("title"), "id", name="record_title"),
            # One's own drafts and records on the first page; also finds the records of a user.
            models.Index(fields=["owner", "state", "-updated_at"], name="record_own"),
            # The list of the deleted ones, last deleted first; tiny.
            models.Index(
                fields=["object", "-deleted_at", "-id"],
                name="record_deleted",
                condition=models.Q(deleted_at__isnull=False),
            ),
            # The list of those in quarantine, and how many they are; tiny.
            models.Index(
                fields=["-quarantined_at", "-id"],
                name="record_quarantined",
                condition=models.Q(quarantined_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.title or self.pk

    def save(self, **kwargs: Any) -> None:
        """Write the change and its event in one transaction, or none of them.

        A record that changed in the database since it was loaded is not overwritten: StaleRecord. A save
        that changes nothing does nothing.
        """
        if self._state.adding:
            self._insert(**kwargs)
        else:
            self._update(**kwargs)

    def _insert(self, using: str | None = None, **_: Any) -> None:
        self.stamp(timezone.now())
        self.describe()
        with transaction.atomic(using=using):
            super().save(force_insert=True, using=using)
        self.remember()

    def _update(
        self, using: str | None = None, update_fields: Iterable[str] | None = None, **_: Any
    ) -> None:
        names = None if update_fields is None else set(update_fields)
        self.remember_rest()
        changes = [name for name in self.unsaved_changes(names) if name != "version"]
        if not changes:
            return
        columns = {*changes, "version", "updated_at"}
        if "data" in changes:
            self.describe()
            columns |= {"title", "search_text"}
        self.version = self.loaded["version"] + 1
        self.updated_at = timezone.now()
        try:
            with transaction.atomic(using=using):
                super().save(using=using, update_fields=columns)
        except BaseException:
            self.version = self.loaded["version"]
            raise
        self.remember(columns)

    def _do_update(self, base_qs: Any, *args: Any, **kwargs: Any) -> Any:
        """Django's UPDATE of one row, on one more condition: the row is the one that was loaded."""
        unchanged = base_qs.filter(version=self.loaded["version"])
        updated = super()._do_update(unchanged, *args, **kwargs)
        if not updated:
            raise StaleRecord(
                current=type(self)._base_manager.select_related("object").filter(pk=self.pk).first()
            )
        return updated

    def stamp(self, now: Any) -> None:
        """The times of a new record."""
        self.created_at = self.created_at or now
        self.updated_at = self.updated_at or now

    def describe(self) -> None:
        """Title and search text follow from the data."""
        from records.texts import search_text_of, title_of  # the texts know this model

        fields = self.object.schema.fields
        self.title = title_of(self.data, fields)
        self.search_text = search_text_of(self.data, fields)


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
