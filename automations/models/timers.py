"""What fires by time: schedules and due dates. Rows, so that no tick is lost and none comes twice."""

from django.db import models
from django.db.models import Q

from automations.models.automations import Automation
from records.models import Record


class Schedule(models.Model):
    """The next tick of one automation; whoever moves it on writes the tick's event in the same transaction."""

    automation = models.OneToOneField(
        Automation, models.CASCADE, primary_key=True, related_name="schedule"
    )
    next_tick_at = models.DateTimeField(null=True, db_index=True)
    last_tick_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.automation}: {self.next_tick_at}"


class DueDate(models.Model):
    """When a record becomes due for one automation. A changed date is a new row's worth: it fires again."""

    automation = models.ForeignKey(
        Automation, models.CASCADE, related_name="due_dates", db_index=False
    )
    record = models.ForeignKey(Record, models.CASCADE, related_name="+")
    due_at = models.DateTimeField()
    fired_at = models.DateTimeField(null=True)

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
