"""Bulk retries of runs: everything that failed under some filters is tried again, little by little."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import models
from django.db.models import Q

from records.ids import TypeIDField
from webhooks.models import BulkRetryStatus


class BulkRerunQuerySet(models.QuerySet["BulkRerun"]):
    def running(self) -> "BulkRerunQuerySet":
        return self.filter(status=BulkRetryStatus.RUNNING)

    def due(self, now: datetime) -> "BulkRerunQuerySet":
        """Also one whose next step a clock that was ahead put off."""
        absurd = now + timedelta(seconds=60)
        return self.running().filter(Q(step_at__lte=now) | Q(step_at__gt=absurd))


class BulkRerun(models.Model):
    """Failed runs that are retried together. Change it through `automations.bulk_reruns` only.

    Which runs: all that fit the filters, failed before `until` and were not tried again yet. A retry that fails in
    its turn failed later, so no run is retried twice.
    """

    id = TypeIDField("rerun", primary_key=True)
    # Filters of the list of runs (automations.history.RunsQuery), those that are set; ids are plain texts.
    which = models.JSONField(default=dict)
    # When the runs failed: never later than the moment at which a person was shown how many there are.
    until = models.DateTimeField()
    # As `automations.services.retry_plans.From` and `On`.
    begin = models.CharField(max_length=11)
    on = models.CharField(max_length=7)
    # Records in quarantine are released with the retry of their run.
    releases = models.BooleanField(default=False)

    status = models.CharField(
        max_length=10, choices=BulkRetryStatus, default=BulkRetryStatus.RUNNING
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+"
    )
    created_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)

    # First everything is counted, then retried, both from the oldest run to the newest; a cursor is the last run
    # that was looked at, null before the first.
    total = models.PositiveIntegerField(default=0)
    count_cursor = TypeIDField("run", null=True)
    counted_at = models.DateTimeField(null=True)
    cursor = TypeIDField("run", null=True)
    # Retried, and left as they are.
    done = models.PositiveIntegerField(default=0)
    left = models.PositiveIntegerField(default=0)
    # When it goes on.
    step_at = models.DateTimeField()

    objects = BulkRerunQuerySet.as_manager()

    class Meta:
        verbose_name = "bulk retry of runs"
        verbose_name_plural = "bulk retries of runs"
        ordering = ["-id"]
        # Who may change runs may retry many.
        default_permissions = ()
        indexes = [
            # The sweep: is there one to go on with?
            models.Index(fields=["step_at"], name="rerun_running", condition=Q(status="running"))
        ]

    def __str__(self) -> str:
        return f"Bulk retry of {self.created_at:%Y-%m-%d %H:%M}"

    @property
    def is_running(self) -> bool:
        return self.status == BulkRetryStatus.RUNNING
