"""Runs: what an automation did about one event, step by step."""

from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models import Q

from automations.models.automations import Automation, AutomationVersion
from automations.models.bulk_reruns import BulkRerun
from records.ids import TypeIDField
from records.models import Event, Record
from webhooks.models import WebhookJob


class RunStatus(models.TextChoices):
    PENDING = "pending", "Pending"
    RUNNING = "running", "Running"
    WAITING = "waiting", "Waiting"
    SUCCEEDED = "succeeded", "Succeeded"
    FAILED = "failed", "Failed"
    HALTED = "halted", "Halted"
    SKIPPED = "skipped", "Not fired"
    CANCELLED = "cancelled", "Cancelled"


OPEN_STATUSES = (RunStatus.PENDING, RunStatus.RUNNING, RunStatus.WAITING)


class RunMode(models.TextChoices):
    LIVE = "live", "Live"
    # Sends nothing, and logs what it would have sent.
    TEST = "test", "Test"


class RunQuerySet(models.QuerySet["Run"]):
    def open(self) -> "RunQuerySet":
        return self.filter(status__in=OPEN_STATUSES)

    def ready(self) -> "RunQuerySet":
        """What a worker may claim."""
        return self.filter(status=RunStatus.PENDING)

    def waited_enough(self, now: datetime) -> "RunQuerySet":
        """Waiting ones whose time has come; those that wait for a job are woken by its end."""
        return self.filter(status=RunStatus.WAITING, due_at__lte=now)

    def unblocked(self) -> "RunQuerySet":
        """Without runs that wait for an earlier one of the same automation and record."""
        earlier = Run.objects.open().filter(
            order_key=models.OuterRef("order_key"), pk__lt=models.OuterRef("pk")
        )
        return self.filter(Q(order_key=None) | ~models.Exists(earlier))


