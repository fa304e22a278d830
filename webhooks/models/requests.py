"""The request log: every HTTP request sent or received."""

from django.db import models
from django.db.models import Q

from records.ids import TypeIDField
from webhooks.models.inbound import InboundEndpoint
from webhooks.models.jobs import WebhookJob


class Direction(models.TextChoices):
    OUT = "out", "Sent"
    IN = "in", "Received"


class RequestLog(models.Model):
    """One HTTP request. A job's attempts are its rows here; so is what arrives at an inspector."""

    id = TypeIDField("req", primary_key=True)
    direction = models.CharField(max_length=3, choices=Direction)
    job = models.ForeignKey(
        WebhookJob, models.CASCADE, null=True, related_name="requests", db_index=False
    )
    attempt = models.PositiveSmallIntegerField(null=True)
    endpoint = models.ForeignKey(
        InboundEndpoint, models.CASCADE, null=True, related_name="requests", db_index=False
    )

    method = models.CharField(max_length=10)
    url = models.TextField()
    # Pairs [name, value], in the order of the wire.
    request_headers = models.JSONField(default=list)
    request_body = models.TextField(blank=True)
    request_truncated = models.BooleanField(default=False)
    # Both bodies were too old to keep.
    bodies_removed = models.BooleanField(default=False)

    # Null when no answer came; `error` says why.
    status_code = models.PositiveSmallIntegerField(null=True)
    response_headers = models.JSONField(default=list)
    response_body = models.TextField(blank=True)
    response_truncated = models.BooleanField(default=False)

    error_kind = models.CharField(max_length=12, blank=True)
    error = models.TextField(blank=True)
    started_at = models.DateTimeField()
    duration_ms = models.PositiveIntegerField(default=0)
    remote_address = models.CharField(max_length=60, blank=True)

    class Meta:
        verbose_name = "request"
        verbose_name_plural = "request log"
        ordering = ["-id"]
        indexes = [
            # A job's attempts in order.
            models.Index(fields=["job", "id"], name="request_job", condition=Q(job__isnull=False)),
            # What arrived at an endpoint, newest first.
            models.Index(
                fields=["endpoint", "-id"],
                name="request_endpoint",
                condition=Q(endpoint__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.method} {self.url}"
