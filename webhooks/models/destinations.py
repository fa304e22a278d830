"""Destinations: one row for each origin that requests go to, with its limits and the state of its circuit."""

from django.conf import settings
from django.core.validators import MinValueValidator
from django.db import models

from records.ids import TypeIDField


class Circuit(models.TextChoices):
    CLOSED = "closed", "Working"
    OPEN = "open", "Paused after failures"
    DISABLED = "disabled", "Disabled"


class Destination(models.Model):
    """An origin such as "https://api.example.com:443", the unit of fairness: what `WebhookJob.lane` names.

    The row appears with the first failure, or when an admin sets limits. What changes its circuit is decided in
    `webhooks.circuits`.
    """

    id = TypeIDField("dest", primary_key=True)
    lane = models.CharField("origin", max_length=270, unique=True)
    concurrency = models.PositiveSmallIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text="Requests in the air at once, over all workers. Empty: the default of each worker.",
    )
    rate_per_s = models.FloatField(
        "requests per second",
        null=True,
        blank=True,
        validators=[MinValueValidator(0.01)],
        help_text="Over all workers. Empty: no limit.",
    )
    # The rate limit's token bucket: how many requests may start at `tokens_at`.
    tokens = models.FloatField(default=0, editable=False)
    tokens_at = models.DateTimeField(null=True, editable=False)

    circuit = models.CharField(
        max_length=10, choices=Circuit, default=Circuit.CLOSED, editable=False
    )
    # Failures in a row, and since when there was nothing but failures.
    failures = models.PositiveIntegerField(default=0, editable=False)
    failing_since = models.DateTimeField(null=True, editable=False)
    opened_at = models.DateTimeField(null=True, editable=False)
    # While the circuit is open: when one job may be sent to see whether it works again.
    probe_at = models.DateTimeField(null=True, editable=False)
    probe_interval_s = models.PositiveIntegerField(default=0, editable=False)
    disabled_at = models.DateTimeField(null=True, editable=False)
    # Null when it was disabled because nothing but failures came of it for days.
    disabled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, editable=False, related_name="+"
    )
    last_error = models.TextField(blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["lane"]
        indexes = [
            # The sweep: circuits that are not closed are few, and asked for all the time.
            models.Index(
                fields=["circuit"],
                name="destination_troubled",
                condition=~models.Q(circuit="closed"),
            )
        ]

    def __str__(self) -> str:
        return self.lane
