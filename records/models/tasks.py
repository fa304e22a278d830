"""Tasks: what is to be done, by whom and until when; most of them about a record."""

from collections.abc import Iterable
from typing import Final

from django.conf import settings
from django.db import models

from records.ids import TypeIDField
from records.models.objects import ObjectDefinition
from records.models.records import Record

# An event tells of the whole note, before and after: this bounds its row.
MAX_NOTE_LENGTH: Final = 5000


class TaskQuerySet(models.QuerySet["Task"]):
    def open(self) -> "TaskQuerySet":
        return self.filter(done_at=None)

    def within(self, objects: Iterable[ObjectDefinition]) -> "TaskQuerySet":
        """Those about no record, or about one (not deleted) of these objects."""
        about = models.Q(record__object__in=objects, record__deleted_at=None)
        return self.filter(about | models.Q(record=None))

    def in_order(self) -> "TaskQuerySet":
        """The most urgent first; those without a date at the end."""
        return self.order_by(models.F("due_on").asc(nulls_last=True), "id")


class Task(models.Model):
    """Something to do. Change it through `records.services`, which tell of it."""

    id = TypeIDField("task", primary_key=True)
    record = models.ForeignKey(
        Record,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="tasks",
        db_index=False,  # `task_of_record` begins with it
    )
    title = models.CharField(max_length=200)
    note = models.TextField(blank=True, max_length=MAX_NOTE_LENGTH)
    assignees = models.ManyToManyField(settings.AUTH_USER_MODEL, blank=True, related_name="tasks")
    due_on = models.DateField("due", null=True, blank=True)
    done_at = models.DateTimeField(null=True, editable=False)
    done_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, editable=False, related_name="+"
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, editable=False, related_name="+"
    )
    # What to show where no user created it: "Automation “Welcome”".
    created_by_label = models.CharField(max_length=150, blank=True, editable=False)
    # The run that created it, if one did.
    run_id = TypeIDField("run", null=True, editable=False)
    created_at = models.DateTimeField(editable=False)

    objects = TaskQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        # The tasks of a record.
        indexes = [models.Index(fields=["record", "-id"], name="task_of_record")]

    def __str__(self) -> str:
        return self.title

    @property
    def is_done(self) -> bool:
        return self.done_at is not None
