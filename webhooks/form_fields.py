"""Inputs of a webhook's form: rows of names and values, and times as people write them."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import ProhibitNullCharactersValidator
from django.template.loader import render_to_string
from django.utils.datastructures import MultiValueDict
from django.utils.safestring import SafeString

from webhooks.durations import DelayError, format_delay, format_delays, parse_delay, parse_delays
from webhooks.rendering import ROW_TYPES

Row = dict[str, str]

_refuse_null = ProhibitNullCharactersValidator()
_TYPE_WORDS: Final = {
    "string": "Text",
    "number": "Number",
    "boolean": "True/false",
    "json": "JSON",
}


class RowsWidget(forms.Widget):
    """Rows of inputs with the same names: they work without a script, which only adds and moves them."""

    def __init__(self, *, noun: str, name_hint: str, value_hint: str, typed: bool = False) -> None:
        super().__init__()
        self.noun = noun
        self.hints = {"name": name_hint, "value": value_hint}
        self.typed = typed
        # Set by the form: row → what is wrong with it.
        self.mistakes: Mapping[int, Sequence[str]] = {}

    def render(
        self, name: str, value: Any, attrs: dict[str, Any] | None = None, renderer: Any = None
    ) -> SafeString:
        rows = [
            {**row, "mistakes": self.mistakes.get(place, ())}
            for place, row in enumerate(value or [])
        ]
        types = [(kind, _TYPE_WORDS[kind]) for kind in ROW_TYPES] if self.typed else []
        context = {
            "name": name,
            "id": (attrs or {}).get("id", name),
            "noun": self.noun,
            "hints": self.hints,
            "types": types,
            "rows": [*rows, {"name": "", "value": "", "type": "string", "is_blank": True}],
        }
        return render_to_string("admin/webhooks/webhook/_rows.html", context)

    def value_from_datadict(self, data: Any, files: Any, name: str) -> list[Row]:
        columns = [_list_of(data, f"{name}-{part}") for part in ("name", "value", "type")]
        rows = []
        for place in range(max(len(columns[0]), len(columns[1]))):
            cells = [column[place] if place < len(column) else "" for column in columns]
            row = {"name": cells[0].strip(), "value": cells[1].replace("\r\n", "\n")}
            if self.typed:
                row["type"] = cells[2] or "string"
            if row["name"] or row["value"].strip():
                rows.append(row)
        return rows

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        return False

    def id_for_label(self, id_: str | None) -> str:
        return ""


class RowsField(forms.Field):
    """A list of {"name", "value"}, and "type" where the rows are typed."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(required=False, **kwargs)

    def clean(self, value: Any) -> list[Row]:
        rows: list[Row] = value or []
        for row in rows:
            for text in row.values():
                _refuse_null(text)
        return rows

    def has_changed(self, initial: Any, data: Any) -> bool:
        return (initial or []) != (data or [])


class DelaysField(forms.CharField):
    """[60, 300] as "1 min, 5 min"."""

    def prepare_value(self, value: Any) -> Any:
        return value if isinstance(value, str) else format_delays(value or [])

    def to_python(self, value: Any) -> Any:
        try:
            return parse_delays(str(value or ""))
        except DelayError as error:
            raise ValidationError(str(error)) from None

    def validate(self, value: Any) -> None:
        """An empty list is a choice: no retries."""

    def run_validators(self, value: Any) -> None:
        """What CharField checks of texts does not fit a list."""

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool(self.prepare_value(initial) != (data or "").strip())


class DurationTextField(forms.CharField):
    """86400 as "1 day"; empty is None."""

    def prepare_value(self, value: Any) -> Any:
        return format_delay(value) if isinstance(value, int) else value

    def clean(self, value: Any) -> Any:
        text = str(value or "").strip()
        try:
            return parse_delay(text) if text else None
        except DelayError as error:
            raise ValidationError(str(error)) from None

    def has_changed(self, initial: Any, data: Any) -> bool:
        return (self.prepare_value(initial) or "") != (data or "").strip()


def _list_of(data: Any, name: str) -> list[str]:
    values = data.getlist(name) if isinstance(data, MultiValueDict) else data.get(name, [])
    return [values] if isinstance(values, str) else [str(value) for value in values]