class Run(models.Model):
    """One run. Only `automations.matching`, `automations.batches` and `automations.services` change it.

    A run is advanced by whoever claims it; between two steps it is a row and nothing else, so it can wait for a
    month and outlive every worker.
    """

    id = TypeIDField("run", primary_key=True)
    automation = models.ForeignKey(Automation, models.CASCADE, related_name="runs", db_index=False)
    version = models.ForeignKey(AutomationVersion, models.CASCADE, related_name="+", db_index=False)
    event = models.ForeignKey(Event, models.SET_NULL, null=True, related_name="runs")
    event_name = models.CharField(max_length=50)
    record = models.ForeignKey(
        Record, models.SET_NULL, null=True, related_name="runs", db_index=False
    )
    mode = models.CharField(max_length=4, choices=RunMode, default=RunMode.LIVE)
    # The run whose change this run's event tells of, and how many runs stand between it and a person's act.
    caused_by = models.ForeignKey(
        "self", models.SET_NULL, null=True, related_name="caused", db_index=False
    )
    depth = models.PositiveSmallIntegerField(default=0)
    # The run that this one tries again, and who wanted that (or ran it by hand).
    retry_of = models.ForeignKey(
        "self", models.SET_NULL, null=True, related_name="retries", db_index=False
    )
    started_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", db_index=False
    )

    # The bulk retry that it is part of.
    bulk = models.ForeignKey(
        BulkRerun, models.SET_NULL, null=True, related_name="runs", db_index=False
    )
    # Of a retry whose failed step was changed for it, only what differs from the version:
    # {"path", "step", "by", "changes": [{"field", "before", "after"}]}.
    edited = models.JSONField(null=True)

    status = models.CharField(max_length=9, choices=RunStatus, default=RunStatus.PENDING)
    # Why it did not fire, was halted or cancelled; of a failed run, the error in words.
    reason = models.CharField(max_length=500, blank=True)
    # What the conditions came to, rule by rule (automations.conditions).
    conditions = models.JSONField(null=True)
    # Where it is: frames, outermost first (automations.cursors). Empty once it has ended.
    cursor = models.JSONField(default=list)
    # {"vars": …, "steps": {step id: output}, "error": …}
    variables = models.JSONField(default=dict)
    # Of a failed run: {"step", "path", "field", "message", "kind"}.
    error = models.JSONField(null=True)
    # What a `respond` step answers to the inbound caller: {"status", "headers", "body"}.
    answer = models.JSONField(null=True)

    # Pending: ready since then. Waiting: when it goes on; null when it waits for a job, and once it has ended.
    due_at = models.DateTimeField(null=True)
    waiting_job = models.ForeignKey(
        WebhookJob, models.SET_NULL, null=True, related_name="waiting_runs", db_index=False
    )
    lease_token = models.UUIDField(null=True)
    lease_until = models.DateTimeField(null=True)
    # How often a worker died with it.
    interruptions = models.PositiveSmallIntegerField(default=0)
    # Runs with the same key go one after the other; null: in no order.
    order_key = models.CharField(max_length=60, null=True)

    created_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    objects = RunQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        indexes = [
            # Claims: the automations that have something ready, and what each has, oldest first.
            models.Index(
                fields=["automation", "due_at"], name="run_ready", condition=Q(status="pending")
            ),
            # The sweep: whose time has come?
            models.Index(fields=["due_at"], name="run_due", condition=Q(status="waiting")),
            # The sweep: leases that ran out; a worker's own batch.
            models.Index(fields=["lease_until"], name="run_lease", condition=Q(status="running")),
            # An ended job wakes its run.
            models.Index(
                fields=["waiting_job"],
                name="run_waiting_job",
                condition=Q(waiting_job__isnull=False),
            ),
            # Is an earlier one of the same order, or of the same automation, still open?
            models.Index(
                fields=["order_key", "id"],
                name="run_order",
                condition=Q(status__in=["pending", "running", "waiting"], order_key__isnull=False),
            ),
            models.Index(
                fields=["automation", "-id"],
                name="run_open",
                condition=Q(status__in=["pending", "running", "waiting"]),
            ),
            # The tabs, newest first: of everything and of one automation.
            models.Index(fields=["-id"], name="run_fired", condition=~Q(status="skipped")),
            models.Index(fields=["-id"], name="run_failures", condition=Q(status="failed")),
            models.Index(
                fields=["-id"],
                name="run_waiting",
                condition=Q(status__in=["pending", "running", "waiting"]),
            ),
            models.Index(fields=["-id"], name="run_skipped", condition=Q(status="skipped")),
            models.Index(fields=["automation", "status", "-id"], name="run_automation"),
            models.Index(
                fields=["automation", "-id"],
                name="run_automation_fired",
                condition=~Q(status="skipped"),
            ),
            # What automations did to a record.
            models.Index(
                fields=["record", "-id"], name="run_record", condition=Q(record__isnull=False)
            ),
            # What a run caused.
            models.Index(
                fields=["caused_by"], name="run_caused", condition=Q(caused_by__isnull=False)
            ),
            models.Index(
                fields=["retry_of"], name="run_retry", condition=Q(retry_of__isnull=False)
            ),
            # What a bulk retry has come to.
            models.Index(
                fields=["bulk", "status"], name="run_bulk", condition=Q(bulk__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return str(self.pk)


class StepStatus(models.TextChoices):
    SUCCEEDED = "succeeded", "Succeeded"
    FAILED = "failed", "Failed"
    # Failed, and its retry policy or `on_error` let the run go on.
    TRIED_AGAIN = "retried", "Failed, tried again"
    CONTINUED = "continued", "Failed, went on"
    WAITING = "waiting", "Waiting"
    SKIPPED = "skipped", "Skipped"
    ENDED = "ended", "Ended the run"


class StepRun(models.Model):
    """One step of one run, once for each time it was executed. Written in the transaction of its effects."""

    id = TypeIDField("step", primary_key=True)
    run = models.ForeignKey(Run, models.CASCADE, related_name="steps", db_index=False)
    # Where in the run: "s3", in a branch "s3/s4", in a loop "s5[2]/s6".
    path = models.CharField(max_length=200)
    step_id = models.CharField(max_length=40)
    type = models.CharField(max_length=40)
    attempt = models.PositiveSmallIntegerField(default=1)
    status = models.CharField(max_length=9, choices=StepStatus)
    # The rendered configuration, secrets by name.
    input = models.JSONField(null=True)
    output = models.JSONField(null=True)
    # {"field", "expression", "message", "kind", "column"}
    error = models.JSONField(null=True)
    # [{"record", "label", "object", "field", "before", "after"}…]
    changes = models.JSONField(default=list)
    # A line for people: "3 of 5 items", "waits until …", "would have sent …".
    note = models.CharField(max_length=500, blank=True)
    job = models.ForeignKey(
        WebhookJob, models.SET_NULL, null=True, related_name="+", db_index=False
    )
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["id"]
        indexes = [
            # A run's trace, in order.
            models.Index(fields=["run", "id"], name="step_run"),
            # Deleting jobs: whose step was it?
            models.Index(fields=["job"], name="step_job", condition=Q(job__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.path} · {self.status}"
