"""Addresses at which this installation receives requests, and the deliveries that they have seen."""

import secrets

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

from records.ids import TypeIDField
from records.models import ObjectDefinition


def new_token() -> str:
    """An unguessable part of an address: 160 bits."""
    return secrets.token_urlsafe(20)


def _post_only() -> list[str]:
    return ["POST"]


class EndpointKind(models.TextChoices):
    # Records whatever arrives and shows it.
    INSPECTOR = "inspector", "Inspector"
    # The trigger “Webhook received” of one automation.
    AUTOMATION = "automation", "Automation"
    # A form on another site, whose posts become records.
    FORM = "form", "Form"


class AnswerMode(models.TextChoices):
    AT_ONCE = "at_once", "At once: 202 with the run's id"
    WAIT = "wait", "When the run has an answer, or has ended"


class InboundEndpoint(models.Model):
    """An address, who may send to it, and what becomes of what arrives.

    Only `webhooks.inbound.endpoints` and the admin change it. Web processes see a change after a second at most.
    """

    id = TypeIDField("in", primary_key=True)
    name = models.CharField(max_length=120)
    kind = models.CharField(
        max_length=10, choices=EndpointKind, default=EndpointKind.INSPECTOR, editable=False
    )
    # Of an automation; the app above knows more of it.
    automation_id = TypeIDField("auto", null=True, editable=False)
    is_active = models.BooleanField("active", default=True)

    # The address. After a rotation the one before is good for a while.
    token = models.CharField(max_length=60, unique=True, default=new_token, editable=False)
    previous_token = models.CharField(max_length=60, null=True, unique=True, editable=False)
    previous_token_until = models.DateTimeField(null=True, editable=False)
    # Where an automation's draft is tried.
    test_token = models.CharField(max_length=60, null=True, unique=True, editable=False)

    # Who may send what.
    methods = models.JSONField(default=_post_only, blank=True)
    # webhooks.verification: the scheme, its settings, and which secrets it needs: {"key": name}.
    scheme = models.CharField("verification", max_length=30, default="none")
    scheme_settings = models.JSONField(default=dict, blank=True)
    scheme_secrets = models.JSONField(default=dict, blank=True)
    allowed_networks = models.TextField("allowed addresses", blank=True)
    # Patterns such as "text/*"; none: every type.
    content_types = models.JSONField(default=list, blank=True)
    max_body_bytes = models.PositiveIntegerField("largest body", default=1024 * 1024)
    # Null: no limit. A limit lets as many come at once as in a minute.
    per_minute = models.PositiveIntegerField("requests per minute", null=True, blank=True)
    per_address_per_minute = models.PositiveIntegerField(
        "requests per minute from one address", null=True, blank=True
    )
    # An expression that names a delivery, where the sender has no header for it.
    duplicate_key = models.TextField("what names a delivery", blank=True)
    duplicate_window_s = models.PositiveIntegerField("duplicates are known for", default=86_400)

    # What the caller gets: an automation's mode, an inspector's status and body.
    answer_mode = models.CharField(max_length=7, choices=AnswerMode, default=AnswerMode.AT_ONCE)
    wait_s = models.PositiveSmallIntegerField("waits for so long", default=10)
    answer_status = models.PositiveSmallIntegerField("answers with status", default=200)
    answer_body = models.TextField("answers with body", blank=True, default='{"ok": true}')

    # For browsers: the origins whose pages may send and read the answer.
    origins = models.JSONField("allowed origins", default=list, blank=True)
    honeypot_field = models.CharField(max_length=60, blank=True)
    redirect_url = models.URLField("then redirects to", max_length=500, blank=True)
    # Of a form: what its posts become, field by field: {slug: expression}.
    object = models.ForeignKey(
        ObjectDefinition, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    field_map = models.JSONField("fields", default=dict, blank=True)

    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                fields=["automation_id"],
                condition=Q(automation_id__isnull=False),
                name="one_endpoint_per_automation",
            )
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def path(self) -> str:
        """The address without the host, as it is now."""
        if self.kind == EndpointKind.AUTOMATION:
            return reverse("inbound_automation", args=[f"{self.automation_id}-{self.token}"])
        name = "inbound_form" if self.kind == EndpointKind.FORM else "inspector"
        return reverse(name, args=[self.token])

    @property
    def url(self) -> str:
        return f"{settings.PUBLIC_URL}{self.path}"

    @property
    def test_url(self) -> str:
        """Where the draft is tried; empty where there is none."""
        if self.kind != EndpointKind.AUTOMATION or not self.test_token:
            return ""
        return f"{settings.PUBLIC_URL}{reverse('inbound_test', args=[self.test_token])}"

    @property
    def has_previous_address(self) -> bool:
        """Whether the address from before the last rotation is still good."""
        until = self.previous_token_until
        return bool(self.previous_token and until and until > timezone.now())


class FormerEndpoint(models.Model):
    """An endpoint that was deleted, as far as the request log has to name it: the log outlives what it is about."""

    id = TypeIDField("in", primary_key=True)
    name = models.CharField(max_length=120)
    kind = models.CharField(max_length=10, choices=EndpointKind)
    deleted_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-deleted_at"]

    def __str__(self) -> str:
        return f"{self.name} (deleted)"


class Arrival(models.Model):
    """A delivery that was accepted, known by its sender's id: the same once more starts nothing.

    A row is made in the transaction that stores the request, so of two that come at once one wins.
    """

    # Of one that is deleted, what was known is forgotten in its time: there may be millions.
    endpoint = models.ForeignKey(
        InboundEndpoint,
        models.DO_NOTHING,
        related_name="arrivals",
        db_index=False,
        db_constraint=False,
    )
    # The first 128 bits of SHA-256, of the id and of the body.
    key = models.UUIDField()
    body_hash = models.UUIDField()
    # Its row in the request log, and its event. Both may be cleaned up before.
    request_id = TypeIDField("req")
    event_id = TypeIDField("evt", null=True)
    # What was answered: {"status", "headers", "body"}. Null where the event's run tells it.
    answer = models.JSONField(null=True)
    expires_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["endpoint", "key"], name="one_arrival_per_delivery")
        ]
        indexes = [
            # Which have expired?
            models.Index(fields=["expires_at"], name="arrival_expires"),
        ]

    def __str__(self) -> str:
        return f"{self.endpoint_id} · {self.key}"
