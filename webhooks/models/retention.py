"""Retention: how far the cleaning of each kind of row has come."""

from datetime import datetime, timedelta

from django.db import models
from django.db.models import Q

# No rule rests for so long.
_ABSURD = timedelta(hours=2)


class RetentionQuerySet(models.QuerySet["RetentionState"]):
    def due(self, now: datetime) -> "RetentionQuerySet":
        """Also what a clock that was ahead put off."""
        return self.filter(Q(next_run_at__lte=now) | Q(next_run_at__gt=now + _ABSURD))

    def at_rest(self, now: datetime) -> "RetentionQuerySet":
        return self.filter(next_run_at__gt=now, next_run_at__lte=now + _ABSURD)


class RetentionState(models.Model):
    """One row for each rule of `webhooks.retention`; `name` is the rule's."""

    name = models.CharField(max_length=30, primary_key=True)
    # The last row that was looked at, as text; empty before the first.
    cursor = models.CharField(max_length=40, blank=True)
    # When the run under way began; null between runs.
    started_at = models.DateTimeField(null=True)
    # Everything older than this is cleaned up.
    cleaned_to = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    next_run_at = models.DateTimeField()
    # How many rows, of the last run, of the day `today`, and ever.
    run_count = models.PositiveBigIntegerField(default=0)
    today = models.DateField(null=True)
    today_count = models.PositiveBigIntegerField(default=0)
    total_count = models.PositiveBigIntegerField(default=0)

    objects = RetentionQuerySet.as_manager()

    class Meta:
        verbose_name = "retention"
        verbose_name_plural = "retention"
        ordering = ["name"]
        default_permissions = ("view", "change")

    def __str__(self) -> str:
        return self.name
