"""Something happened: any event of the catalogue, of records, people, teams, and what went wrong."""

from collections.abc import Collection

from pydantic import Field, JsonValue

from automations.triggers.base import Trigger, TriggerConfig, trigger
from automations.triggers.checks import find_object, problems_with_object
from records.eventtypes import CATALOGUE, event_names, has_record, label_of
from records.expressions.errors import suggest

# [value, label], in the catalogue's order: records, comments …, people, teams, what went wrong.
EVENT_CHOICES: list[JsonValue] = [[name, label_of(name)] for name in event_names()]


class EventConfig(TriggerConfig):
    event: str = Field(
        title="Event", json_schema_extra={"input": "choice", "choices": EVENT_CHOICES}
    )
    object: str = Field(
        "",
        title="Object",
        description="Only records of this object; for events of users, teams and the installation leave it empty.",
        json_schema_extra={"input": "object"},
    )


@trigger
class EventTrigger(Trigger):
    name = "event"
    label = "Something happened"
    help = (
        "A record was created, submitted, closed or deleted; somebody commented, completed a task, joined a team "
        "or failed to log in; a delivery or a run failed."
    )
    icon = "bolt"

    Config = EventConfig

    def event_names(self, config: EventConfig) -> Collection[str]:
        return (config.event,)

    def describe(self, config: EventConfig) -> str:
        definition = find_object(config.object) if config.object else None
        kind, _, event = config.event.partition(".")
        label = CATALOGUE.get(kind, {}).get(event)
        if definition is None or label is None:
            return label_of(config.event)
        words = label if kind == "record" else f"{kind.capitalize()} · {label}"
        return f"{definition} · {words}"

    def problems(self, config: EventConfig) -> list[tuple[str, str]]:
        if config.event not in event_names():
            words, suggestion = suggest(
                f"There is no event “{config.event[:60]}”", config.event, event_names()
            )
            return [("event", words if suggestion else f"{words}.")]
        if config.object and not has_record(config.event):
            words = f"{label_of(config.event)} is about no record; leave the object empty."
            return [("object", words)]
        return problems_with_object(config.object, required=False)
