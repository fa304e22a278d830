"""The form of a step's or a trigger's config: what it shows, and what it says when it comes back."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from pydantic import BaseModel

from automations.builder.fields import FormField, fields_of
from automations.builder.inputs import MISSING, input_of
from automations.builder.inputs.base import Data
from automations.builder.inputs.references import is_written_id
from automations.builder.place import Place

_PREFIX: Final = "c-"
# Kinds of inputs that need no more than half of a card.
_SMALL: Final = frozenset(
    {"choice", "date_field", "field", "mail_template", "number", "object", "stage", "text", "user"}
)


@dataclass(frozen=True, slots=True)
class Shown:
    """One field as its template shows it."""

    field: FormField
    name: str
    id: str
    value: Any
    template: str
    expression: str
    is_group: bool
    context: Mapping[str, Any]
    # Stands beside another one.
    is_half: bool = False

    @property
    def key(self) -> str:
        return self.field.key

    @property
    def only_when(self) -> str:
        """ "mode=at,on": the script shows it only while another field has one of these values."""
        when = self.field.options.get("when")
        if not isinstance(when, Mapping):
            return ""
        return ";".join(
            f"{_PREFIX}{key}={','.join(map(str, values if isinstance(values, list | tuple) else [values]))}"
            for key, values in when.items()
        )


class ConfigForm:
    """`card` makes the ids of its inputs unique on the page."""

    def __init__(
        self, config: type[BaseModel], values: Mapping[str, Any], place: Place, card: str
    ) -> None:
        self.values = values
        self.place = place
        self.card = card
        self.fields = fields_of(config)

    def shown(self) -> list[Shown]:
        return _paired([self._shown(field) for field in self.fields if input_of(field).template])

    def by_key(self) -> dict[str, Shown]:
        """For templates that lay out a form by themselves."""
        return {each.key: each for each in self.shown()}

    def _shown(self, field: FormField) -> Shown:
        field = about_its_object(field, self.values, self.place)
        kind, value = input_of(field), self.values.get(field.key)
        return Shown(
            field=field,
            name=_PREFIX + field.key,
            id=f"{self.card}-{field.key}".replace("/", "-"),
            value=kind.shown(field, value),
            template=f"admin/automations/builder/inputs/{kind.template}.html",
            expression=kind.expression,
            is_group=kind.is_group or (field.is_list and kind.template == "choice"),
            context=kind.context(field, value, self.place),
        )


def about_its_object(field: FormField, values: Mapping[str, Any], place: Place) -> FormField:
    """What can be chosen is that of the object that a sibling names: by itself, by a link to its records, or by an id,
    which may be that of any record.
    """
    source = values.get(str(field.options.get("object_from") or ""))
    if not isinstance(source, str) or not source:
        return field
    if is_written_id(source):
        return replace(field, options={**field.options, "any_object": True})
    slug = source.removeprefix("obj_def_")
    link = next((each for each in place.fields() if each.slug == slug), None)
    if link is not None and place.definition_of(slug) is None:
        slug = str(link.options.get("object") or "")
    return replace(field, options={**field.options, "object_slug": slug})


def _paired(fields: list[Shown]) -> list[Shown]:
    """Small fields that follow each other stand side by side, two and two."""
    shown: list[Shown] = []
    while fields:
        pair = fields[:2]
        if len(pair) == 2 and all(_is_small(each) for each in pair):
            shown += [replace(each, is_half=True) for each in pair]
            fields = fields[2:]
        else:
            shown.append(fields[0])
            fields = fields[1:]
    return shown


def _is_small(shown: Shown) -> bool:
    return not shown.is_group and shown.field.kind in _SMALL


def sources_of(config: type[BaseModel]) -> set[str]:
    """Names of what decides what else can be chosen in the form."""
    return {
        str(each.options["object_from"])
        for each in fields_of(config)
        if "object_from" in each.options
    }


def read_config(config: type[BaseModel], old: Mapping[str, Any], data: Data) -> dict[str, Any]:
    """The config that a form says. What the form did not have stays as it was."""
    values: dict[str, Any] = {}
    for field in fields_of(config):
        kind, name = input_of(field), _PREFIX + field.key
        if not kind.is_sent(data, name):
            if field.key in old:
                values[field.key] = old[field.key]
            continue
        value = kind.read(field, data, name)
        if value is not MISSING and not (value == field.default and field.key not in old):
            values[field.key] = value
    return values
