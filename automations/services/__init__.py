"""What can be done to automations and runs: one place for admin, builder, API and commands."""

from automations.services.automations import (
    create_automation,
    delete_automation,
    publish,
    roll_back,
    save_draft,
    set_state,
)

__all__ = [
    "create_automation",
    "delete_automation",
    "publish",
    "roll_back",
    "save_draft",
    "set_state",
]
