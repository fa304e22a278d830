"""The kinds of fields. `kind_of(field)` tells how a field's values are entered, checked, stored and shown."""

from typing import Final

from records.fieldkinds.base import CompareType, Kind, suggestion
from records.fieldkinds.choices import Choice, MultiChoice
from records.fieldkinds.numbers import Boolean, Currency, DecimalNumber, Number
from records.fieldkinds.references import MAX_OFFERED, File, Link, Reference, UserReference
from records.fieldkinds.structures import JSON
from records.fieldkinds.texts import URL, Email, LongText, Phone, Text
from records.fieldkinds.times import Date, DateTime
from records.models.objects import FieldDefinition, FieldKind

KINDS: Final[dict[str, Kind]] = {
    FieldKind.TEXT: Text(),
    FieldKind.LONG_TEXT: LongText(),
    FieldKind.NUMBER: Number(),
    FieldKind.DECIMAL: DecimalNumber(),
    FieldKind.CURRENCY: Currency(),
    FieldKind.BOOLEAN: Boolean(),
    FieldKind.DATE: Date(),
    FieldKind.DATETIME: DateTime(),
    FieldKind.CHOICE: Choice(),
    FieldKind.MULTI_CHOICE: MultiChoice(),
    FieldKind.EMAIL: Email(),
    FieldKind.URL: URL(),
    FieldKind.PHONE: Phone(),
    FieldKind.USER: UserReference(),
    FieldKind.LINK: Link(),
    FieldKind.FILE: File(),
    FieldKind.JSON: JSON(),
}

__all__ = ["KINDS", "MAX_OFFERED", "CompareType", "Kind", "Reference", "kind_of", "suggestion"]


def kind_of(field: FieldDefinition) -> Kind:
    """The behaviour of a field."""
    return KINDS[field.kind]
