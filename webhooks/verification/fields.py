"""The settings of a scheme: what its form asks for, and what is wrong with what was entered. Pure."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

MAX_TEXT_LENGTH: Final = 200

_find_control = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]").search
_is_token = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+").fullmatch

# The settings of a scheme after they were checked, every one of them there.
Values = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Mistake:
    """The setting, and words that say what is wrong with it."""

    field: str
    message: str


@dataclass(frozen=True, slots=True)
class Field:
    """One setting. A secret is no part of the settings; its field only says what it is called there.

    `choices` are values and labels. `check` says what is wrong with a text that isn't empty, or "".
    """

    name: str
    label: str
    kind: Literal["text", "choice", "number", "secret"]
    default: str | int = ""
    help: str = ""
    required: bool = False
    choices: tuple[tuple[str, str], ...] = ()
    minimum: int = 0
    maximum: int = 0
    check: Callable[[str], str] | None = None


def secret_field(label: str, help_text: str) -> Field:
    """The one secret of a scheme: `secrets["key"]`."""
    return Field("key", label, "secret", help=help_text, required=True)


def tolerance_field() -> Field:
    return Field(
        "tolerance_s",
        "Tolerance",
        "number",
        default=300,
        minimum=1,
        maximum=3600,
        help="How many seconds a request's timestamp may be away from now, before or after.",
    )


def header_field(name: str, label: str, *, default: str, required: bool, help_text: str) -> Field:
    return Field(
        name,
        label,
        "text",
        default=default,
        required=required,
        help=help_text,
        check=_header_name_problem,
    )


def read_settings(
    fields: Sequence[Field], settings: Mapping[str, Any]
) -> tuple[dict[str, Any], list[Mistake]]:
    """The values of all settings, defaults for those that are absent, and what is wrong with them."""
    values = {
        field.name: settings.get(field.name, field.default)
        for field in fields
        if field.kind != "secret"
    }
    problems = [
        (field.name, _problem(field, values[field.name]))
        for field in fields
        if field.kind != "secret"
    ]
    return values, [Mistake(name, problem) for name, problem in problems if problem]


def _problem(field: Field, value: Any) -> str:
    match field.kind:
        case "number":
            return _number_problem(field, value)
        case "choice":
            names = [name for name, _ in field.choices]
            return "" if value in names else f"Choose one of: {', '.join(names)}."
        case _:
            return _text_problem(field, value)


def _number_problem(field: Field, value: Any) -> str:
    # True is a number to Python.
    is_number = isinstance(value, int) and not isinstance(value, bool)
    if is_number and field.minimum <= value <= field.maximum:
        return ""
    return f"Enter a whole number from {field.minimum} to {field.maximum}."


def _text_problem(field: Field, value: Any) -> str:
    if not isinstance(value, str):
        return "Enter a text."
    if not value:
        return "Fill this in." if field.required else ""
    if len(value) > MAX_TEXT_LENGTH:
        return f"It is longer than {MAX_TEXT_LENGTH} characters."
    if _find_control(value):
        return "It has a line break or another control character."
    return field.check(value) if field.check else ""


def _header_name_problem(name: str) -> str:
    if _is_token(name):
        return ""
    return "A header's name only has letters, digits, hyphens and !#$%&'*+.^_`|~ (RFC 9110)."
