"""What rules can be about at a place, and with which operators: the JSON that the editor of conditions works with."""

from collections.abc import Iterator
from typing import Any, Final

from automations.builder.place import Place
from automations.conditions import OPERATORS
from automations.document.names import PlaceNames
from automations.document.samples import LAST_TIME
from records.fieldkinds import kind_of
from records.models import FieldDefinition, FieldKind
from webhooks.names import Name

_STATES: Final = (("draft", "Draft"), ("submitted", "Submitted"), ("closed", "Closed"))
# Groups of names that rules are seldom about.
_LEFT_OUT: Final = ("Secrets", "Dates and functions", "Before the change")
_TYPES: Final = {
    "number": "number",
    "true/false": "boolean",
    "date": "date",
    "date and time": "datetime",
}


def condition_fields(place: Place, names: PlaceNames) -> list[dict[str, Any]]:
    """Groups of fields: the record's by their paths, those of linked records, then what else is known here."""
    groups = []
    definition = place.definition
    if definition and place.has_record:
        fields = [_field(each.slug, each, place) for each in place.fields()]
        stages = [[each.slug, each.label] for each in place.stages()]
        if stages:
            fields.append(_plain("stage", "Stage", choices=stages))
        fields.append(_plain("state", "State", choices=[list(each) for each in _STATES]))
        fields.append(_plain("owner", "Owner"))
        groups.append({"label": definition.name, "fields": fields})
        groups += _linked(place)
    groups += [
        {
            "label": group.label,
            "fields": [
                {
                    "path": name.path,
                    "label": _label_of(name),
                    "type": _TYPES.get(name.kind, ""),
                    "choices": [],
                }
                for name in group.names
            ],
        }
        for group in names.groups()
        if group.label not in _LEFT_OUT and not (definition and group.label == definition.name)
    ]
    return groups


def operators() -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "label": each.label,
            "takes": each.takes,
            "suits": each.suits,
            "hint": each.hint,
            "changes": each.is_about_changes,
        }
        for name, each in OPERATORS.items()
    ]


def _label_of(name: Name) -> str:
    """What was there last time does not say what it is."""
    if name.label.startswith(LAST_TIME):
        return f"{name.path} · {name.label}"
    return name.label


def _linked(place: Place) -> Iterator[dict[str, Any]]:
    for each in place.fields():
        if each.kind != FieldKind.LINK:
            continue
        target = place.definition_of(str(each.options.get("object") or ""))
        if target:
            fields = [
                _field(f"record.{each.slug}.{inner.slug}", inner, place)
                for inner in target.schema.fields
            ]
            yield {"label": f"{each.label} ({target.name})", "fields": fields}


def _field(path: str, field: FieldDefinition, place: Place) -> dict[str, Any]:
    choices = [
        [str(choice.get("value")), str(choice.get("label") or choice.get("value"))]
        for choice in field.options.get("choices") or []
        if isinstance(choice, dict)
    ]
    return _plain(path, field.label, kind_of(field).compare_type, choices)


def _plain(
    path: str, label: str, type_: str = "text", choices: list[list[str]] | None = None
) -> dict[str, Any]:
    return {"path": path, "label": label, "type": type_, "choices": choices or []}
