"""Automations that are switched on and can't react any more, because what they are about has changed."""

from django.conf import settings
from django.urls import reverse

from automations.compiled import current_index
from automations.models import Automation, AutomationState
from automations.services import set_state
from records.messages import admins, notify
from records.models import Urgency


def pause_broken() -> int:
    """Pause them, each with the reason on its page, and tell the admins. How many."""
    broken = current_index().broken
    for pk, reason in broken.items():
        automation = Automation.objects.reacting().filter(pk=pk).first()
        if automation is None:
            continue
        words = f"{reason} Mend it and publish it, then switch it on again."
        set_state(automation=automation, state=AutomationState.PAUSED, reason=words)
        notify(
            admins(),
            title=f"“{automation.name}” is paused: it can't react any more"[:200],
            body=words,
            url=reverse("admin:automations_automation_change", args=[pk]),
            urgency=Urgency.URGENT,
            by_mail=settings.FAILURE_DIGEST,
        )
    return len(broken)
