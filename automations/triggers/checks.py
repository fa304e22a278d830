"""What triggers refer to: does it exist? In words, with what was probably meant."""

from collections.abc import Iterable, Sequence

from django.contrib.auth.models import Group

from records.eventtypes import RECORD_ATTRIBUTES
from records.expressions.errors import suggest
from records.models import ObjectDefinition

Problems = list[tuple[str, str]]


def find_object(slug: str) -> ObjectDefinition | None:
    return ObjectDefinition.objects.alive().filter(slug=slug.removeprefix("obj_def_")).first()


def problems_with_object(slug: str, *, required: bool = True) -> Problems:
    if not slug:
        return [("object", "Choose an object.")] if required else []
    if find_object(slug) is not None:
        return []
    known = ObjectDefinition.objects.alive().values_list("slug", flat=True)
    return [("object", _missing(f"There is no object `{slug[:60]}`", slug, known))]


def problems_with_fields(key: str, definition: ObjectDefinition, slugs: Sequence[str]) -> Problems:
    """Stage, state and owner can be watched like fields."""
    known = [*definition.schema.by_slug, *RECORD_ATTRIBUTES]
    return _unknown(key, f"{definition} has no field", slugs, known)


def problems_with_stages(key: str, definition: ObjectDefinition, slugs: Sequence[str]) -> Problems:
    return _unknown(key, f"{definition} has no stage", slugs, definition.schema.stage_labels)


def problems_with_teams(key: str, names: Sequence[str]) -> Problems:
    if not names:
        return []
    known = list(Group.objects.order_by("name").values_list("name", flat=True))
    return _unknown(key, "There is no team", names, known)


def _unknown(key: str, words: str, names: Sequence[str], known: Iterable[str]) -> Problems:
    there = list(known)
    return [
        (key, _missing(f"{words} `{name[:60]}`", name, there))
        for name in names
        if name not in there
    ]


def _missing(words: str, name: str, known: Iterable[str]) -> str:
    text, suggestion = suggest(words, name, known)
    return text if suggestion else f"{text}."
