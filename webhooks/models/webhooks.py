"""Webhooks: which event sends which request."""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from records.ids import TypeIDField
from records.models import ObjectDefinition
from webhooks.retries import DEFAULT_DELAYS_S, DEFAULT_SUCCESS, RetryPolicy


class Method(models.TextChoices):
    GET = "GET"
    POST = "POST"
    PUT = "PUT"
    PATCH = "PATCH"
    DELETE = "DELETE"


class BodyKind(models.TextChoices):
    DEFAULT = "default", "Default payload"
    JSON = "json", "JSON with expressions"
    ROWS = "rows", "Key/value rows"
    TEXT = "text", "Text"
    NONE = "none", "No body"


def default_delays_s() -> list[int]:
    return list(DEFAULT_DELAYS_S)


class WebhookQuerySet(models.QuerySet["Webhook"]):
    def active(self) -> "WebhookQuerySet":
        return self.filter(is_active=True)


class Webhook(models.Model):
    """An event, a filter, and the request to send. Values may be expressions, see `webhooks.rendering`."""

    id = TypeIDField("hook", primary_key=True)
    name = models.CharField(max_length=120)
    description = models.TextField(blank=True)
    is_active = models.BooleanField("active", default=True)

    # A full event name, such as "record.submitted"; records.eventtypes has them all.
    event = models.CharField(max_length=50, default="record.submitted")
    object = models.ForeignKey(
        ObjectDefinition,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="webhooks",
        help_text="Only for records of this object. Empty: for every object.",
    )
    filter = models.TextField(
        blank=True, help_text="An expression, such as record.value > 10000. Empty: always."
    )

    method = models.CharField(max_length=6, choices=Method, default=Method.POST)
    url = models.TextField("URL")
    # Rows of {"name", "value"}; values may hold expressions.
    path_params = models.JSONField("path parameters", default=list, blank=True)
    query_params = models.JSONField("query parameters", default=list, blank=True)
    headers = models.JSONField(default=list, blank=True)
    body_kind = models.CharField("body", max_length=10, choices=BodyKind, default=BodyKind.DEFAULT)
    # The text of a JSON or text body.
    body = models.TextField("body text", blank=True)
    # Rows of {"name", "type", "value"}; type is string, number, boolean or json.
    body_rows = models.JSONField("rows", default=list, blank=True)
    # webhooks.auth.Auth: a kind, its parts, and the name of a secret; empty is none.
    auth = models.JSONField("authentication", default=dict, blank=True)
    # The name of a signing key. A name, and not a reference: if the secret is deleted, sending fails and says so,
    # instead of going on unsigned.
    signing_secret = models.CharField("signing key", max_length=60, blank=True)
    # The name of a secret that is a client certificate; a name for the same reason.
    client_certificate = models.CharField(max_length=60, blank=True)

    timeout_s = models.PositiveSmallIntegerField(
        "timeout (seconds)",
        default=30,
        validators=[MinValueValidator(1), MaxValueValidator(300)],
        help_text="For the whole exchange: connecting, sending, and receiving the answer.",
    )
    retry_delays_s = models.JSONField(
        "retries after (seconds)", default=default_delays_s, blank=True
    )
    jitter_percent = models.PositiveSmallIntegerField(
        "jitter (percent)",
        default=0,
        validators=[MaxValueValidator(100)],
        help_text="Each delay is made longer by a random part of up to so much.",
    )
    max_age_s = models.PositiveIntegerField(
        "maximum age (seconds)",
        null=True,
        blank=True,
        help_text="A job older than this is not tried again. Empty: no limit.",
    )
    success_statuses = models.CharField(max_length=200, default=DEFAULT_SUCCESS)
    retry_statuses = models.CharField(
        max_length=200, blank=True, help_text="Empty: everything that is no success."
    )
    halt_statuses = models.CharField(
        max_length=200, blank=True, help_text="These fail at once, without a retry."
    )
    max_redirects = models.PositiveSmallIntegerField(
        "redirects to follow", default=0, validators=[MaxValueValidator(10)]
    )
    is_ordered = models.BooleanField(
        "in order",
        default=False,
        help_text="A later event of the same record waits until the earlier one's job has ended.",
    )
    # Why the installation itself switched the webhook off: the receiver said 410 Gone.
    disabled_reason = models.CharField(max_length=300, blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = WebhookQuerySet.as_manager()

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    @property
    def retry_policy(self) -> RetryPolicy:
        return RetryPolicy(
            delays_s=self.retry_delays_s,
            jitter_percent=self.jitter_percent,
            max_age_s=self.max_age_s,
            success=self.success_statuses,
            retry=self.retry_statuses,
            halt=self.halt_statuses,
        )
