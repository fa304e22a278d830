"""Values of records as pages show them: text, and where it leads."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.urls import reverse

from records.fieldkinds import kind_of
from records.models import FieldDefinition, FieldKind, ObjectDefinition, Record
from records.texts import Labels

_WIDE = {FieldKind.LONG_TEXT, FieldKind.JSON}
_NUMERIC = {FieldKind.NUMBER, FieldKind.DECIMAL, FieldKind.CURRENCY}


@dataclass(frozen=True, slots=True)
class Value:
    """A value to show. `parts` are the labels of several choices."""

    label: str
    kind: str
    text: str
    href: str = ""
    external: bool = False
    parts: tuple[str, ...] = ()

    @property
    def is_wide(self) -> bool:
        return self.kind in _WIDE

    @property
    def is_numeric(self) -> bool:
        return self.kind in _NUMERIC


class Shower:
    """Shows the values of several records, with one look-up for each field that refers to something."""

    def __init__(
        self,
        object_definition: ObjectDefinition,
        datas: Iterable[Mapping[str, Any] | None],
        *,
        visible: Collection[str],
        fields: Iterable[FieldDefinition] | None = None,
    ) -> None:
        """`visible` are the slugs of the objects that the user may see: links lead only there."""
        self.fields = list(object_definition.schema.fields if fields is None else fields)
        self.visible = visible
        self.labels = Labels(self.fields, datas)

    def values(self, record: Record) -> list[Value]:
        return [self.value(field, record.data.get(field.slug)) for field in self.fields]

    def text(self, field: FieldDefinition, value: Any) -> str:
        return self.labels.text(field, value)

    def value(self, field: FieldDefinition, value: Any) -> Value:
        empty = field.kind != FieldKind.BOOLEAN and kind_of(field).is_empty(value)
        text = "" if empty else self.labels.text(field, value)
        if not text:
            return Value(field.label, field.kind, "")
        if field.kind == FieldKind.MULTI_CHOICE and isinstance(value, list):
            parts = tuple(kind_of(field).to_text([item], field) for item in value)
            return Value(field.label, field.kind, text, parts=parts)
        if field.kind == FieldKind.JSON:
            text = str(kind_of(field).to_input(value, field))  # over several lines
        href, external = self._target(field, value)
        return Value(field.label, field.kind, text, href, external)

    def _target(self, field: FieldDefinition, value: Any) -> tuple[str, bool]:
        """Where a value leads, and whether that is another site."""
        if not isinstance(value, str) or not kind_of(field).fits(value, field):
            return "", False
        match field.kind:
            case FieldKind.EMAIL:
                return f"mailto:{value}", False
            case FieldKind.PHONE:
                return f"tel:{value.replace(' ', '')}", False
            case FieldKind.URL:
                return value, True
            case FieldKind.FILE:
                return reverse("file_download", args=[value]), False
            case FieldKind.LINK if field.options.get("object") in self.visible:
                return reverse("record_detail", args=[field.options["object"], value]), False
        return "", False
