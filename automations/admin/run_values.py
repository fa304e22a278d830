"""What steps were given and what they left, as the run's page shows it: JSON within bounds, changes as tables."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.http import HttpRequest
from django.utils.safestring import SafeString

from automations.findings import value_text
from records.models import ObjectDefinition, Record
from webhooks.admin.bodies import pretty_json
from webhooks.admin.links import can_view, page_url
from webhooks.masking import mask_header

# A longer value shows its beginning, until somebody asks for the whole.
MAX_SHOWN: Final = 6_000
_BEGINNING: Final = 2_000
# So many changed values in one step are listed.
MAX_CHANGES: Final = 200


@dataclass(frozen=True, slots=True)
class ValueView:
    """`pretty` is set for objects and lists. `is_cut`: there is more of it."""

    text: str
    pretty: SafeString | None
    size: int
    is_cut: bool = False


@dataclass(frozen=True, slots=True)
class ChangeRow:
    label: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class RecordChanges:
    """What one step changed in one record."""

    title: str
    kind: str
    url: str
    rows: Sequence[ChangeRow]


def view_value(value: Any, *, is_whole: bool = False) -> ValueView | None:
    """None where there is nothing to show."""
    if value in (None, "", [], {}):
        return None
    value = _masked(value)
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=2)
    size = len(text.encode())
    if len(text) > MAX_SHOWN and not is_whole:
        return ValueView(text[:_BEGINNING], None, size, is_cut=True)
    return ValueView(text, None if isinstance(value, str) else pretty_json(text), size)


def _masked(value: Any) -> Any:
    """Without the credentials that somebody typed into headers; a secret's name is none. A body that is JSON is
    shown as such."""
    if not isinstance(value, Mapping):
        return value
    shown = dict(value)
    headers = value.get("headers")
    if isinstance(headers, Mapping):
        shown["headers"] = {name: header_text(name, text) for name, text in headers.items()}
    elif isinstance(headers, list):
        shown["headers"] = [f"{name}: {header_text(name, text)}" for name, text in _pairs(headers)]
    if headers is not None and isinstance(value.get("body"), str):
        shown["body"] = _document(value["body"])
    return shown


def _pairs(headers: Sequence[Any]) -> list[tuple[str, Any]]:
    return [
        (str(each[0]), each[1]) for each in headers if isinstance(each, list) and len(each) == 2
    ]


def _document(body: str) -> Any:
    try:
        return json.loads(body) if body.lstrip()[:1] in ("{", "[") else body
    except (ValueError, RecursionError):
        return body


def header_text(name: str, text: Any) -> Any:
    """A header's value without credentials; an expression has none."""
    return text if not isinstance(text, str) or "{{" in text else mask_header(name, text)


class ChangeTeller:
    """Tells changes by the labels of fields and stages. One query for all objects concerned."""

    def __init__(self, request: HttpRequest, changes: Iterable[Sequence[Any]]) -> None:
        slugs = {change.get("object", "") for each in changes for change in each}
        found = ObjectDefinition.objects.filter(slug__in=slugs) if slugs else ()
        self.definitions = {definition.slug: definition for definition in found}
        self.may_open = can_view(request, Record)

    def records(self, changes: Sequence[Mapping[str, Any]]) -> list[RecordChanges]:
        by_record: dict[str, list[Mapping[str, Any]]] = {}
        for change in changes[:MAX_CHANGES]:
            by_record.setdefault(str(change.get("record", "")), []).append(change)
        return [self._record(pk, rows) for pk, rows in by_record.items()]

    def _record(self, pk: str, changes: Sequence[Mapping[str, Any]]) -> RecordChanges:
        first = changes[0]
        definition = self.definitions.get(str(first.get("object", "")))
        return RecordChanges(
            title=str(first.get("label") or pk),
            kind=definition.name if definition else str(first.get("object", "")),
            url=page_url("admin:records_record_change", pk) if pk and self.may_open else "",
            rows=[self._row(change, definition) for change in changes],
        )

    def _row(self, change: Mapping[str, Any], definition: ObjectDefinition | None) -> ChangeRow:
        name = str(change.get("field", ""))
        schema = definition.schema if definition else None
        label = (
            schema.by_slug[name].label if schema and name in schema.by_slug else name.capitalize()
        )
        texts = [change.get("before"), change.get("after")]
        if name == "stage" and schema:
            texts = [schema.stage_labels.get(str(text), text) for text in texts]
        return ChangeRow(label, *(value_text(text) for text in texts))
