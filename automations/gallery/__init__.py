"""Templates: automations that others found useful, with blanks to fill; one to a file. They fill the builder."""

from automations.gallery import (
    daily_digest,
    enrich_from_api,
    escalate_overdue,
    follow_up_task,
    notify_slack,
    sync_to_crm,
)
from automations.gallery.base import Blank, Template

# In the order of the gallery.
GALLERY: tuple[Template, ...] = (
    notify_slack.TEMPLATE,
    sync_to_crm.TEMPLATE,
    follow_up_task.TEMPLATE,
    escalate_overdue.TEMPLATE,
    enrich_from_api.TEMPLATE,
    daily_digest.TEMPLATE,
)

__all__ = ["GALLERY", "Blank", "Template"]
