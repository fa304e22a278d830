"""What fires by time: schedules and due dates. Rows, so that no tick is lost and none comes twice."""

from datetime import datetime

from django.db import models
from django.db.models import Q

from automations.models.automations import Automation
from records.models import ObjectDefinition, Record


class Schedule(models.Model):
    """The next tick of one automation; whoever moves it on writes the tick's event in the same transaction."""

    automation = models.OneToOneField(
        Automation, models.CASCADE, primary_key=True, related_name="schedule"
    )
    next_tick_at = models.DateTimeField(null=True, db_index=True)
    last_tick_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.automation}: {self.next_tick_at}"


class DueWatch(models.Model):
    """An automation that fires when records become due, from when on, and how far the records there are have been
    looked through for it."""

    automation = models.OneToOneField(
        Automation, models.CASCADE, primary_key=True, related_name="due_watch"
    )
    object = models.ForeignKey(ObjectDefinition, models.CASCADE, related_name="+")
    # The trigger's, as it was published.
    config = models.JSONField()
    # What was due before it began is none of its business.
    since = models.DateTimeField()
    # The last record that was looked at; everything when `walked_at` is set.
    cursor = models.CharField(max_length=40, blank=True)
    walked_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.automation} since {self.since}"


class DueDateQuerySet(models.QuerySet["DueDate"]):
    def due(self, now: datetime) -> "DueDateQuerySet":
        return self.filter(due_at__lte=now, fired_at=None)


class DueDate(models.Model):
    """When a record becomes due for one automation. Another date, and it fires again."""

    automation = models.ForeignKey(
        Automation, models.CASCADE, related_name="due_dates", db_index=False
    )
    record = models.ForeignKey(Record, models.CASCADE, related_name="+")
    # The version of the record that told the date: what is read late does not undo what is newer.
    record_version = models.PositiveIntegerField(default=0)
    # Null: the record has no date (any more), or is not to fire as it is.
    due_at = models.DateTimeField(null=True)
    fired_at = models.DateTimeField(null=True)
    # The `due_at` that it fired for last: a date that is changed and changed back does not fire anew.
    fired_for = models.DateTimeField(null=True)

    objects = DueDateQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["automation", "record"], name="one_due_date_per_record")
        ]
        indexes = [
            # The periodic question: what has become due?
            models.Index(
                fields=["due_at"], name="due_date_waiting", condition=Q(fired_at__isnull=True)
            )
        ]

    def __str__(self) -> str:
        return f"{self.record_id} · {self.due_at}"
