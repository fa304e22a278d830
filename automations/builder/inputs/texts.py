"""Texts, with expressions or without."""

import json
import re
from typing import Any

from automations.builder.fields import FormField
from automations.builder.inputs.base import MISSING, Data, Input, input_kind, text_in


@input_kind("text")
class Text(Input):
    """Taken as it is."""

    def read(self, field: FormField, data: Data, name: str) -> Any:
        text = text_in(data, name)
        return _or_missing(field, text.strip())


@input_kind("expression")
class ExpressionText(Input):
    template = "expression"
    expression = "text"

    def shown(self, field: FormField, value: Any) -> Any:
        return as_text(value)

    def read(self, field: FormField, data: Data, name: str) -> Any:
        return _or_missing(field, text_in(data, name))


@input_kind("long_text")
class LongText(ExpressionText):
    template = "long_text"


@input_kind("url")
class Url(ExpressionText):
    expression = "url"

    def read(self, field: FormField, data: Data, name: str) -> Any:
        return _or_missing(field, text_in(data, name).strip())


@input_kind("duration_expression", "moment")
class Moment(ExpressionText):
    """A date as people write it, or an expression that gives one."""


@input_kind("json")
class Json(Input):
    """Kept as JSON once it is some; until then as the text."""

    template = "json"
    expression = "body"

    def shown(self, field: FormField, value: Any) -> Any:
        if value is None or value == {} or value == []:
            return ""
        return value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False)

    def read(self, field: FormField, data: Data, name: str) -> Any:
        text = text_in(data, name)
        if not text.strip():
            return MISSING
        try:
            return json.loads(text)
        except ValueError:
            return text


@input_kind("emails")
class Emails(ExpressionText):
    """Addresses, with commas between them; each may be an expression."""

    def shown(self, field: FormField, value: Any) -> Any:
        return ", ".join(map(as_text, value)) if isinstance(value, list) else as_text(value)

    def read(self, field: FormField, data: Data, name: str) -> Any:
        text = text_in(data, name).strip()
        if not field.is_list:
            return _or_missing(field, text)
        return split_outside_braces(text) or MISSING


@input_kind("lines")
class Lines(Input):
    """A list of texts, one on a line."""

    template = "long_text"
    expression = "text"

    def shown(self, field: FormField, value: Any) -> Any:
        return "\n".join(map(as_text, value)) if isinstance(value, list) else as_text(value)

    def read(self, field: FormField, data: Data, name: str) -> Any:
        lines = [line.strip() for line in text_in(data, name).split("\n")]
        return [line for line in lines if line] or MISSING


def as_text(value: Any) -> str:
    """A value as the text that comes to it: what is no text becomes an expression of one part, and keeps its type."""
    if value is None:
        return ""
    return value if isinstance(value, str) else f"{{{{ {_literal(value)} }}}}"


def _literal(value: Any) -> str:
    """JSON as the expression language writes it: nothing is none."""
    if isinstance(value, dict):
        entries = [f"{json.dumps(str(key))}: {_literal(each)}" for key, each in value.items()]
        return f"{{ {', '.join(entries)} }}"
    if isinstance(value, list):
        return f"[{', '.join(map(_literal, value))}]"
    return "none" if value is None else json.dumps(value, ensure_ascii=False)


def split_outside_braces(text: str) -> list[str]:
    """Parts between commas, semicolons and line ends; those within {{ }} divide nothing."""
    parts = re.split(r"[,;\n](?![^{]*\}\})", text)
    return [part.strip() for part in parts if part.strip()]


def _or_missing(field: FormField, text: str) -> Any:
    return text or MISSING
