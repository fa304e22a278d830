"""Mails that automations send, written once and used by many steps."""

from django.core.validators import RegexValidator
from django.db import models

# Steps name a template by it: `{"template_id": "welcome"}`.
template_id_validator = RegexValidator(
    r"^[a-z][a-z0-9_-]*\Z",
    "Start with a small letter; use only small letters, digits, hyphens and underscores.",
)


class MailTemplate(models.Model):
    """Subject and text with expressions; beside all that a step sees, they see the step's variables."""

    id = models.CharField(
        "id",
        max_length=50,
        primary_key=True,
        validators=[template_id_validator],
        help_text="Steps name the template by it, so it stays as it is.",
    )
    name = models.CharField(max_length=80, help_text="For people: “Welcome mail”.")
    subject = models.CharField(max_length=500)
    body = models.TextField()
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name
