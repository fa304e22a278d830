"""What can be done to automations and runs: one place for admin, builder, API and commands."""

from automations.services.automations import (
    create_automation,
    delete_automation,
    publish,
    roll_back,
    save_draft,
    set_state,
)
from automations.services.runs import (
    PlannedStep,
    RetryPlan,
    cancel_run,
    plan_retry,
    retry_run,
    retry_runs,
)

__all__ = [
    "PlannedStep",
    "RetryPlan",
    "cancel_run",
    "create_automation",
    "delete_automation",
    "plan_retry",
    "publish",
    "retry_run",
    "retry_runs",
    "roll_back",
    "save_draft",
    "set_state",
]
