"""JSON: whatever else a record has to keep."""

import json
import math
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from records.fieldkinds.base import Kind, text_of
from records.models.objects import FieldDefinition

MAX_BYTES = 100_000
MAX_DEPTH = 32
# Doubles end at 1.8e308, and so do numbers in JSON that other systems can read.
MAX_NUMBER = 10**300


class JSON(Kind):
    """Any JSON value. What people enter is read as JSON; what programs give is taken as it is."""

    compare_type = "json"

    def clean(self, value: Any, field: FieldDefinition) -> Any:
        if value is None or value == "":
            return None
        check_json(value)
        if len(json.dumps(value)) > MAX_BYTES:
            raise ValidationError(f"This is more than {MAX_BYTES:,} bytes of JSON.")
        return value

    def read_text(self, text: str, field: FieldDefinition) -> Any:
        return read_json(text_of(text)) if text.strip() else None

    def is_empty(self, value: Any) -> bool:
        return value is None or value == ""

    def fits(self, value: Any, field: FieldDefinition) -> bool:
        return True

    def to_text(self, value: Any, field: FieldDefinition) -> str:
        return "" if value is None else json.dumps(value, ensure_ascii=False)

    def to_input(self, value: Any, field: FieldDefinition) -> Any:
        return "" if value is None else json.dumps(value, ensure_ascii=False, indent=2)

    def widget(self, field: FieldDefinition) -> forms.Widget:
        return forms.Textarea(attrs={"rows": 5, "spellcheck": "false", "class": "code"})


def read_json(text: str) -> Any:
    """The value of a JSON text. Raises ValidationError with the place of the mistake."""
    try:
        return json.loads(text, parse_constant=_refuse)
    except json.JSONDecodeError as error:
        raise ValidationError(
            f"This is not JSON: {error.msg}, in line {error.lineno}, column {error.colno}."
        ) from None
    except ValueError as error:  # a number of thousands of digits, NaN
        raise ValidationError(f"This is not JSON that can be kept: {error}.") from None
    except RecursionError:
        raise ValidationError(f"This JSON is nested more than {MAX_DEPTH} levels deep.") from None


def check_json(value: Any, depth: int = 0) -> None:
    """Refuse what is no JSON, or what the database could not keep. Raises ValidationError."""
    if depth > MAX_DEPTH:
        raise ValidationError(f"This JSON is nested more than {MAX_DEPTH} levels deep.")
    if isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, str):
                raise ValidationError("In JSON the names in an object are texts.")
            _check_text(key)
            check_json(item, depth + 1)
    elif isinstance(value, list):
        for item in value:
            check_json(item, depth + 1)
    elif isinstance(value, str):
        _check_text(value)
    else:
        _check_plain(value)


def _check_plain(value: Any) -> None:
    if value is None or isinstance(value, bool):
        return
    if not isinstance(value, int | float):
        raise ValidationError(f"A {type(value).__name__} is no JSON value.")
    if (isinstance(value, float) and not math.isfinite(value)) or abs(value) > MAX_NUMBER:
        raise ValidationError("This JSON has a number that is too large.")


def _check_text(text: str) -> None:
    if "\x00" in text:
        raise ValidationError(
            "A text in the JSON contains the character NUL, which cannot be kept."
        )
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValidationError("A text in the JSON contains half a character.") from None


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is no JSON number")
