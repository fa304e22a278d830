"""One of several choices, or several of them. The stored value is the choice's `value`; people see its label."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from records.fieldkinds.base import Kind, raw_text, text_of
from records.models.objects import FieldDefinition

MAX_CHOICES = 500
MAX_LENGTH = 100


class Choice(Kind):
    """One of the field's `choices`."""

    option_names = ("choices",)
    makes_title = True

    def clean(self, value: Any, field: FieldDefinition) -> Any:
        if self.is_empty(value):
            return None
        return find_choice(text_of(value), field)

    def clean_options(self, options: Mapping[str, Any]) -> dict[str, Any]:
        return {"choices": _clean_choices(options.get("choices"))}

    def to_text(self, value: Any, field: FieldDefinition) -> str:
        if self.is_empty(value):
            return ""
        text = raw_text(value)
        return labels_of(field).get(text, text)

    def widget(self, field: FieldDefinition) -> forms.Widget:
        return forms.Select(choices=[("", "—"), *labels_of(field).items()])


class MultiChoice(Choice):
    """Several of the field's `choices`: a list, in the order of the definition."""

    compare_type = "list"
    makes_title = False
    empty = []

    def clean(self, value: Any, field: FieldDefinition) -> list[str]:
        if self.is_empty(value):
            return []
        chosen = {find_choice(text_of(item), field) for item in _items(value, field)}
        return [choice for choice in labels_of(field) if choice in chosen]

    def default_for(self, field: FieldDefinition) -> Any:
        return list(super().default_for(field))

    def to_text(self, value: Any, field: FieldDefinition) -> str:
        items = value if isinstance(value, list) else [value]
        return ", ".join(super(MultiChoice, self).to_text(item, field) for item in items)

    def to_input(self, value: Any, field: FieldDefinition) -> Any:
        if value is None:
            return []
        return value if isinstance(value, list) else [value]

    def widget(self, field: FieldDefinition) -> forms.Widget:
        return forms.CheckboxSelectMultiple(choices=list(labels_of(field).items()))


def labels_of(field: FieldDefinition) -> dict[str, str]:
    """value → label, in order."""
    choices = field.options.get("choices", [])
    return {choice["value"]: choice["label"] for choice in choices}


def find_choice(text: str, field: FieldDefinition) -> str:
    """The value of a choice, given as itself or by its label. Raises ValidationError."""
    labels = labels_of(field)
    if text in labels:
        return text
    for value, label in labels.items():
        if text.casefold() in (value.casefold(), label.casefold()):
            return value
    offered = ", ".join(list(labels)[:10]) + (" …" if len(labels) > 10 else "")
    raise ValidationError(
        f"“{text[:50]}” is not one of the choices: {offered or 'there are none'}."
    )


def _items(value: Any, field: FieldDefinition) -> Sequence[Any]:
    if isinstance(value, list | tuple | set):
        return list(value)
    text = text_of(value)
    if text.startswith("["):
        try:
            listed = json.loads(text)
        except (ValueError, RecursionError):
            listed = None
        if isinstance(listed, list):
            return listed
    try:
        return [find_choice(text, field)]  # a choice may have a comma in it
    except ValidationError:
        separator = ";" if ";" in text else ","
        return [item for item in (part.strip() for part in text.split(separator)) if item]


def _clean_choices(given: Any) -> list[dict[str, str]]:
    if not isinstance(given, list) or not given:
        raise ValidationError("choices: list at least one choice.")
    if len(given) > MAX_CHOICES:
        raise ValidationError(f"choices: at most {MAX_CHOICES}; use a link to an object instead.")
    choices = [_clean_choice(item) for item in given]
    values = [choice["value"] for choice in choices]
    for value in values:
        if values.count(value) > 1:
            raise ValidationError(f"choices: “{value}” stands there twice.")
    return choices


def _clean_choice(item: Any) -> dict[str, str]:
    if isinstance(item, str | int | float) and not isinstance(item, bool):
        item = {"value": item}
    if not isinstance(item, dict) or item.keys() - {"value", "label"} or "value" not in item:
        raise ValidationError('choices: each is a text, or {"value": …, "label": …}.')
    value = text_of(item["value"])
    label = text_of(item.get("label") or value)
    if not value or len(value) > MAX_LENGTH or len(label) > MAX_LENGTH:
        raise ValidationError(f"choices: a value and a label have 1 to {MAX_LENGTH} characters.")
    return {"value": value, "label": label}
