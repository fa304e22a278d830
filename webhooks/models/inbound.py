"""Addresses at which this installation receives requests."""

import secrets

from django.conf import settings
from django.db import models
from django.urls import reverse

from records.ids import TypeIDField


def new_token() -> str:
    """An unguessable part of an address: 160 bits."""
    return secrets.token_urlsafe(20)


class InboundEndpoint(models.Model):
    """An inspector: an address that records what arrives and shows it."""

    id = TypeIDField("in", primary_key=True)
    name = models.CharField(max_length=120)
    token = models.CharField(max_length=60, unique=True, default=new_token, editable=False)
    # What the caller gets.
    answer_status = models.PositiveSmallIntegerField("answers with status", default=200)
    answer_body = models.TextField("answers with body", blank=True, default='{"ok": true}')
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = "inspector"
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    @property
    def url(self) -> str:
        return f"{settings.PUBLIC_URL}{reverse('inspector', args=[self.token])}"
