"""What a form refuses, in words that say what to enter. Pure."""

from collections.abc import Iterable
from typing import Any, Final

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from records.expressions.documents import pointer_token
from records.expressions.errors import suggest

_ID_PATTERN: Final = "^[a-z][a-z0-9_]{0,39}$"
_WORDS: Final = {
    "missing": "enter a value; it can't be left out.",
    "string_type": "enter text.",
    "string_too_short": "it is too short; enter at least {min_length} characters.",
    "string_too_long": "it is too long; {max_length:,} characters are the most.",
    "too_long": "there are {actual_length} entries; {max_length} are the most.",
    "too_short": "add at least {min_length}.",
    "bool_type": "choose yes or no (true or false).",
    "bool_parsing": "choose yes or no (true or false).",
    "int_type": "enter a whole number.",
    "int_parsing": "enter a whole number.",
    "int_from_float": "enter a whole number.",
    "int_parsing_size": "the number is too large.",
    "float_type": "enter a number.",
    "float_parsing": "enter a number.",
    "finite_number": "enter a number; it can't be infinite.",
    "greater_than_equal": "the least is {ge}.",
    "greater_than": "it has to be more than {gt}.",
    "less_than_equal": "the most is {le:,}.",
    "less_than": "it has to be less than {lt:,}.",
    "list_type": "give a list: [ … ].",
    "dict_type": "give an object: {{ … }}.",
    "model_type": "give an object: {{ … }}.",
    "model_attributes_type": "give an object: {{ … }}.",
    "string_unicode": "it has half a character (a lone surrogate); enter text.",
}


def problems_in_form(
    model: type[BaseModel], values: Any, skip: frozenset[str] = frozenset()
) -> list[tuple[str, str]]:
    """(JSON Pointer into the values, words) for all that a form refuses; `skip`: names that are checked elsewhere."""
    try:
        model.model_validate(values)
    except ValidationError as error:
        return list(in_words(error, model, values, skip))
    return []


def in_words(
    error: ValidationError, model: type[BaseModel], values: Any, skip: frozenset[str] = frozenset()
) -> Iterable[tuple[str, str]]:
    """One for each place: of the forms that a value may have, the first that it has not is told."""
    told: set[str] = set()
    for each in error.errors(include_url=False, include_context=True):
        place = _steps_within(each["loc"], values, is_missing=each["type"] == "missing")
        if place and str(place[0]) in skip:
            continue
        path = "".join(f"/{pointer_token(step)}" for step in place)
        if path in told:
            continue
        told.add(path)
        title = title_of(model, place)
        words = _words(each, model, place)
        yield path, f"{title}: {words}" if title else words[:1].upper() + words[1:]


def title_of(model: type[BaseModel], place: Iterable[Any]) -> str:
    """What a field is called: its title, with the number of the row. Empty for the whole."""
    first, *rest = [*place, None]
    if first is None:
        return ""
    info = fields_by_key(model).get(str(first))
    title = info.title if info and info.title else str(first).strip("_").replace("_", " ")
    row = rest[0] if rest and isinstance(rest[0], int) else None
    title = title[:1].upper() + title[1:60]
    return title if row is None else f"{title}, row {row + 1}"


def fields_by_key(model: type[BaseModel]) -> dict[str, FieldInfo]:
    """The fields of a form by the names that documents have for them."""
    return {info.alias or name: info for name, info in model.model_fields.items()}


def _words(error: Any, model: type[BaseModel], place: list[Any]) -> str:
    kind, context = error["type"], error.get("ctx") or {}
    if kind in ("literal_error", "enum"):
        return _choice(context.get("expected", ""), error.get("input"))
    if kind == "extra_forbidden":
        name = str(place[-1])[:60] if place else ""
        known = fields_by_key(model) if len(place) == 1 else ()
        message, close = suggest(f"there is no `{name}` here", name, known)
        return message if close else f"{message}; take it out."
    if kind == "string_pattern_mismatch":
        return _pattern(str(context.get("pattern", "")))
    if kind in ("value_error", "assertion_error"):
        words = str(context.get("error") or error["msg"]).removeprefix("Value error, ")
        return words[:1].lower() + words[1:] if words[1:2].islower() else words
    template = _WORDS.get(kind)
    if template is None:
        return f"{error['msg'][:1].lower()}{error['msg'][1:]}."
    return template.format(**context)


def _choice(expected: str, given: Any) -> str:
    names = [name.strip("'\"") for name in expected.replace(" or ", ", ").split(", ")]
    shown = [name for name in names if name]
    close = suggest("", given[:60], shown)[1] if isinstance(given, str) else None
    end = f"; did you mean `{close}`?" if close else "."
    return f"choose one of {', '.join(shown)}{end}"


def _pattern(pattern: str) -> str:
    if pattern == _ID_PATTERN:
        return "start with a small letter; use only small letters, digits and underscores, at most 40 of them."
    if pattern.startswith("^[a-zA-Z]"):
        return "start with a letter; use only letters, digits and underscores, at most 40 of them."
    return f"it has to look like {pattern}"


def _steps_within(loc: Iterable[Any], values: Any, *, is_missing: bool) -> list[Any]:
    """Where in the values an error is: without the names that pydantic gives to the forms of a union."""
    place: list[Any] = []
    steps = list(loc)
    for number, step in enumerate(steps):
        try:
            values = values[step]
        except (LookupError, TypeError):
            if not (is_missing and number == len(steps) - 1):
                continue
        place.append(step)
    return place
