"""A record becomes due: some time before or after the date in one of its fields."""

from collections.abc import Collection
from typing import Annotated, Literal

from django.conf import settings
from pydantic import Field

from automations import timers
from automations.models import Automation
from automations.ticks import TimetableError, zone_of
from automations.triggers.base import Trigger, TriggerConfig, trigger
from automations.triggers.checks import find_object, problems_with_fields, problems_with_object
from automations.triggers.schedule import TimeOfDay
from automations.triggers.wording import amount_of, field_label
from records.models import FieldKind

_DATES = (FieldKind.DATE, FieldKind.DATETIME)


class DueConfig(TriggerConfig):
    object: str = Field(title="Object", json_schema_extra={"input": "object"})
    field: str = Field(
        title="Date field",
        description="A date, or a date and time.",
        json_schema_extra={"input": "date_field"},
    )
    amount: Annotated[int, Field(ge=0, le=100_000)] = Field(
        0, title="How long", description="0: at that moment.", json_schema_extra={"input": "number"}
    )
    unit: Literal["minutes", "hours", "days", "weeks"] = Field(
        "days", title="Unit", json_schema_extra={"input": "choice"}
    )
    direction: Literal["before", "after"] = Field(
        "before",
        title="Before or after",
        json_schema_extra={"input": "choice", "labels": {"before": "Before", "after": "After"}},
    )
    at: TimeOfDay = Field(
        "09:00",
        title="Time of day",
        description="For dates, which have no time of their own.",
        json_schema_extra={"input": "text"},
    )
    timezone: str = Field(
        default_factory=lambda: settings.TIME_ZONE,
        title="Time zone",
        description="Such as Europe/Berlin.",
        json_schema_extra={"input": "text"},
    )


@trigger
class Due(Trigger):
    name = "due"
    label = "A date is reached"
    help = (
        "Some time before or after the date in a field; once for each record and date. "
        "Drafts, deleted records and those in quarantine wait until they are none."
    )
    icon = "event_upcoming"
    group = "Time"
    is_targeted = True

    Config = DueConfig

    def event_names(self, config: DueConfig) -> Collection[str]:
        return (timers.DUE,)

    def describe(self, config: DueConfig) -> str:
        definition = find_object(config.object)
        when = "On"
        if config.amount:
            when = f"{amount_of(config.amount, config.unit)} {config.direction}"
        words = f"{when} {definition or config.object} · {field_label(definition, config.field)}"
        field = definition.schema.by_slug.get(config.field) if definition else None
        if field is not None and field.kind == FieldKind.DATE:
            words += f", at {config.at}"
        return words

    def problems(self, config: DueConfig) -> list[tuple[str, str]]:
        found: list[tuple[str, str]] = []
        definition = find_object(config.object)
        if definition is None:
            found += problems_with_object(config.object)
        elif config.field not in definition.schema.by_slug:
            found += problems_with_fields("field", definition, [config.field]) or [
                ("field", f"“{config.field}” is no date; choose a field that is one.")
            ]
        elif (field := definition.schema.by_slug[config.field]).kind not in _DATES:
            kind = FieldKind(field.kind).label.lower()
            words = f"“{field.label}” is no date, but: {kind}. Choose a date, or a date and time."
            found.append(("field", words))
        try:
            zone_of(config.timezone)
        except TimetableError as error:
            found.append((error.field, str(error)))
        return found

    def arm(self, automation: Automation, config: DueConfig) -> None:
        definition = find_object(config.object)
        if definition is None:  # it is gone: nothing can become due
            timers.stop_watching(automation)
        else:
            timers.watch(automation, definition, config.model_dump(mode="json"))

    def disarm(self, automation: Automation) -> None:
        timers.stop_watching(automation)
