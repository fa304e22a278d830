"""Lists of small rows: names and values, fields and values, values picked out of an answer."""

from collections.abc import Mapping, Sequence
from typing import Any

from automations.builder.fields import FormField
from automations.builder.inputs.base import MISSING, Data, Input, input_kind, texts_in
from automations.builder.inputs.texts import as_text
from automations.builder.place import Place
from records.models import FieldKind
from webhooks.rendering import ROW_TYPES

Row = dict[str, Any]
_TYPE_WORDS = {"string": "Text", "number": "Number", "boolean": "True/false", "json": "JSON"}


class RowList(Input):
    """Rows of inputs that share their names: `<name>-<part>`, one for each row."""

    template = "rows"
    expression = "text"
    is_group = True
    parts: tuple[str, ...] = ("name", "value")
    noun = "row"
    hints: Mapping[str, str] = {"name": "Name", "value": "Value"}

    def context(self, field: FormField, value: Any, place: Place) -> Mapping[str, Any]:
        return {
            "rows": [*self.rows_of(value), {"is_blank": True}],
            "noun": field.options.get("noun") or self.noun,
            "hints": {**self.hints, **(field.options.get("hints") or {})},
            "is_typed": "type" in self.parts,
            "types": [(kind, _TYPE_WORDS[kind]) for kind in ROW_TYPES],
        }

    def rows_of(self, value: Any) -> list[Row]:
        """The rows of a value of either form: a list of objects, or one object."""
        first, last = self.parts[0], self.parts[-1]
        if isinstance(value, Mapping):
            return [{first: key, last: as_text(each)} for key, each in value.items()]
        if not isinstance(value, list):
            return []
        return [{**row, last: as_text(row.get(last))} for row in value if isinstance(row, Mapping)]

    def read(self, field: FormField, data: Data, name: str) -> Any:
        rows = self.read_rows(data, name)
        if not rows:
            return MISSING
        if field.is_mapping and not field.is_list:
            return {row[self.parts[0]]: row[self.parts[-1]] for row in rows}
        return rows

    def read_rows(self, data: Data, name: str) -> list[Row]:
        columns = [texts_in(data, f"{name}-{part}") for part in self.parts]
        rows = []
        for place in range(max(map(len, columns), default=0)):
            cells = [column[place] if place < len(column) else "" for column in columns]
            row = dict(zip(self.parts, cells, strict=True))
            row[self.parts[0]] = row[self.parts[0]].strip()
            if any(text.strip() for part, text in row.items() if part != "type"):
                rows.append(row)
        return rows

    def is_sent(self, data: Data, name: str) -> bool:
        return f"{name}-sent" in data


@input_kind("rows")
class Rows(RowList):
    pass


@input_kind("typed_rows")
class TypedRows(RowList):
    parts = ("name", "type", "value")

    def read_rows(self, data: Data, name: str) -> list[Row]:
        return [{**row, "type": row["type"] or "string"} for row in super().read_rows(data, name)]


@input_kind("field_map")
class FieldMap(RowList):
    """Fields of an object, each with a value."""

    parts = ("field", "value")
    template = "field_rows"
    noun = "field"
    hints: Mapping[str, str] = {"value": "Value, or an expression"}

    def context(self, field: FormField, value: Any, place: Place) -> Mapping[str, Any]:
        fields = self.fields(field, place)
        return {
            **super().context(field, value, place),
            "fields": fields,
            "slugs": [each["slug"] for each in fields],
        }

    def fields(self, field: FormField, place: Place) -> Sequence[Mapping[str, str]]:
        """Those of the trigger's object; the form puts in those of another object that a sibling names."""
        slug = str(field.options.get("object_slug") or "")
        fields = place.any_fields if field.options.get("any_object") else place.fields(slug)
        extra = field.options.get("attributes") or ()
        return [
            *(
                {"slug": each.slug, "label": each.label, "kind": kind_words(each.kind)}
                for each in fields
            ),
            *({"slug": str(name), "label": str(name).capitalize(), "kind": ""} for name in extra),
        ]


@input_kind("store")
class Store(FieldMap):
    """Fields of the run's record, each with what it takes of the answer."""

    hints: Mapping[str, str] = {"value": "A name from above, or {{ response.… }}"}


@input_kind("pointers")
class Pointers(RowList):
    """Values of an answer by their JSON Pointers. A name left out is the last part of the pointer, and a pointer
    left out is the name: most answers are flat."""

    parts = ("name", "pointer")
    template = "pointers"
    expression = ""
    noun = "value"
    hints: Mapping[str, str] = {"name": "id", "pointer": "/id"}

    def rows_of(self, value: Any) -> list[Row]:
        return (
            [dict(row) for row in value if isinstance(row, Mapping)]
            if isinstance(value, list)
            else []
        )

    def read_rows(self, data: Data, name: str) -> list[Row]:
        return [completed(row) for row in super().read_rows(data, name)]


def completed(row: Row) -> Row:
    name, pointer = row["name"].strip(), row["pointer"].strip()
    if pointer and not pointer.startswith("/"):
        pointer = f"/{pointer.replace('.', '/')}"
    if name and not pointer:
        pointer = f"/{name}"
    if pointer and not name:
        name = pointer.rpartition("/")[2]
    return {"name": name, "pointer": pointer}


def kind_words(kind: str) -> str:
    return FieldKind(kind).label if kind in FieldKind.values else ""
