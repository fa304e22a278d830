"""What a kind of field has to know. One small class for each kind, one file for each family of kinds."""

import json
import math
from collections.abc import Collection, Mapping
from difflib import get_close_matches
from typing import Any, ClassVar, Literal

from django import forms
from django.core.exceptions import ValidationError

from records.models.objects import FieldDefinition
from records.models.tracking import same

CompareType = Literal["text", "number", "boolean", "date", "datetime", "list", "json"]

# JavaScript and JSON readers everywhere hold whole numbers up to here exactly (RFC 8259, section 6).
MAX_SAFE_INTEGER = 2**53 - 1


class Kind:
    """How values of one kind are entered, checked, stored as JSON and shown."""

    compare_type: ClassVar[CompareType] = "text"
    # Names in `FieldDefinition.options` that mean something to this kind.
    option_names: ClassVar[tuple[str, ...]] = ()
    can_be_unique: ClassVar[bool] = False
    # Whether its text can name a record.
    makes_title: ClassVar[bool] = False
    # Whether the value is the id of something else: its text needs a look-up (see `labels`).
    refers: ClassVar[bool] = False
    # What is stored where nothing was given.
    empty: ClassVar[Any] = None

    def clean(self, value: Any, field: FieldDefinition) -> Any:
        """The JSON to store for what a form, the API or an automation gives. Raises ValidationError."""
        raise NotImplementedError

    def read_text(self, text: str, field: FieldDefinition) -> Any:
        """What a person means who wrote this in a form or a table; `clean` comes next."""
        return text

    def is_empty(self, value: Any) -> bool:
        return value is None or value == "" or value == []

    def fits(self, value: Any, field: FieldDefinition) -> bool:
        """Whether a stored value is one this field could store now; definitions change, values stay."""
        if self.is_empty(value):
            return True
        try:
            return same(self.clean(value, field), value)
        except ValidationError:
            return False

    def missing(self, ids: Collection[str], field: FieldDefinition) -> set[str]:
        """Which of these ids refer to nothing that may be chosen. One query."""
        return set()

    def labels(self, ids: Collection[str], field: FieldDefinition) -> dict[str, str]:
        """The text of each id. One query. Ids of what is gone are left out."""
        return {}

    def to_text(self, value: Any, field: FieldDefinition) -> str:
        """What people read; for kinds that refer, see `records.texts`."""
        return "" if self.is_empty(value) else raw_text(value)

    def to_input(self, value: Any, field: FieldDefinition) -> Any:
        """What a form's widget shows for a stored value."""
        return "" if value is None else value

    def form_field(self, field: FieldDefinition, **kwargs: Any) -> forms.Field:
        """A form field; what is entered is cleaned by `clean`, not by the form field."""
        return forms.Field(**{"widget": self.widget(field), **kwargs})

    def widget(self, field: FieldDefinition) -> forms.Widget:
        return forms.TextInput()

    def default_for(self, field: FieldDefinition) -> Any:
        """The stored value of a new record where nothing was given."""
        if field.default is None:
            return self.empty
        try:
            return self.clean(field.default, field)
        except ValidationError:  # the definition has changed since the default was set
            return self.empty

    def clean_options(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """The options in their proper form. Raises ValidationError."""
        return {}

    def unique_key(self, value: Any) -> str:
        """Two values are the same when their keys are."""
        return raw_text(value)


def raw_text(value: Any) -> str:
    """A JSON value as plain text."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def text_of(value: Any) -> str:
    """The text that was given: text itself, or a number written out. Raises ValidationError."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValidationError(f"Enter text, not {_name_of(value)}.")
    text = str(value).strip()
    if "\x00" in text:
        raise ValidationError("A text cannot contain the character NUL.")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValidationError("The text contains half a character (a lone surrogate).") from None
    return text


def number_option(options: Mapping[str, Any], name: str) -> int | float | None:
    """A bound in options. Raises ValidationError."""
    value = options.get(name)
    if value is None or value == "":
        return None
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            raise ValidationError(f"{name}: “{value}” is not a number.") from None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValidationError(f"{name}: “{value}” is not a number.")
    if abs(value) > MAX_SAFE_INTEGER:
        raise ValidationError(f"{name}: {value} is too large.")
    return value


def bounds_of(options: Mapping[str, Any]) -> dict[str, Any]:
    """`min` and `max` where they are given. Raises ValidationError."""
    bounds = {name: number_option(options, name) for name in ("min", "max")}
    low, high = bounds["min"], bounds["max"]
    if low is not None and high is not None and low > high:
        raise ValidationError(f"min: {low} is more than max, {high}.")
    return {name: value for name, value in bounds.items() if value is not None}


def suggestion(name: str, names: Collection[str]) -> str:
    """ " Did you mean `email`?", or nothing."""
    close = get_close_matches(name, list(names), n=1)
    return f" Did you mean `{close[0]}`?" if close else ""


def _name_of(value: Any) -> str:
    if isinstance(value, bool):
        return "yes or no"
    if isinstance(value, list | tuple):
        return "a list"
    return "an object" if isinstance(value, dict) else type(value).__name__
