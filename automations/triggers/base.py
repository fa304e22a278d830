"""What a trigger is. One kind is one file in `automations.triggers`."""

from collections.abc import Collection
from typing import Any, ClassVar, Final

from pydantic import BaseModel, ConfigDict

from automations.models import Automation
from records.eventtypes import event_names, has_record
from records.models import Event


class TriggerConfig(BaseModel):
    """What a trigger of one kind can be told."""

    model_config = ConfigDict(extra="forbid")


class Trigger:
    """One kind of trigger. Whatever fires is an event; a trigger says which events concern an automation."""

    name: ClassVar[str]
    label: ClassVar[str]
    # One sentence for the builder.
    help: ClassVar[str] = ""
    icon: ClassVar[str] = "bolt"
    # Where the builder lists it: "Records", "Time", "People", "By hand", "Requests", "System".
    group: ClassVar[str] = "Records"
    Config: ClassVar[type[TriggerConfig]] = TriggerConfig
    # Only events that are meant for this one automation: ticks, due dates, clicks, requests.
    is_targeted: ClassVar[bool] = False
    # Whether it may be about a record; `is_about_record` knows more.
    has_record: ClassVar[bool] = True

    def event_names(self, config: Any) -> Collection[str]:
        """Full names, such as "record.created"."""
        raise NotImplementedError

    def object_slug(self, config: Any) -> str:
        """The object that the records must be of; empty: any."""
        return str(getattr(config, "object", "") or "").removeprefix("obj_def_")

    def is_about_record(self, config: Any) -> bool:
        """Whether expressions have a `record`: an event of people, say, is about none, whatever the kind."""
        names, catalogue = self.event_names(config), event_names()
        has_object = bool(self.object_slug(config))
        return self.has_record and all(
            has_record(name) or (has_object and name not in catalogue) for name in names
        )

    def matches(self, config: Any, event: Event, name: str) -> bool:
        """Whether this event, which has the name and the object, is meant. Quick: it is asked for each event."""
        return True

    def describe(self, config: Any) -> str:
        """The trigger in one line. Plain text."""
        return self.label

    def problems(self, config: Any) -> list[tuple[str, str]]:
        """What is wrong beyond the form: (field of the configuration, words). May ask the database."""
        return []

    def arm(self, automation: Automation, config: Any) -> None:
        """The automation begins to react with this configuration (again): set up what fires by itself."""

    def disarm(self, automation: Automation) -> None:
        """The automation reacts no more."""


TRIGGERS: Final[dict[str, Trigger]] = {}


def trigger(kind: type[Trigger]) -> type[Trigger]:
    """Register a kind of trigger. Other Django apps do it in a module that their `AppConfig.ready` imports."""
    if kind.name in TRIGGERS and type(TRIGGERS[kind.name]) is not kind:
        raise ValueError(f"There are two triggers named “{kind.name}”.")
    TRIGGERS[kind.name] = kind()
    return kind
