"""What can be done to automations and runs: one place for admin, builder, API and commands."""

from automations.services.automations import (
    create_automation,
    delete_automation,
    publish,
    roll_back,
    save_draft,
    set_state,
)
from automations.services.by_hand import automations_for, may_run, run_by_hand
from automations.services.retry_plans import (
    PlannedGroup,
    PlannedStep,
    RetriesPlan,
    RetryPlan,
    plan_retries,
    plan_retry,
)
from automations.services.runs import cancel_run, retry_run, retry_runs
from automations.services.versions import compare_versions, export_automation, import_automation

__all__ = [
    "PlannedGroup",
    "PlannedStep",
    "RetriesPlan",
    "RetryPlan",
    "automations_for",
    "cancel_run",
    "compare_versions",
    "create_automation",
    "delete_automation",
    "export_automation",
    "import_automation",
    "may_run",
    "plan_retries",
    "plan_retry",
    "publish",
    "retry_run",
    "retry_runs",
    "roll_back",
    "run_by_hand",
    "save_draft",
    "set_state",
]
