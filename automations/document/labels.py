"""What people call the parts of a document and what stands in them: fields, stages, automations, people, settings."""

from collections.abc import Mapping
from functools import cached_property
from typing import Any, Final

from automations.builder.fields import FormField
from automations.builder.flow import labelled
from automations.builder.forms import about_its_object
from automations.builder.inputs import input_of
from automations.builder.inputs.choices import Choice, Chosen, People
from automations.builder.inputs.numbers import Delays, Duration
from automations.builder.inputs.references import RecordChoice, linked_records
from automations.builder.inputs.rows import FieldMap
from automations.builder.place import Place
from automations.conditions import describe
from records.models import User

MODES: Final = (
    ("parallel", "Run side by side", "Every event starts a run, whatever else is running."),
    (
        "queued",
        "Wait their turn",
        "The next run for the same record starts when the one before has ended.",
    ),
    (
        "restart",
        "Start over",
        "The run that is open for the record is cancelled; the new one takes over.",
    ),
    ("skip", "Leave it out", "While a run is open for the record, nothing new is started."),
)
STEP_PARTS: Final = {
    "name": "Name",
    "type": "Action",
    "disabled": "Switched off",
    "on_error": "If it fails",
    "retry_delays_s": "Try again after",
}
SETTINGS: Final = {
    "concurrency: mode": "When it fires while it is still running",
    "concurrency: max_open": "Open runs at most",
    "max_depth": "Longest chain of runs",
    "on_failure: notify_admins": "Tell the administrators",
    "on_failure: notify_teams": "Teams that are told",
    "on_failure: quarantine": "Put the record into quarantine",
    "on_failure: pause_after": "Pause after failures in a row",
}
ON_ERROR: Final = {"stop": "the automation fails", "continue": "go on with the next step"}


class Labels:
    """Of one document, as one person may know them; without a person only what the kinds of steps say themselves."""

    def __init__(self, document: Any, user: User | None = None) -> None:
        is_whole = user is not None and isinstance(document, Mapping)
        self.place = Place(document, user) if is_whole and user is not None else None

    @cached_property
    def fields(self) -> Mapping[str, str]:
        """Those of the trigger's object, by their paths."""
        return self.place.labels if self.place else {}

    def conditions(self, value: Any) -> str:
        return describe(labelled(value, self.fields))

    def value(self, field: FormField, value: Any, config: Mapping[str, Any]) -> Any:
        """The value with what people call it. `config` is the whole that it is a part of."""
        kind = input_of(field)
        if isinstance(kind, Delays | Duration):
            return kind.shown(field, value)
        if field.kind == "conditions":
            return self.conditions(value)
        if isinstance(value, list) and all(isinstance(each, str) for each in value):
            names = self._choices(field, config)
            return ", ".join(names.get(each, each) for each in value)
        if isinstance(value, str):
            return self._choices(field, config).get(value.removeprefix("obj_def_"), value)
        return value

    def parts(self, field: FormField, config: Mapping[str, Any]) -> Mapping[str, str]:
        """What the entries of a map, or rows, are called: the labels of fields by their slugs."""
        kind = input_of(field)
        if self.place is None or not isinstance(kind, FieldMap):
            return {}
        field = about_its_object(field, config, self.place)
        return {each["slug"]: each["label"] for each in kind.fields(field, self.place)}

    def _choices(self, field: FormField, config: Mapping[str, Any]) -> Mapping[str, str]:
        kind = input_of(field)
        if self.place is None:
            return dict(kind.choices(field, _NOWHERE)) if isinstance(kind, Choice) else {}
        if isinstance(kind, RecordChoice):
            return {"": "the record that set it off", **dict(linked_records(self.place))}
        if isinstance(kind, People):
            return dict(self.place.users)
        if isinstance(kind, Chosen):
            field = about_its_object(field, config, self.place)
            return dict(kind.choices(field, self.place))
        return {}


# Choices that a config declares are the same everywhere.
_NOWHERE: Final[Any] = None
