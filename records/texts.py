"""What people read of records: titles, search texts, and the values of many records in few queries."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from records.fieldkinds import kind_of
from records.models.objects import FieldDefinition, ObjectDefinition
from records.models.records import Record

MAX_TITLE = 200
# A search looks no further into a record: long texts would make every search slow.
MAX_SEARCH_TEXT = 10_000


def title_of(data: Mapping[str, Any], fields: Sequence[FieldDefinition]) -> str:
    """The text of the first field that can name a record and has a value."""
    for field in fields:
        kind = kind_of(field)
        if kind.makes_title and (text := kind.to_text(data.get(field.slug), field)):
            return text[:MAX_TITLE]
    return ""


def search_text_of(data: Mapping[str, Any], fields: Sequence[FieldDefinition]) -> str:
    """The text of all fields in small letters; of ids there is nothing to read."""
    texts = []
    for field in fields:
        kind = kind_of(field)
        value = data.get(field.slug)
        if not kind.refers and kind.compare_type != "boolean" and not kind.is_empty(value):
            texts.append(kind.to_text(value, field))
    return "\n".join(texts).lower()[:MAX_SEARCH_TEXT]


class Labels:
    """The names behind ids, looked up once for all values: one query for each field that refers."""

    def __init__(
        self, fields: Iterable[FieldDefinition], datas: Iterable[Mapping[str, Any] | None]
    ) -> None:
        rows = [data for data in datas if data]
        self._labels: dict[str, dict[str, str]] = {}
        for field in fields:
            kind = kind_of(field)
            if kind.refers:
                ids = {row[field.slug] for row in rows if isinstance(row.get(field.slug), str)}
                self._labels[field.slug] = kind.labels(ids, field) if ids else {}

    def text(self, field: FieldDefinition, value: Any) -> str:
        """The text of a stored value."""
        if field.slug in self._labels and isinstance(value, str):
            return self._labels[field.slug].get(value, value)
        return kind_of(field).to_text(value, field)


def texts_of(
    object_definition: ObjectDefinition,
    records: Iterable[Record],
    fields: Sequence[FieldDefinition] | None = None,
) -> dict[str, dict[str, str]]:
    """record id → field slug → text, for all records at once."""
    shown = object_definition.schema.fields if fields is None else fields
    rows = list(records)
    labels = Labels(shown, (record.data for record in rows))
    return {
        record.pk: {field.slug: labels.text(field, record.data.get(field.slug)) for field in shown}
        for record in rows
    }
