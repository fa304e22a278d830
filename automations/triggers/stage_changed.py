"""A record was moved to another stage."""

from collections.abc import Collection

from pydantic import Field

from automations.triggers.base import Trigger, TriggerConfig, trigger
from automations.triggers.checks import find_object, problems_with_object, problems_with_stages
from automations.triggers.wording import either, one_of, stage_label
from records.models import Event


class StageChangedConfig(TriggerConfig):
    object: str = Field(title="Object", json_schema_extra={"input": "object"})
    from_stages: list[str] = Field(
        [],
        title="From",
        description="None chosen: any stage.",
        json_schema_extra={"input": "stages"},
    )
    to_stages: list[str] = Field(
        [], title="To", description="None chosen: any stage.", json_schema_extra={"input": "stages"}
    )


@trigger
class StageChanged(Trigger):
    name = "stage_changed"
    label = "Stage changed"
    help = "A record was moved: from certain stages, to certain stages, or any."
    icon = "move_down"

    Config = StageChangedConfig

    def event_names(self, config: StageChangedConfig) -> Collection[str]:
        return ("record.stage_changed",)

    def matches(self, config: StageChangedConfig, event: Event, name: str) -> bool:
        before, after = (event.before or {}).get("stage"), (event.after or {}).get("stage")
        return (not config.from_stages or before in config.from_stages) and (
            not config.to_stages or after in config.to_stages
        )

    def describe(self, config: StageChangedConfig) -> str:
        definition = find_object(config.object)
        words = f"When {one_of(definition)}'s stage changes"
        for preposition, stages in (("from", config.from_stages), ("to", config.to_stages)):
            if stages:
                labels = either([stage_label(definition, slug) for slug in stages])
                words += f" {preposition} {labels}"
        return words

    def problems(self, config: StageChangedConfig) -> list[tuple[str, str]]:
        definition = find_object(config.object)
        if definition is None:
            return problems_with_object(config.object)
        if not definition.schema.stages:
            return [("object", f"{definition} have no stages.")]
        return [
            *problems_with_stages("from_stages", definition, config.from_stages),
            *problems_with_stages("to_stages", definition, config.to_stages),
        ]
