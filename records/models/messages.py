"""What people are told: notifications in the app, and mails that wait to be sent."""

from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models import Q

from records.ids import TypeIDField


class Urgency(models.TextChoices):
    URGENT = "urgent", "Urgent"
    HIGH = "high", "High"
    MEDIUM = "medium", "Medium"
    LOW = "low", "Low"


class Notification(models.Model):
    """Something a person should know, shown until they have read it."""

    id = TypeIDField("ntf", primary_key=True)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="notifications", db_index=False
    )
    title = models.CharField(max_length=200)
    body = models.TextField(blank=True)
    # Where it leads: a path of this installation.
    url = models.CharField(max_length=500, blank=True)
    urgency = models.CharField(max_length=6, choices=Urgency, default=Urgency.MEDIUM)
    created_at = models.DateTimeField()
    read_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        indexes = [
            # Somebody's notifications, newest first.
            models.Index(fields=["user", "-id"], name="notification_user"),
            # The number beside the bell.
            models.Index(
                fields=["user"], name="notification_unread", condition=Q(read_at__isnull=True)
            ),
        ]

    def __str__(self) -> str:
        return self.title


class MailQuerySet(models.QuerySet["Mail"]):
    def due(self, now: datetime) -> "MailQuerySet":
        return self.filter(sent_at=None, next_attempt_at__lte=now)


class Mail(models.Model):
    """A mail to be sent by a worker. A lease is `next_attempt_at` in the future."""

    id = TypeIDField("mail", primary_key=True)
    to = models.JSONField(default=list)
    cc = models.JSONField(default=list)
    subject = models.CharField(max_length=300)
    body = models.TextField()
    created_at = models.DateTimeField()
    # Null once it is sent or given up.
    next_attempt_at = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    error = models.TextField(blank=True)
    sent_at = models.DateTimeField(null=True)
    # Its text has a link that is meant for the receiver alone: it is forgotten once it is sent or given up.
    is_private = models.BooleanField(default=False)

    objects = MailQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        indexes = [
            # The worker's question.
            models.Index(
                fields=["next_attempt_at"],
                name="mail_due",
                condition=Q(sent_at__isnull=True, next_attempt_at__isnull=False),
            )
        ]

    def __str__(self) -> str:
        return self.subject
