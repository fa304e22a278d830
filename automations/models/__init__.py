"""Automations, their versions, their runs, and what fires by time."""

from automations.models.automations import (
    REACTING_STATES,
    Automation,
    AutomationState,
    AutomationVersion,
    Catalogue,
)
from automations.models.bulk_reruns import BulkRerun
from automations.models.mail_templates import MailTemplate
from automations.models.runs import (
    OPEN_STATUSES,
    Run,
    RunMode,
    RunQuerySet,
    RunStatus,
    StepRun,
    StepStatus,
)
from automations.models.timers import DueDate, DueWatch, Schedule

__all__ = [
    "OPEN_STATUSES",
    "REACTING_STATES",
    "Automation",
    "AutomationState",
    "AutomationVersion",
    "BulkRerun",
    "Catalogue",
    "DueDate",
    "DueWatch",
    "MailTemplate",
    "Run",
    "RunMode",
    "RunQuerySet",
    "RunStatus",
    "Schedule",
    "StepRun",
    "StepStatus",
]
