"""Nobody can be invited into a team that is no more."""

from typing import Any

from django.contrib.auth.models import Group
from django.db.models.signals import pre_delete
from django.dispatch import receiver

from records.models import Invitation, InvitationStatus
from records.services.invitations import revoke_invitation


@receiver(pre_delete, sender=Group)
def team_goes(instance: Group, **_: Any) -> None:
    pending = Invitation.objects.filter(team=instance, status=InvitationStatus.PENDING)
    for invitation in pending:
        revoke_invitation(invitation=invitation)
