"""Webhook jobs: one request to be delivered, from the event that asked for it to the answer."""

from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from records.ids import TypeIDField
from records.models import Event, Record
from webhooks.auth import shown_auth_header
from webhooks.binding import Credentials, shown, shown_headers
from webhooks.headers import set_headers
from webhooks.models.webhooks import Webhook


class JobStatus(models.TextChoices):
    PENDING = "pending", "Pending"
    SENDING = "sending", "Sending"
    SUCCEEDED = "succeeded", "Succeeded"
    FAILED = "failed", "Failed"
    CANCELLED = "cancelled", "Cancelled"


OPEN_STATUSES = (JobStatus.PENDING, JobStatus.SENDING)


class WebhookJobQuerySet(models.QuerySet["WebhookJob"]):
    def open(self) -> "WebhookJobQuerySet":
        """The tab Pending: not yet ended."""
        return self.filter(status__in=OPEN_STATUSES)

    def failures(self) -> "WebhookJobQuerySet":
        return self.filter(status=JobStatus.FAILED)

    def due(self, now: datetime) -> "WebhookJobQuerySet":
        return self.filter(status=JobStatus.PENDING, next_attempt_at__lte=now)

    def unblocked(self) -> "WebhookJobQuerySet":
        """Without ordered jobs that wait for an earlier one of the same webhook and record."""
        earlier = WebhookJob.objects.open().filter(
            order_key=models.OuterRef("order_key"), pk__lt=models.OuterRef("pk")
        )
        return self.filter(Q(order_key=None) | ~models.Exists(earlier))


