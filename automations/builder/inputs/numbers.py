"""Numbers, and what people write with numbers: times, statuses."""

from math import isfinite
from typing import Any

from automations.builder.fields import FormField
from automations.builder.inputs.base import MISSING, Data, Input, input_kind, text_in
from webhooks.durations import DelayError, format_delay, format_delays, parse_delay, parse_delays


@input_kind("number")
class Number(Input):
    """Also an expression where the config takes one; what is no number stays as it was entered."""

    template = "number"

    def read(self, field: FormField, data: Data, name: str) -> Any:
        text = text_in(data, name).strip()
        return number_of(text) if text else MISSING


@input_kind("delays")
class Delays(Input):
    """[60, 300] as "1 min, 5 min"; nothing is a choice, too: no retries."""

    template = "text"

    def shown(self, field: FormField, value: Any) -> Any:
        if value is None:
            value = field.default
        return (
            format_delays(value) if isinstance(value, list) and _all_numbers(value) else value or ""
        )

    def read(self, field: FormField, data: Data, name: str) -> Any:
        text = text_in(data, name).strip()
        try:
            return parse_delays(text)
        except DelayError:
            return text


@input_kind("duration")
class Duration(Input):
    """Seconds as "5 min", where the config wants a number; else as it is written."""

    template = "text"

    def shown(self, field: FormField, value: Any) -> Any:
        return (
            format_delay(value) if isinstance(value, int) and field.is_whole_number else value or ""
        )

    def read(self, field: FormField, data: Data, name: str) -> Any:
        text = text_in(data, name).strip()
        if not text:
            return MISSING
        if not field.is_whole_number:
            return number_of(text)
        try:
            return parse_delay(text)
        except DelayError:
            return text


@input_kind("statuses")
class Statuses(Input):
    """Such as 2xx, 404, 500-599."""

    template = "text"

    def shown(self, field: FormField, value: Any) -> Any:
        return field.default if value is None else value

    def read(self, field: FormField, data: Data, name: str) -> Any:
        return text_in(data, name).strip()


def number_of(text: str) -> Any:
    """10 and 2.5 as numbers; anything else as it is."""
    for read in (int, float):
        try:
            number = read(text)
        except ValueError:
            continue
        return number if isfinite(number) else text
    return text


def _all_numbers(values: list[Any]) -> bool:
    return all(isinstance(value, int) for value in values)
