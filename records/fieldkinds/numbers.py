"""Numbers, decimals, amounts of money, yes or no.

All of them are JSON numbers (or booleans), so that expressions calculate with them and payloads carry them
as such. A decimal has at most 15 significant digits: as many as a double, which is what JSON readers hold,
returns unchanged. On the way in and out it is a Decimal, so nothing is rounded that was not said to be.
"""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError

from records.fieldkinds.base import MAX_SAFE_INTEGER, Kind, bounds_of, raw_text
from records.models.objects import FieldDefinition

MAX_DIGITS = 15
MAX_PLACES = 6
DEFAULT_PLACES = 2


class Number(Kind):
    """A whole number."""

    compare_type = "number"
    option_names: ClassVar[tuple[str, ...]] = ("min", "max")
    can_be_unique = True
    makes_title = True

    def clean(self, value: Any, field: FieldDefinition) -> int | float | None:
        if self.is_empty(value):
            return None
        number = self.check(_decimal(value), field)
        low, high = field.options.get("min"), field.options.get("max")
        if low is not None and number < Decimal(str(low)):
            raise ValidationError(f"Enter a number that is {low} or more.")
        if high is not None and number > Decimal(str(high)):
            raise ValidationError(f"Enter a number that is {high} or less.")
        return json_number(number)

    def check(self, number: Decimal, field: FieldDefinition) -> Decimal:
        if abs(number) > MAX_SAFE_INTEGER:
            raise ValidationError("The number is too large: it may have at most 15 digits.")
        if number != number.to_integral_value():
            raise ValidationError(f"Enter a whole number; {number:f} is none.")
        return number

    def clean_options(self, options: Mapping[str, Any]) -> dict[str, Any]:
        return bounds_of(options)

    def widget(self, field: FieldDefinition) -> forms.Widget:
        return forms.NumberInput(attrs={"step": self.step(field), **_limits(field)})

    def step(self, field: FieldDefinition) -> str:
        return "1"


class DecimalNumber(Number):
    """A number with `places` digits after the point at most."""

    option_names: ClassVar[tuple[str, ...]] = ("min", "max", "places")

    def places(self, field: FieldDefinition) -> int:
        return int(field.options.get("places", DEFAULT_PLACES))

    def check(self, number: Decimal, field: FieldDefinition) -> Decimal:
        places = self.places(field)
        if abs(number) >= Decimal(10) ** (MAX_DIGITS - places):
            raise ValidationError(
                f"The number is too large: {MAX_DIGITS - places} digits may stand before the point."
            )
        rounded = number.quantize(Decimal(1).scaleb(-places))
        if rounded != number:
            raise ValidationError(
                f"Use at most {places} digits after the point."
                if places
                else "Enter a whole number."
            )
        return rounded

    def clean_options(self, options: Mapping[str, Any]) -> dict[str, Any]:
        cleaned = bounds_of(options)
        places = options.get("places")
        if places not in (None, ""):
            if str(places) not in map(str, range(MAX_PLACES + 1)):
                raise ValidationError(f"places: use a whole number from 0 to {MAX_PLACES}.")
            cleaned["places"] = int(places)
        return cleaned

    def to_text(self, value: Any, field: FieldDefinition) -> str:
        if isinstance(value, bool) or not isinstance(value, int | float):
            return super().to_text(value, field)
        return f"{Decimal(str(value)):,.{self.places(field)}f}"

    def to_input(self, value: Any, field: FieldDefinition) -> Any:
        if isinstance(value, bool) or not isinstance(value, int | float):
            return super().to_input(value, field)
        return f"{Decimal(str(value)):.{self.places(field)}f}"

    def step(self, field: FieldDefinition) -> str:
        return f"{Decimal(1).scaleb(-self.places(field)):f}"


class Currency(DecimalNumber):
    """An amount of money in the field's `currency`."""

    option_names = ("currency", "min", "max", "places")

    def clean_options(self, options: Mapping[str, Any]) -> dict[str, Any]:
        cleaned = super().clean_options(options)
        currency = str(options.get("currency") or "").strip().upper()
        if currency:
            if not (len(currency) == 3 and currency.isascii() and currency.isalpha()):
                raise ValidationError(
                    "currency: use a code of three letters, such as EUR (ISO 4217)."
                )
            cleaned["currency"] = currency
        return cleaned

    def to_text(self, value: Any, field: FieldDefinition) -> str:
        text = super().to_text(value, field)
        currency = field.options.get("currency", "")
        return f"{text} {currency}" if text and currency and not isinstance(value, str) else text


class Boolean(Kind):
    """Yes or no. Where it is required, the answer must be yes (a consent, for example)."""

    compare_type = "boolean"
    empty = False
    _words = {
        **dict.fromkeys(("true", "yes", "y", "on", "1", "ja", "oui"), True),
        **dict.fromkeys(("false", "no", "n", "off", "0", "nein", "non"), False),
    }

    def clean(self, value: Any, field: FieldDefinition) -> bool | None:
        if value is None or value == "":
            return False
        if isinstance(value, bool):
            return value
        word = str(value).strip().lower() if isinstance(value, str | int) else ""
        if word not in self._words:
            raise ValidationError(f"Enter yes or no; “{raw_text(value)[:50]}” is neither.")
        return self._words[word]

    def is_empty(self, value: Any) -> bool:
        return not value

    def fits(self, value: Any, field: FieldDefinition) -> bool:
        return value is None or isinstance(value, bool)

    def to_text(self, value: Any, field: FieldDefinition) -> str:
        if value is None or isinstance(value, bool):
            return "Yes" if value else "No"
        return raw_text(value)

    def to_input(self, value: Any, field: FieldDefinition) -> Any:
        return bool(value)

    def widget(self, field: FieldDefinition) -> forms.Widget:
        return forms.CheckboxInput()


def json_number(number: Decimal) -> int | float:
    """The JSON number of a Decimal: whole ones without a point."""
    return int(number) if number == number.to_integral_value() else float(number)


def _decimal(value: Any) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, str | int | float | Decimal):
        raise ValidationError("Enter a number.")
    if isinstance(value, str) and "," in value:
        raise ValidationError("Enter a number with a point and without commas, such as 1234.50.")
    try:
        # Longer than any number that is let through, and not so long that reading it is work.
        number = Decimal(str(value).strip()[:60])
    except (InvalidOperation, ValueError):
        raise ValidationError(f"Enter a number; “{str(value)[:50]}” is none.") from None
    if not number.is_finite() or number.adjusted() > 30 or len(str(value).strip()) > 60:
        raise ValidationError("Enter a number of ordinary size.")
    return number


def _limits(field: FieldDefinition) -> dict[str, Any]:
    return {name: field.options[name] for name in ("min", "max") if name in field.options}
