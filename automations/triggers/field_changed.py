"""A record was saved with another value in one of some fields."""

from collections.abc import Collection

from pydantic import Field

from automations.triggers.base import Trigger, TriggerConfig, trigger
from automations.triggers.checks import find_object, problems_with_fields, problems_with_object
from automations.triggers.wording import either, field_label, one_of
from records.models import Event


class FieldChangedConfig(TriggerConfig):
    object: str = Field(title="Object", json_schema_extra={"input": "object"})
    fields: list[str] = Field(
        [],
        title="Fields",
        description="Any one of them is enough. None chosen: any field.",
        json_schema_extra={"input": "fields"},
    )


@trigger
class FieldChanged(Trigger):
    name = "field_changed"
    label = "A field changed"
    help = "Somebody, an automation or an import changed a value. To which one, is for the conditions to ask."
    icon = "edit_note"

    Config = FieldChangedConfig

    def event_names(self, config: FieldChangedConfig) -> Collection[str]:
        """Changes of state and owner alone are updates, but no changes of fields."""
        if "state" in config.fields or "owner" in config.fields:
            return ("record.updated",)
        return ("record.field_changed",)

    def matches(self, config: FieldChangedConfig, event: Event, name: str) -> bool:
        return not config.fields or any(changed in config.fields for changed in event.changed)

    def describe(self, config: FieldChangedConfig) -> str:
        definition = find_object(config.object)
        labels = [field_label(definition, slug) for slug in config.fields]
        return f"When {one_of(definition)}'s {either(labels) or 'fields'} change{'s' if labels else ''}"

    def problems(self, config: FieldChangedConfig) -> list[tuple[str, str]]:
        definition = find_object(config.object)
        if definition is None:
            return problems_with_object(config.object)
        return problems_with_fields("fields", definition, config.fields)
