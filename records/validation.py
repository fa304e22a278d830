"""Checking the data of records against the fields of their object."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.core.exceptions import ValidationError

from records.exceptions import InvalidData
from records.fieldkinds import kind_of, suggestion
from records.models import FieldDefinition, ObjectDefinition

Errors = dict[str, list[str]]

REQUIRED = "This field is required."


def clean_data(
    object_definition: ObjectDefinition, data: Mapping[str, Any], *, draft: bool = False
) -> dict[str, Any]:
    """The data of a new record: all fields, with defaults where nothing is given. Raises InvalidData."""
    cleaned, errors = clean_values(object_definition, data)
    for field in object_definition.schema.fields:
        if field.slug not in data:
            cleaned[field.slug] = kind_of(field).default_for(field)
    errors = {**errors, **({} if draft else missing_values(object_definition, cleaned, errors))}
    raise_for(object_definition, errors)
    return {field.slug: cleaned[field.slug] for field in object_definition.schema.fields}


def clean_partial(
    object_definition: ObjectDefinition,
    data: Mapping[str, Any],
    *,
    current: Mapping[str, Any],
    draft: bool = False,
) -> dict[str, Any]:
    """A record's data with the given values replaced. What is not given is neither touched nor checked.

    So a record that is older than a definition stays as it is until somebody edits the field in question.
    """
    cleaned, errors = clean_values(object_definition, data)
    if not draft:
        given = [field for field in object_definition.schema.fields if field.slug in data]
        errors |= _missing(given, cleaned, errors)
    raise_for(object_definition, errors)
    return {**current, **cleaned}


def clean_values(
    object_definition: ObjectDefinition, data: Mapping[str, Any], *, look_up: bool = True
) -> tuple[dict[str, Any], Errors]:
    """The given values in their stored form, and what is wrong with those that have none.

    `look_up`: ask the database whether what ids refer to is there; one query for each id.
    """
    fields = object_definition.schema.by_slug
    cleaned: dict[str, Any] = {}
    errors: Errors = {}
    for slug, value in data.items():
        field = fields.get(slug)
        if field is None:
            errors[slug] = [unknown_text(object_definition, slug)]
            continue
        try:
            cleaned[slug] = kind_of(field).clean(value, field)
        except ValidationError as error:
            errors[slug] = error.messages
    for slug, value in cleaned.items() if look_up else ():
        kind = kind_of(fields[slug])
        if kind.refers and value is not None and kind.missing([value], fields[slug]):
            errors[slug] = [missing_text(fields[slug])]
    return cleaned, errors


def missing_values(
    object_definition: ObjectDefinition, data: Mapping[str, Any], errors: Errors | None = None
) -> Errors:
    """The required fields that have no value."""
    return _missing(object_definition.schema.fields, data, errors or {})


def check_stage(object_definition: ObjectDefinition, stage: str) -> Errors:
    """Whether records of this object can be in this stage."""
    labels = object_definition.schema.stage_labels
    if stage in labels or (stage == "" and not labels):
        return {}
    offered = ", ".join(labels) or "it has none"
    text = f"{object_definition} has no stage “{stage}” ({offered}).{suggestion(stage, labels)}"
    return {"stage": [text]}


def unknown_text(object_definition: ObjectDefinition, slug: str) -> str:
    fields = object_definition.schema.by_slug
    return f"{object_definition} has no field `{slug}`.{suggestion(slug, fields)}"


def missing_text(field: FieldDefinition) -> str:
    return f"There is no such {getattr(kind_of(field), 'noun', 'value')} to choose (any more)."


def raise_for(object_definition: ObjectDefinition, errors: Errors) -> None:
    """Raises InvalidData, with the errors in the order of the fields."""
    if errors:
        order = dict.fromkeys([*object_definition.schema.by_slug, *errors])
        raise InvalidData({slug: errors[slug] for slug in order if slug in errors})


def _missing(fields: Sequence[FieldDefinition], data: Mapping[str, Any], errors: Errors) -> Errors:
    return {
        field.slug: [REQUIRED]
        for field in fields
        if field.required
        and field.slug not in errors
        and kind_of(field).is_empty(data.get(field.slug))
    }
