"""Failures by cause: what keeps failing in the same way is one thing to mend, and one thing to tell."""

from datetime import datetime, timedelta

from django.db import models
from django.db.models import Q

from records.ids import TypeIDField
from webhooks.models.webhooks import Webhook


class FailureGroupQuerySet(models.QuerySet["FailureGroup"]):
    def due(self, now: datetime) -> "FailureGroupQuerySet":
        """Those that the next mail tells of; also when a clock that was ahead put them off."""
        absurd = now + timedelta(hours=2)
        return self.filter(Q(mail_due_at__lte=now) | Q(mail_due_at__gt=absurd))


class FailureGroup(models.Model):
    """A webhook that fails in one way. Written by `webhooks.failures`, told by `webhooks.digests`."""

    id = TypeIDField("fail", primary_key=True)
    # What makes a group, in one text: see `webhooks.failures.fingerprint`.
    fingerprint = models.CharField(max_length=100, unique=True)
    webhook = models.ForeignKey(Webhook, models.CASCADE, null=True, related_name="failure_groups")
    webhook_name = models.CharField(max_length=120)
    error_kind = models.CharField(max_length=12, blank=True)
    status_code = models.PositiveSmallIntegerField(null=True)

    count = models.PositiveBigIntegerField(default=0)
    first_seen_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    # A plain id: the job may have been cleaned up.
    last_job_id = TypeIDField("job", null=True)

    # What has been added since the last mail, and when the next one tells of it; null: there is nothing to tell.
    unmailed = models.PositiveIntegerField(default=0)
    mail_due_at = models.DateTimeField(null=True)
    mailed_at = models.DateTimeField(null=True)

    objects = FailureGroupQuerySet.as_manager()

    class Meta:
        verbose_name = "failure group"
        verbose_name_plural = "failures by cause"
        ordering = ["-last_seen_at"]
        # Who may view webhook jobs may view them in groups.
        default_permissions = ()
        indexes = [
            # The sweep: is there something to tell?
            models.Index(
                fields=["mail_due_at"],
                name="failures_to_mail",
                condition=Q(mail_due_at__isnull=False),
            )
        ]

    def __str__(self) -> str:
        return f"{self.webhook_name}: {self.error_kind or self.status_code}"
