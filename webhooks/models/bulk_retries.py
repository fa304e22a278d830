"""Bulk retries: everything that failed for a cause is sent again, little by little."""

from datetime import datetime, timedelta
from typing import Self, TypeVar

from django.conf import settings
from django.db import models
from django.db.models import Q

from records.ids import TypeIDField

Bulk = TypeVar("Bulk", bound="BulkWork")


class BulkRetryStatus(models.TextChoices):
    RUNNING = "running", "Running"
    FINISHED = "finished", "Finished"
    CANCELLED = "cancelled", "Cancelled"


class BulkQuerySet(models.QuerySet[Bulk]):
    def running(self) -> Self:
        return self.filter(status=BulkRetryStatus.RUNNING)

    def due(self, now: datetime) -> Self:
        """Also one whose next step a clock that was ahead put off."""
        absurd = now + timedelta(seconds=60)
        return self.running().filter(Q(step_at__lte=now) | Q(step_at__gt=absurd))


class BulkWork(models.Model):
    """What goes on in short steps until all that is meant has been looked at: how far it is."""

    # When what is meant failed: never later than the moment at which a person was shown how many there are.
    until = models.DateTimeField()

    status = models.CharField(
        max_length=10, choices=BulkRetryStatus, default=BulkRetryStatus.RUNNING
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+"
    )
    created_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)

    # First everything is counted, then retried, both from the oldest to the newest: the cursors of the classes below
    # are the last that was looked at, null before the first.
    total = models.PositiveIntegerField(default=0)
    counted_at = models.DateTimeField(null=True)
    # Put back or tried anew, and left as they are.
    done = models.PositiveIntegerField(default=0)
    left = models.PositiveIntegerField(default=0)
    # When it goes on.
    step_at = models.DateTimeField()

    class Meta:
        abstract = True
        ordering = ["-id"]
        # Who may change jobs or runs may retry many.
        default_permissions = ()

    def __str__(self) -> str:
        return f"Bulk retry of {self.created_at:%Y-%m-%d %H:%M}"

    @property
    def is_running(self) -> bool:
        return self.status == BulkRetryStatus.RUNNING


class BulkRetry(BulkWork):
    """Failed jobs that are retried together. Change it through `webhooks.bulk_retries` only.

    Which jobs: all that fit the filter and failed before `until`. What is retried and fails again failed later,
    so no job is retried twice.
    """

    id = TypeIDField("bulk", primary_key=True)
    # A plain id: were it emptied when the webhook is deleted, the filter would let everything through.
    webhook_id = TypeIDField("hook", null=True)
    webhook_name = models.CharField(max_length=120, blank=True)
    lane = models.CharField("destination", max_length=270, blank=True)
    error_kind = models.CharField(max_length=12, blank=True)
    # A status such as "503", or a class of them such as "5xx".
    http_status = models.CharField("HTTP status", max_length=3, blank=True)
    since = models.DateTimeField(null=True)

    count_cursor = TypeIDField("job", null=True)
    cursor = TypeIDField("job", null=True)
    # lane → its own cursor, for those that have as many open jobs as they may; "" once it is done.
    held = models.JSONField(default=dict)

    objects = BulkQuerySet["BulkRetry"].as_manager()

    class Meta(BulkWork.Meta):
        verbose_name = "bulk retry"
        verbose_name_plural = "bulk retries"
        indexes = [
            # The sweep: is there one to go on with?
            models.Index(fields=["step_at"], name="bulk_running", condition=Q(status="running"))
        ]
