"""Text, e-mail addresses, web addresses, phone numbers."""

import hashlib
import re
from collections.abc import Mapping
from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import EmailValidator, URLValidator

from records.fieldkinds.base import Kind, bounds_of, text_of
from records.models.objects import FieldDefinition

# What the column of unique values holds; a longer text is represented by its digest.
MAX_KEY_LENGTH = 500


class Text(Kind):
    """One line of text. `min` and `max` bound its length."""

    option_names: ClassVar[tuple[str, ...]] = ("min", "max")
    can_be_unique = True
    makes_title = True
    max_length = 1_000

    def clean(self, value: Any, field: FieldDefinition) -> str | None:
        if self.is_empty(value):
            return None
        text = self.check(text_of(value))
        low, high = field.options.get("min"), field.options.get("max", self.max_length)
        if len(text) > high:
            raise ValidationError(f"Use at most {high} characters; these are {len(text)}.")
        if text and low is not None and len(text) < low:
            raise ValidationError(f"Use at least {low} characters; these are {len(text)}.")
        return text or None

    def check(self, text: str) -> str:
        """What is special about this kind. Raises ValidationError."""
        return " ".join(text.splitlines())

    def clean_options(self, options: Mapping[str, Any]) -> dict[str, Any]:
        bounds = bounds_of(options)
        for name, value in bounds.items():
            if not 0 <= value <= self.max_length or value != int(value):
                raise ValidationError(
                    f"{name}: a length is a whole number from 0 to {self.max_length}."
                )
        return {name: int(value) for name, value in bounds.items()}

    def widget(self, field: FieldDefinition) -> forms.Widget:
        return forms.TextInput(attrs={"maxlength": field.options.get("max", self.max_length)})

    def unique_key(self, value: Any) -> str:
        text = str(value)
        if len(text) <= MAX_KEY_LENGTH:
            return text
        return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


class LongText(Text):
    """Text of several lines."""

    can_be_unique = False
    makes_title = False
    max_length = 100_000

    def check(self, text: str) -> str:
        return text.replace("\r\n", "\n").replace("\r", "\n")

    def widget(self, field: FieldDefinition) -> forms.Widget:
        return forms.Textarea(attrs={"rows": 4})


class Email(Text):
    """An e-mail address. Two that differ only in capitals are the same."""

    option_names = ()
    max_length = 254  # RFC 3696, erratum 1690
    _validate = EmailValidator("Enter an e-mail address, such as name@example.com.")

    def check(self, text: str) -> str:
        if text:
            self._validate(text)
        return text

    def clean_options(self, options: Mapping[str, Any]) -> dict[str, Any]:
        return {}

    def widget(self, field: FieldDefinition) -> forms.Widget:
        return forms.EmailInput(attrs={"maxlength": self.max_length})

    def unique_key(self, value: Any) -> str:
        return super().unique_key(str(value).lower())


class URL(Text):
    """A web address."""

    option_names = ()
    makes_title = False
    max_length = 2_000
    _validate = URLValidator(
        schemes=["http", "https"],
        message="Enter a web address that starts with https:// or http://.",
    )

    def check(self, text: str) -> str:
        if text:
            self._validate(text)
        return text

    def clean_options(self, options: Mapping[str, Any]) -> dict[str, Any]:
        return {}

    def widget(self, field: FieldDefinition) -> forms.Widget:
        return forms.URLInput(attrs={"maxlength": self.max_length})


class Phone(Text):
    """A phone number, as people write it."""

    option_names = ()
    max_length = 40
    _pattern = re.compile(r"\+?[0-9()\[\]/. \-]+(?:(?:ext\.?|x|#) ?[0-9]{1,6})?\Z", re.IGNORECASE)

    def check(self, text: str) -> str:
        text = " ".join(text.split())
        if text and not (self._pattern.match(text) and sum(map(str.isdigit, text)) >= 3):
            raise ValidationError("Enter a phone number, such as +49 30 1234567.")
        return text

    def clean_options(self, options: Mapping[str, Any]) -> dict[str, Any]:
        return {}

    def widget(self, field: FieldDefinition) -> forms.Widget:
        return forms.TextInput(attrs={"type": "tel", "maxlength": self.max_length})

    def unique_key(self, value: Any) -> str:
        return re.sub(r"[()\[\]/. \-]", "", str(value)).lower()
