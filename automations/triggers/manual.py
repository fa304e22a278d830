"""Somebody runs it by hand: on records, or on none."""

from collections.abc import Collection
from typing import Annotated

from pydantic import Field

from automations.triggers.base import Trigger, TriggerConfig, trigger
from automations.triggers.checks import (
    find_object,
    problems_with_object,
    problems_with_teams,
)
from automations.triggers.wording import one_of

CLICKED = "record.clicked"
CLICKED_ALONE = "automation.clicked"


class ManualConfig(TriggerConfig):
    object: str = Field(
        "",
        title="Object",
        description="Run on records of this object. Empty: on no record, from the automation's own page.",
        json_schema_extra={"input": "object", "nothing": "No record"},
    )
    label: Annotated[str, Field(max_length=60)] = Field(
        "",
        title="Button",
        description="What the button says; otherwise the automation's name.",
        json_schema_extra={"input": "text"},
    )
    teams: list[str] = Field(
        [],
        title="Who may",
        description="Members of these teams, as far as they may see the record. "
        "None chosen: everybody who may change it.",
        json_schema_extra={"input": "teams"},
    )
    confirm: Annotated[str, Field(max_length=300)] = Field(
        "",
        title="Question before",
        description="Asked before it runs: “Send the contract?” Empty: it runs at once.",
        json_schema_extra={"input": "text"},
    )


@trigger
class Manual(Trigger):
    name = "manual"
    label = "Run by hand"
    help = "A button on the record's page and in lists, for one record or many; or “Run now” for no record."
    icon = "touch_app"
    group = "By hand"
    is_targeted = True

    Config = ManualConfig

    def event_names(self, config: ManualConfig) -> Collection[str]:
        """Which of them it is tells whether there is a record."""
        return (CLICKED if config.object else CLICKED_ALONE,)

    def describe(self, config: ManualConfig) -> str:
        if not config.object:
            return "Run by hand"
        return f"Run by hand on {one_of(find_object(config.object))}"

    def problems(self, config: ManualConfig) -> list[tuple[str, str]]:
        return [
            *problems_with_object(config.object, required=False),
            *problems_with_teams("teams", config.teams),
        ]
