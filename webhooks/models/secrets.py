"""Secrets: values that requests need and nobody gets to see."""

from django.core.validators import RegexValidator
from django.db import models

from records.ids import TypeIDField
from webhooks.keyring import SIGNING_KINDS, SecretKind

_KINDS = [
    (SecretKind.TEXT.value, "Text"),
    (SecretKind.SYMMETRIC.value, "Signing key, symmetric"),
    (SecretKind.ED25519.value, "Signing key, Ed25519"),
    (SecretKind.CERTIFICATE.value, "Client certificate"),
]


class Secret(models.Model):
    """A name and an encrypted value. Change it through `webhooks.secret_services` only.

    `encrypted` is what `webhooks.vault` makes of the value; the value itself is no attribute, so that nothing
    that prints, exports or logs rows can have it.
    """

    id = TypeIDField("sec", primary_key=True)
    name = models.CharField(
        max_length=60,
        unique=True,
        validators=[
            RegexValidator(
                r"\A[a-z][a-z0-9_]*\Z",
                "Use lower-case letters, digits and underscores, beginning with a letter: api_key.",
            )
        ],
        help_text="Lower-case letters, digits and underscores, such as api_key.",
    )
    description = models.TextField(
        blank=True, help_text="What it is for, and where a new one is to be had."
    )
    kind = models.CharField(max_length=10, choices=_KINDS, default=SecretKind.TEXT.value)
    encrypted = models.TextField(editable=False)
    # While one signing key takes over from another, both sign.
    encrypted_previous = models.TextField(blank=True, editable=False)
    previous_until = models.DateTimeField(null=True, editable=False)
    value_changed_at = models.DateTimeField(editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    @property
    def is_text(self) -> bool:
        return self.kind == SecretKind.TEXT

    @property
    def is_signing_key(self) -> bool:
        return self.kind in SIGNING_KINDS

    @property
    def is_certificate(self) -> bool:
        return self.kind == SecretKind.CERTIFICATE
