"""Invitations: a person who has an address is asked to join this installation, and a team of it."""

from datetime import datetime

from django.conf import settings
from django.contrib.auth.models import Group
from django.db import models
from django.db.models.functions import Coalesce, Lower

from records.ids import TypeIDField


class InvitationStatus(models.TextChoices):
    PENDING = "pending", "Pending"
    ACCEPTED = "accepted", "Accepted"
    DECLINED = "declined", "Declined"
    REVOKED = "revoked", "Revoked"


class Invitation(models.Model):
    """Sent by mail with a link that only the receiver knows: here is but its token's hash."""

    id = TypeIDField("inv", primary_key=True)
    email = models.EmailField("e-mail address", max_length=254)
    team = models.ForeignKey(
        Group, models.SET_NULL, null=True, blank=True, related_name="invitations"
    )
    # SHA-256 of the link's token, in hexadecimal digits.
    token_hash = models.CharField(max_length=64, unique=True, editable=False)
    status = models.CharField(
        max_length=8, choices=InvitationStatus, default=InvitationStatus.PENDING, editable=False
    )
    invited_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, editable=False, related_name="+"
    )
    accepted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, editable=False, related_name="+"
    )
    created_at = models.DateTimeField(editable=False)
    expires_at = models.DateTimeField(editable=False)
    # When it was accepted, declined or revoked.
    ended_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                Lower("email"),
                Coalesce("team", 0),
                name="one_pending_invitation",
                condition=models.Q(status="pending"),
            )
        ]

    def __str__(self) -> str:
        return self.email

    def is_open(self, now: datetime) -> bool:
        """Whether it can be accepted or declined."""
        return self.status == InvitationStatus.PENDING and now < self.expires_at
