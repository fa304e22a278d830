"""The request log: every HTTP request sent or received."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from records.ids import TypeIDField
from records.models import Event
from webhooks.models.inbound import InboundEndpoint
from webhooks.models.jobs import WebhookJob


class Direction(models.TextChoices):
    OUT = "out", "Sent"
    IN = "in", "Received"


class RequestLog(models.Model):
    """One HTTP request. A job's attempts are its rows here; so is what arrives at an inbound endpoint."""

    id = TypeIDField("req", primary_key=True)
    direction = models.CharField(max_length=3, choices=Direction)
    job = models.ForeignKey(
        WebhookJob, models.CASCADE, null=True, related_name="requests", db_index=False
    )
    attempt = models.PositiveSmallIntegerField(null=True)
    # One that is deleted leaves its requests as they are: there may be millions, and people look for them by it.
    # `FormerEndpoint` has its name.
    endpoint = models.ForeignKey(
        InboundEndpoint,
        models.DO_NOTHING,
        null=True,
        related_name="requests",
        db_index=False,
        db_constraint=False,
    )
    # What a request that arrived has set off: its event, and the run, if there was one at once.
    event = models.ForeignKey(
        Event, models.SET_NULL, null=True, related_name="requests", db_index=False
    )
    run_id = TypeIDField("run", null=True)
    # The request that it is once more. It may be cleaned up before this one.
    replay_of = TypeIDField("req", null=True)
    # Who sent it by hand: a test, or one that had arrived, once more.
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", db_index=False
    )
    # Kept as a sample, under a name: it is not cleaned up.
    is_kept = models.BooleanField(default=False)
    name = models.CharField(max_length=120, blank=True)

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
            # Of an endpoint, what it refused: the newest are kept.
            models.Index(
                fields=["endpoint", "-id"],
                name="request_refused",
                condition=Q(endpoint__isnull=False) & ~Q(error_kind=""),
            ),
            # The request behind an event; also for events that are cleaned up.
            models.Index(fields=["event"], name="request_event", condition=Q(event__isnull=False)),
            # What was answered with the run of an earlier request. The first one was written beside its run, and is
            # found by its time.
            models.Index(
                fields=["run_id"],
                name="request_repeat",
                condition=Q(run_id__isnull=False) & ~Q(error_kind=""),
            ),
            # What a request was replayed as.
            models.Index(
                fields=["replay_of"],
                name="request_replay",
                condition=Q(replay_of__isnull=False),
            ),
            # The samples of an endpoint.
            models.Index(
                fields=["endpoint", "-id"], name="request_kept", condition=Q(is_kept=True)
            ),
            # For users who are deleted.
            models.Index(fields=["actor"], name="request_actor", condition=Q(actor__isnull=False)),
            # The log filtered: received; a class of statuses; no answer, or refused. The many that went well are left
            # out: they are found soon without it, and sending them costs no more for it.
            models.Index(fields=["-id"], name="request_received", condition=Q(direction="in")),
            models.Index(
                F("status_code") / 100,
                F("id").desc(),
                name="request_status_class",
                condition=Q(status_code__gte=300),
            ),
            models.Index(
                fields=["error_kind", "-id"], name="request_error", condition=~Q(error_kind="")
            ),
        ]

    def __str__(self) -> str:
        return f"{self.method} {self.url}"
