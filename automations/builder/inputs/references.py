"""What a step is about or starts: a record, another automation."""

from collections import Counter
from collections.abc import Mapping
from typing import Any, Final

from automations.builder.fields import FormField
from automations.builder.inputs.base import MISSING, Data, Input, input_kind, text_in
from automations.builder.inputs.choices import Choices, Chosen
from automations.builder.place import Place
from automations.models import AutomationState
from records.models import FieldKind

# In the drop-down of records: it is written beside it. No link can be called so.
_WRITTEN: Final = "?"
# Nothing is written there yet: a mistake in the draft, and not the own record.
_NOT_YET: Final = "{{ }}"
_REACTING: Final = (AutomationState.ACTIVE, AutomationState.TEST)


@input_kind("record")
class RecordChoice(Input):
    """The record that set it off, one that it links to, or any by an expression that gives its id."""

    template = "record"

    def context(self, field: FormField, value: Any, place: Place) -> Mapping[str, Any]:
        source = str(value or "").strip()
        choices = linked_records(place)
        is_written = is_written_id(source)
        if source and not is_written and source not in {key for key, _ in choices}:
            choices.append((source, f"{source} (not there)"))
        own = "The record that set it off"
        return {
            "own": own if place.has_record else "None: no record sets it off",
            "choices": choices,
            "chosen": _WRITTEN if is_written else source,
            "written": _WRITTEN,
            "source": source if is_written and source != _NOT_YET else "",
        }

    def read(self, field: FormField, data: Data, name: str) -> Any:
        chosen = text_in(data, name)
        if chosen == _WRITTEN:
            return text_in(data, f"{name}-id").strip() or _NOT_YET
        return chosen or MISSING


@input_kind("automation")
class AutomationChoice(Chosen):
    """By its id, so that it may get another name; a name in the document stays as it is."""

    nothing = "Choose an automation…"

    def choices(self, field: FormField, place: Place) -> Choices:
        return [(key, name) for key, name, _, _ in place.automations]

    def context(self, field: FormField, value: Any, place: Place) -> Mapping[str, Any]:
        rows = place.automations
        names = Counter(name for _, name, _, _ in rows)
        groups: dict[str, Choices] = {
            "Switched on": [],
            "Not switched on: it can't be started yet": [],
        }
        on, off = groups.values()
        for key, name, state, is_published in rows:
            key = name if name == value and names[name] == 1 else key
            can_start = is_published and state in _REACTING
            words = f"{name} · {AutomationState(state).label.lower()}"
            (on if can_start else off).append((key, words))
        known = {key for choices in groups.values() for key, _ in choices}
        chosen = str(value or "")
        return {
            "groups": [(label, choices) for label, choices in groups.items() if choices],
            "choices": [(chosen, f"{chosen} (not there)")]
            if chosen and chosen not in known
            else [],
            "chosen": [chosen],
            "is_many": False,
            "nothing": self.nothing_for(field),
        }


def is_written_id(source: str) -> bool:
    """Whether a record is named by its id, or by what gives one; otherwise by a link to it."""
    return "{" in source or source.startswith("rec_")


def linked_records(place: Place) -> Choices:
    """The links of the record, by the names of their fields."""
    found = []
    for each in place.fields() if place.has_record else ():
        if each.kind == FieldKind.LINK:
            target = place.definition_of(str(each.options.get("object") or ""))
            words = f"Its {each.label}"
            found.append((each.slug, f"{words} ({target.name})" if target else words))
    return found
