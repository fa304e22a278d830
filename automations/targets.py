"""Which record a step is about: the run's own, one that it links to, or one by its id; locked, so that what people
change at the same moment is neither lost nor in the way."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Annotated, Any

from django.core.exceptions import ValidationError
from pydantic import Field

from automations.steps import Scene, StepFailed, closest
from records.exceptions import InvalidData
from records.models import FieldKind, Record

_is_slug = re.compile(r"[a-z][a-z0-9_]*").fullmatch

# Empty: the record that the run is about. Else a link of it, such as company, or an id, such as {{ steps.create.id }}.
RecordSource = Annotated[
    str,
    Field(
        title="Record",
        json_schema_extra={"input": "record"},
        max_length=1000,
    ),
]


def locked_record(scene: Scene, source: str = "", *, deleted: bool = False) -> Record:
    """The record, as it is now and locked until the run's batch is stored. Raises StepFailed.

    `deleted`: also one that is deleted.
    """
    source = source.strip()
    record = _linked(scene, source) if source else _own(scene)
    if record.deleted_at is not None and not deleted:
        raise StepFailed(
            f"“{record}” is deleted; it has to be restored before it is changed.",
            field="record",
            expression=source,
            kind="record",
        )
    return record


@contextmanager
def refusals(part: str, values: Mapping[str, Any] | None = None) -> Iterator[None]:
    """What a service refuses, as the step's failure: the field, and what was written for it."""
    try:
        yield
    except InvalidData as refused:
        name = next(iter(refused.errors), "")
        written = (values or {}).get(name, "")
        words = " ".join(f"{each}: {' '.join(texts)}" for each, texts in refused.errors.items())
        raise StepFailed(
            words,
            field="/".join(filter(None, (part, name))),
            expression=written[:500] if isinstance(written, str) else "",
            kind="record",
        ) from None


def described(verb: str, source: str) -> str:
    """For a step's line: “Update the record”, “Update company”."""
    return f"{verb} {source.strip()}" if source.strip() else f"{verb} the record"


def _own(scene: Scene) -> Record:
    record = scene.lock_record()
    if record is None:
        words = (
            "This run is about no record (any more). Say which one, such as {{ steps.create.id }}."
        )
        raise StepFailed(words, field="record", kind="record")
    return record


def _linked(scene: Scene, source: str) -> Record:
    value = scene.render("record", source) if "{" in source else _value_of(scene, source)
    if isinstance(value, Mapping) and "id" in value:
        value = value["id"]
    if value is None or value == "":
        raise StepFailed("It is empty: there is no record to change.", **_where(source))
    if value == scene.run.record_id:
        return _own(scene)
    try:
        pk = Record._meta.pk.to_python(value)
    except ValidationError:
        words = f"“{str(value)[:100]}” is no record's id; one looks like rec_01h455vb4pex5vsknk084sn02q."
        raise StepFailed(words, **_where(source)) from None
    records = Record.objects.select_related("object").select_for_update(of=("self",))
    record = records.filter(pk=pk).first()
    if record is None:
        raise StepFailed(f"There is no record {pk} (any more).", **_where(source))
    return record


def _value_of(scene: Scene, source: str) -> Any:
    """An id as it is, or what a link of the run's record holds."""
    if not _is_slug(source) or source.startswith("rec_"):
        return source
    own = scene.load_record()
    if own is None:
        words = f"This run is about no record, so there is no link “{source}”."
        raise StepFailed(words, **_where(source))
    links = [each.slug for each in own.object.schema.fields if each.kind == FieldKind.LINK]
    if source not in links:
        words = closest(f"{own.object} has no link `{source}`", source, links)
        raise StepFailed(words, **_where(source))
    return own.data.get(source)


def _where(source: str) -> dict[str, Any]:
    return {"field": "record", "expression": source[:500], "kind": "record"}
