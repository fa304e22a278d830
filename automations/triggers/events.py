"""Something happened: any event of the catalogue."""

from collections.abc import Collection

from automations.triggers.base import Trigger, TriggerConfig, trigger
from records.eventtypes import event_names, label_of


class EventConfig(TriggerConfig):
    event: str
    # The slug of an object; empty: any.
    object: str = ""


@trigger
class EventTrigger(Trigger):
    name = "event"
    label = "Something happened"
    help = "A record was created, updated, submitted, closed or deleted; a comment, a task, a user or a team changed."
    icon = "bolt"

    Config = EventConfig

    def event_names(self, config: EventConfig) -> Collection[str]:
        return (config.event,)

    def describe(self, config: EventConfig) -> str:
        return label_of(config.event)

    def problems(self, config: EventConfig) -> list[tuple[str, str]]:
        if config.event not in event_names():
            return [("event", f"There is no event “{config.event}”.")]
        return []