class WebhookJob(models.Model):
    """One request to be delivered. Only `webhooks.services`, `webhooks.claims` and `webhooks.outcomes` change it."""

    id = TypeIDField("job", primary_key=True)
    webhook = models.ForeignKey(
        Webhook, models.SET_NULL, null=True, related_name="jobs", db_index=False
    )
    # Outlives the webhook.
    webhook_name = models.CharField(max_length=120)
    event = models.ForeignKey(Event, models.SET_NULL, null=True, related_name="webhook_jobs")
    event_name = models.CharField(max_length=50)
    record = models.ForeignKey(
        Record, models.SET_NULL, null=True, related_name="webhook_jobs", db_index=False
    )
    is_test = models.BooleanField(default=False)
    # The run and the step of it that asked for it, where it was no webhook; the apps above know more of them.
    run_id = TypeIDField("run", null=True)
    step_path = models.CharField(max_length=200, blank=True)
    # How many runs stand between this request and a person's act; it is sent along, so that loops can be cut.
    depth = models.PositiveSmallIntegerField(default=0)

    # What to send, rendered: headers are pairs [name, value].
    method = models.CharField(max_length=6)
    url = models.TextField()
    headers = models.JSONField(default=list)
    body = models.TextField(blank=True)
    # It was delivered, and its body was too old to keep.
    body_removed = models.BooleanField(default=False)
    # webhooks.binding.Credentials: which secrets are put in when it is sent, by name; null: none.
    credentials = models.JSONField(null=True)
    timeout_s = models.PositiveSmallIntegerField(default=30)
    max_redirects = models.PositiveSmallIntegerField(default=0)
    # The destination's origin, "https://api.example.com:443": the unit of fairness.
    lane = models.CharField(max_length=270)
    # Jobs with the same key are sent one after the other; null: in no order.
    order_key = models.CharField(max_length=60, null=True)

    status = models.CharField(max_length=10, choices=JobStatus, default=JobStatus.PENDING)
    attempts = models.PositiveSmallIntegerField(default=0)
    # How many attempts there may be in all; a manual retry and an interruption allow one more.
    max_attempts = models.PositiveSmallIntegerField(default=1)
    manual_attempts = models.PositiveSmallIntegerField(default=0)
    interruptions = models.PositiveSmallIntegerField(default=0)
    # webhooks.retries.RetryPolicy as it was when the job was made.
    policy = models.JSONField(default=dict)
    next_attempt_at = models.DateTimeField(null=True)
    lease_token = models.UUIDField(null=True)
    lease_until = models.DateTimeField(null=True)

    # What the last attempt came to; the whole story is in its RequestLog rows.
    status_code = models.PositiveSmallIntegerField(null=True)
    error_kind = models.CharField(max_length=12, blank=True)
    error = models.TextField(blank=True)
    duration_ms = models.PositiveIntegerField(null=True)
    # Why there is no further attempt.
    reason = models.CharField(max_length=200, blank=True)

    created_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)

    objects = WebhookJobQuerySet.as_manager()

    class Meta:
        verbose_name = "webhook job"
        ordering = ["-id"]
        indexes = [
            # Claims: the lanes that have something, and the due jobs of a lane, oldest first.
            models.Index(
                fields=["lane", "next_attempt_at"], name="job_claim", condition=Q(status="pending")
            ),
            # The sweep: is anything due?
            models.Index(fields=["next_attempt_at"], name="job_due", condition=Q(status="pending")),
            # The sweep: leases that ran out. Also a worker renewing its own.
            models.Index(fields=["lease_until"], name="job_lease", condition=Q(status="sending")),
            # The tabs Failures and Pending, newest first.
            models.Index(fields=["-id"], name="job_failures", condition=Q(status="failed")),
            models.Index(
                fields=["-id"], name="job_open", condition=Q(status__in=["pending", "sending"])
            ),
            # Claims of ordered jobs: is an earlier one still open?
            models.Index(
                fields=["order_key", "id"],
                name="job_order",
                condition=Q(status__in=["pending", "sending"], order_key__isnull=False),
            ),
            # The history filtered by a kind of error, and by a class of statuses. Successes are left out: they are
            # found soon without it, and delivering them costs no more for it.
            models.Index(
                fields=["error_kind", "-id"], name="job_error_kind", condition=~Q(error_kind="")
            ),
            models.Index(
                F("status_code") / 100,
                F("id").desc(),
                name="job_status_class",
                condition=Q(status_code__gte=300),
            ),
            # The history of one webhook, and of one record.
            models.Index(fields=["webhook", "-id"], name="job_webhook"),
            models.Index(fields=["record", "-id"], name="job_record"),
            # The jobs of one run.
            models.Index(fields=["run_id"], name="job_run", condition=Q(run_id__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.webhook_name} · {self.event_name}"

    # The request for people's eyes: secrets by name. What is stored has placeholders.

    @property
    def secret_nonce(self) -> str:
        return Credentials.from_json(self.credentials).nonce

    @property
    def shown_url(self) -> str:
        return shown(self.url, self.secret_nonce)

    @property
    def shown_headers(self) -> list[list[str]]:
        """With the one that authenticates."""
        auth = Credentials.from_json(self.credentials).auth
        pairs = shown_headers(self.headers, self.secret_nonce)
        if auth.kind != "none":
            pairs = set_headers(pairs, [shown_auth_header(auth)])
        return [list(pair) for pair in pairs]

    @property
    def shown_body(self) -> str:
        return shown(self.body, self.secret_nonce)

    @property
    def summary(self) -> str:
        """The HTTP status, or the error in words; before the first attempt, the status."""
        return self.error or (
            str(self.status_code) if self.status_code else self.get_status_display()
        )


class JobChange(models.Model):
    """What a person did to a job: retried, edited, cancelled."""

    class Action(models.TextChoices):
        RETRIED = "retried", "Retried"
        EDITED = "edited", "Edited and retried"
        CANCELLED = "cancelled", "Cancelled"

    job = models.ForeignKey(WebhookJob, models.CASCADE, related_name="changes")
    action = models.CharField(max_length=10, choices=Action)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+"
    )
    # For an edit: {"url": [old, new], …}, only what differs.
    changes = models.JSONField(default=dict)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return self.get_action_display()
