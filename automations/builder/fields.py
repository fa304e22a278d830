"""The fields of a form, from what the config of a step or a trigger declares; what is not declared is inferred."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from automations.document.schema import Step

# Kinds by the end of a name, where a config says nothing itself.
_BY_NAME: Final = (
    ("url", "url"), ("_secret", "secret"), ("client_certificate", "secret"), ("auth", "auth"),
    ("_statuses", "statuses"), ("delays_s", "delays"), ("object", "object"), ("event", "event"),
    ("conditions", "conditions"), ("emails", "emails"),
)  # fmt: skip
# Texts that are long.
_LONG: Final = ("body", "text", "message", "sample_response")
# Kinds of lists by the names of their rows' parts.
_BY_PARTS: Final = (
    ({"name", "type", "value"}, "typed_rows"),
    ({"name", "pointer"}, "pointers"),
    ({"field", "value"}, "store"),
    ({"name", "value"}, "rows"),
)


@dataclass(frozen=True, slots=True)
class FormField:
    """One field: `key` is its name in the config, `kind` the input that it is entered with."""

    key: str
    kind: str
    label: str
    help: str
    required: bool
    default: Any
    choices: tuple[str, ...]
    is_list: bool
    is_mapping: bool
    is_whole_number: bool
    options: Mapping[str, Any]


def fields_of(config: type[BaseModel]) -> list[FormField]:
    return [_field(name, info) for name, info in config.model_fields.items()]


def _field(name: str, info: FieldInfo) -> FormField:
    extra = info.json_schema_extra
    options: dict[str, Any] = dict(extra) if isinstance(extra, dict) else {}
    key = info.alias or name
    types = _types(info.annotation)
    return FormField(
        key=key,
        kind=str(options.get("input") or _inferred(key, types)),
        label=info.title or _words(key),
        help=info.description or "",
        required=info.is_required(),
        default=None if info.is_required() else info.get_default(call_default_factory=True),
        choices=_literals(types),
        is_list=any(get_origin(each) is list for each in types),
        is_mapping=any(get_origin(each) is dict or each is dict for each in types),
        is_whole_number=int in types and float not in types,
        options=options,
    )


def _types(annotation: Any) -> list[Any]:
    """What a value may be, without None."""
    if get_origin(annotation) is Annotated:
        return _types(get_args(annotation)[0])
    if get_origin(annotation) in (Union, UnionType):
        return [inner for each in get_args(annotation) for inner in _types(each)]
    return [] if annotation in (None, NoneType) else [annotation]


def _literals(types: list[Any]) -> tuple[str, ...]:
    return tuple(
        str(value) for each in types if get_origin(each) is Literal for value in get_args(each)
    )


def _inferred(key: str, types: list[Any]) -> str:
    items = [
        item for each in types if get_origin(each) is list for item in _types(get_args(each)[0])
    ]
    models = [each for each in items if isinstance(each, type) and issubclass(each, BaseModel)]
    if any(issubclass(each, Step) or _holds_steps(each) for each in models):
        return "hidden"
    if models:
        parts = set(models[0].model_fields)
        return next((kind for wanted, kind in _BY_PARTS if wanted <= parts), "json")
    named = next((kind for ending, kind in _BY_NAME if key.endswith(ending)), "")
    return named or _by_type(key, types, is_list=bool(items))


def _by_type(key: str, types: list[Any], *, is_list: bool) -> str:
    if _literals(types):
        return "choice"
    if bool in types:
        return "checkbox"
    if str in types:
        return "long_text" if key in _LONG else "expression"
    if int in types or float in types:
        return "number"
    if any(get_origin(each) is dict for each in types):
        return "rows"
    return "lines" if is_list else "json"


def _holds_steps(model: type[BaseModel]) -> bool:
    return any(
        isinstance(item, type) and issubclass(item, Step)
        for info in model.model_fields.values()
        for each in _types(info.annotation)
        if get_origin(each) is list
        for item in _types(get_args(each)[0])
    )


def _words(key: str) -> str:
    words = key.removesuffix("_s").replace("_", " ").strip()
    return words[:1].upper() + words[1:]
