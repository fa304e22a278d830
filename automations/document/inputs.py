"""What the fields of a configuration refer to, by the kind of input that they declare: does it exist?

A field declares its kind with `Field(json_schema_extra={"input": "teams"})`; where it declares none it is inferred, as
the builder does (`automations.builder.fields`).
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import jsonpointer

from automations.document.installation import Installation
from automations.document.names import PlaceNames
from records.eventtypes import RECORD_ATTRIBUTES
from records.expressions.documents import pointer_token
from records.expressions.errors import suggest
from records.models import ObjectDefinition
from webhooks.auth import Auth, check_auth
from webhooks.statuses import StatusSyntaxError, parse_statuses

Problems = Iterator[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a field is looked at with. `definition`: the object that its fields and stages belong to."""

    installation: Installation
    names: PlaceNames
    definition: ObjectDefinition | None
    options: Mapping[str, Any] = field(default_factory=dict)


Check = Callable[[Any, Surroundings], Problems]


def problems_with_input(kind: str, value: Any, around: Surroundings) -> Problems:
    """(JSON Pointer within the value, words). What is empty or an expression is not looked at."""
    check = _CHECKS.get(kind)
    if check is not None and not _is_open(value):
        yield from check(value, around)


def _is_open(value: Any) -> bool:
    return value in (None, "", [], {}) or (isinstance(value, str) and "{{" in value)


def _each(check: Callable[[str, Surroundings], str]) -> Check:
    """A check of one value, for a value or a list of them."""

    def problems(value: Any, around: Surroundings) -> Problems:
        is_list = isinstance(value, list)
        for place, entry in enumerate(value if is_list else [value]):
            if isinstance(entry, str) and not _is_open(entry) and (words := check(entry, around)):
                yield f"/{place}" if is_list else "", words

    return problems


def _object(slug: str, around: Surroundings) -> str:
    known = around.installation.objects
    if slug.removeprefix("obj_def_") in known:
        return ""
    return suggest(f"there is no object `{slug[:60]}`", slug, known)[0]


def _field(slug: str, around: Surroundings) -> str:
    definition = around.definition
    if definition is None or slug in definition.schema.by_slug:
        return ""
    return suggest(f"{definition} has no field `{slug[:60]}`", slug, definition.schema.by_slug)[0]


def _watched_field(slug: str, around: Surroundings) -> str:
    """Stage, state and owner can be watched like fields."""
    return "" if slug in RECORD_ATTRIBUTES else _field(slug, around)


def _stage(slug: str, around: Surroundings) -> str:
    definition = around.definition
    if definition is None or slug in definition.schema.stage_labels:
        return ""
    known = definition.schema.stage_labels
    return suggest(f"{definition} has no stage `{slug[:60]}`", slug, known)[0]


def _team(name: str, around: Surroundings) -> str:
    teams = around.installation.teams
    return "" if name in teams else suggest(f"there is no team “{name[:60]}”", name, teams)[0]


def _user(value: str, around: Surroundings) -> str:
    if around.installation.has_user(value):
        return ""
    return f"there is no active user “{value[:60]}”; choose one, or write a user name"


def _secret(name: str, around: Surroundings) -> str:
    return _problem_with_secret(name, around.options.get("kinds") or (), around.installation)


def _problem_with_secret(name: str, kinds: Any, installation: Installation) -> str:
    """Why a secret can't be named here; empty when it can. `kinds` empty: any."""
    found = installation.secrets.get(name)
    if found is None:
        return suggest(f"there is no secret `{name[:60]}`", name, installation.secrets)[0]
    if kinds and found not in [str(kind) for kind in kinds]:
        return f"the secret `{name}` is of another kind; choose one of kind {', '.join(kinds)}"
    return ""


def _statuses(text: str, around: Surroundings) -> str:
    try:
        parse_statuses(text)
    except StatusSyntaxError as error:
        return str(error)
    return ""


def _auth(value: Any, around: Surroundings) -> Problems:
    if not isinstance(value, Mapping):
        return
    auth = Auth.from_json(value)
    for part, words in check_auth(auth):
        yield f"/{part}", words
    if auth.secret and (words := _problem_with_secret(auth.secret, ("text",), around.installation)):
        yield "/secret", words


def _pointers(value: Any, around: Surroundings) -> Problems:
    for place, row in enumerate(value if isinstance(value, list) else ()):
        pointer = row.get("pointer") if isinstance(row, Mapping) else None
        if isinstance(pointer, str) and (words := _problem_with_pointer(pointer)):
            yield f"/{place}/pointer", words


def _problem_with_pointer(pointer: str) -> str:
    try:
        jsonpointer.JsonPointer(pointer)
    except jsonpointer.JsonPointerException:
        return (
            f"`{pointer[:60]}` is no JSON Pointer; write one such as /data/id or /items/0/sku,"
            " and for / within a name ~1, for ~ write ~0"
        )
    return ""


def _store(value: Any, around: Surroundings) -> Problems:
    for place, row in enumerate(value if isinstance(value, list) else ()):
        slug = row.get("field") if isinstance(row, Mapping) else None
        if slug == "":
            yield f"/{place}/field", "choose a field."
        elif isinstance(slug, str) and (words := _field(slug, around)):
            yield f"/{place}/field", words


def _field_map(value: Any, around: Surroundings) -> Problems:
    """Fields by their slug, or as rows; and what else of a record can be set like a field."""
    attributes = around.options.get("attributes") or ()
    for path, slug, written in _entries(value):
        words = "" if slug in attributes else _field(slug, around)
        if not slug:
            words = "choose a field."
        if slug == "stage" and isinstance(written, str) and not _is_open(written):
            words = _stage(written, around)
        if words:
            yield path, words


def _entries(value: Any) -> Iterator[tuple[str, str, Any]]:
    if isinstance(value, Mapping):
        yield from ((f"/{pointer_token(key)}", str(key), value[key]) for key in value)
    for place, row in enumerate(value if isinstance(value, list) else ()):
        if isinstance(row, Mapping) and isinstance(row.get("field"), str):
            yield f"/{place}", row["field"], row.get("value")


_CHECKS: Final[Mapping[str, Check]] = {
    "object": _each(_object),
    "field": _each(_watched_field),
    "fields": _each(_watched_field),
    "stage": _each(_stage),
    "stages": _each(_stage),
    "teams": _each(_team),
    "users": _each(_user),
    "secret": _each(_secret),
    "statuses": _each(_statuses),
    "auth": _auth,
    "pointers": _pointers,
    "store": _store,
    "field_map": _field_map,
}
