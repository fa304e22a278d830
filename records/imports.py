"""Many records from a table: every row is checked first, then all of them are written in bulk with their events."""

import csv
import io
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.db import transaction

from records.exceptions import InvalidData, ObjectDeleted
from records.fieldkinds import Reference, kind_of, suggestion
from records.fieldkinds.references import UserReference
from records.models import FieldDefinition, ObjectDefinition, Record, RecordState, User
from records.models.tracking import copy_value
from records.uniqueness import holders_of
from records.validation import check_stage, clean_values, missing_values

# What one request can check and write within its time.
MAX_ROWS: Final = 20_000
MAX_BYTES: Final = 10 * 1024 * 1024
BATCH_SIZE: Final = 500
# No name of a user or record is longer.
MAX_NAME: Final = 254
# Columns beside the fields.
ATTRIBUTES: Final = ("stage", "owner")
# The header is row 1, as spreadsheets count.
FIRST_ROW: Final = 2


@dataclass(frozen=True, slots=True)
class RowError:
    """What is wrong in one cell. `row` counts as spreadsheets do; `field` is a slug, or empty for the row."""

    row: int
    field: str
    message: str


@dataclass(slots=True)
class ImportResult:
    """How many records were created, and what was wrong with the rows that were not."""

    created: int = 0
    errors: list[RowError] = field(default_factory=list)

    @property
    def failed_rows(self) -> int:
        return len({error.row for error in self.errors})


def import_records(
    *,
    object_definition: ObjectDefinition,
    rows: Iterable[Mapping[str, Any]],
    owner: User | None = None,
    state: str = RecordState.SUBMITTED,
    all_or_nothing: bool = True,
) -> ImportResult:
    """Create a record of each row; columns are named by a field's slug or label, or `stage`, `owner`.

    An empty cell gets the field's default. Users may be given by user name or e-mail address, linked records
    by title. With `all_or_nothing`, nothing is written unless every row is right.
    """
    if object_definition.deleted_at is not None:
        raise ObjectDeleted
    table = _Table(object_definition, list(rows), owner, state)
    result = ImportResult(errors=table.errors)
    records = table.records()
    if result.errors and all_or_nothing:
        return result
    try:
        with transaction.atomic():
            for start in range(0, len(records), BATCH_SIZE):
                Record.objects.bulk_create(records[start : start + BATCH_SIZE])
    except InvalidData as error:  # somebody took a unique value since it was looked up
        texts = [text for found in error.errors.values() for text in found]
        result.errors.append(RowError(0, "", " ".join(texts)))
        return result
    result.created = len(records)
    return result


def read_csv(content: bytes) -> list[dict[str, str]]:
    """The rows of a CSV file (comma, semicolon or tab; UTF-8, or else Latin-1). Raises InvalidData."""
    if len(content) > MAX_BYTES:
        raise _refused(f"The file is larger than {MAX_BYTES // 1_048_576} MB; split it.")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("latin-1")
    first_line = text.partition("\n")[0]
    delimiter = max(",;\t", key=first_line.count)
    try:
        lines = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))
    except csv.Error as error:
        raise _refused(f"This is not a CSV file: {error}.") from None
    if not lines or not any(name.strip() for name in lines[0]):
        raise _refused("The file is empty; its first row should name the columns.")
    if len(lines) > MAX_ROWS + 1:
        raise _refused(f"The file has more than {MAX_ROWS:,} rows; split it.")
    return [
        _row(lines[0], number, line) for number, line in enumerate(lines[1:], FIRST_ROW) if line
    ]


def _row(header: Sequence[str], number: int, line: Sequence[str]) -> dict[str, str]:
    if len(line) > len(header) and any(cell.strip() for cell in line[len(header) :]):
        raise _refused(f"Row {number} has {len(line)} cells, but there are {len(header)} columns.")
    return {name.strip(): cell for name, cell in zip(header, line, strict=False) if name.strip()}


def _refused(text: str) -> InvalidData:
    return InvalidData({"file": [text]})


class _Table:
    """The rows of one import, checked step by step; a row with an error is left out of what follows."""

    def __init__(
        self,
        object_definition: ObjectDefinition,
        rows: list[Mapping[str, Any]],
        owner: User | None,
        state: str,
    ) -> None:
        self.object_definition = object_definition
        self.owner = owner
        self.state = state
        self.errors: list[RowError] = []
        self.failed: dict[int, list[str]] = {}
        self.rows = self._named(rows)

    def records(self) -> list[Record]:
        """Unsaved records of the rows that are right."""
        if self.errors:  # a column that leads nowhere
            return []
        for definition in self.object_definition.schema.fields:
            if isinstance(kind := kind_of(definition), Reference):
                self._resolve(definition.slug, kind, definition)
        self._resolve("owner", UserReference(), FieldDefinition(kind="user", options={}))
        owners = User.objects.in_bulk(
            {row["owner"] for row in self.rows.values() if row.get("owner")}
        )
        defaults = {
            definition.slug: kind_of(definition).default_for(definition)
            for definition in self.object_definition.schema.fields
        }
        records = {}
        for number, row in self.rows.items():
            owner = owners.get(row.pop("owner", ""), self.owner)
            record = self._record(number, row, owner, defaults)
            if record:
                records[number] = record
        self._check_unique(records)
        self.errors.sort(key=lambda error: error.row)
        return [record for number, record in records.items() if number not in self.failed]

    def _named(self, rows: list[Mapping[str, Any]]) -> dict[int, dict[str, Any]]:
        """Row number → slug → cell, without empty cells."""
        slugs: dict[str, str] = {}
        for name in dict.fromkeys(name for row in rows for name in row):
            slug = self._slug_of(name)
            if slug is None:
                known = [*self.object_definition.schema.by_slug, *ATTRIBUTES]
                text = f"{self.object_definition} has no field “{name}”.{suggestion(name, known)}"
                self.errors.append(RowError(1, name, text))
            elif slug in slugs.values():
                self.errors.append(RowError(1, name, f"Two columns are meant for “{slug}”."))
            else:
                slugs[name] = slug
        return {
            number: {
                slugs[name]: cell
                for name, cell in row.items()
                if name in slugs
                and not (cell is None or (isinstance(cell, str) and not cell.strip()))
            }
            for number, row in enumerate(rows, FIRST_ROW)
        }

    def _slug_of(self, name: str) -> str | None:
        fields = self.object_definition.schema.by_slug
        if name in fields or name in ATTRIBUTES:
            return name
        wanted = name.strip().casefold()
        for slug, definition in fields.items():
            if wanted in (slug, definition.label.casefold()):
                return slug
        return wanted if wanted in ATTRIBUTES else None

    def _resolve(self, slug: str, kind: Reference, definition: FieldDefinition) -> None:
        """Names become ids, and ids are looked up: two queries for a whole column."""
        cells = {str(row[slug]).strip() for row in self.rows.values() if slug in row}
        if not cells:
            return
        ids = {cell for cell in cells if kind.fits(cell, definition)}
        missing = kind.missing(ids, definition)
        names = {cell for cell in cells - ids if "\x00" not in cell and len(cell) <= MAX_NAME}
        found = kind.find(definition, names)
        for number, row in self.rows.items():
            if slug not in row:
                continue
            cell = str(row[slug]).strip()
            matches = [cell] if cell in ids - missing else found.get(cell, [])
            if len(matches) == 1:
                row[slug] = matches[0]
                continue
            problem = "There is no" if not matches else "There are several of the name"
            self._refuse(number, slug, f"{problem} {kind.noun} “{cell[:60]}”.")
            del row[slug]

    def _record(
        self, number: int, row: dict[str, Any], owner: User | None, defaults: Mapping[str, Any]
    ) -> Record | None:
        stage = str(row.pop("stage", self.object_definition.schema.first_stage))
        cleaned, errors = self._clean(row)
        data = {**{slug: copy_value(value) for slug, value in defaults.items()}, **cleaned}
        errors |= check_stage(self.object_definition, stage)
        if self.state != RecordState.DRAFT:
            failed: dict[str, list[str]] = {slug: [] for slug in self.failed.get(number, ())}
            errors |= missing_values(self.object_definition, data, {**errors, **failed})
        for slug, texts in errors.items():
            self._refuse(number, slug, " ".join(texts))
        if errors:
            return None
        return Record(
            object=self.object_definition, data=data, stage=stage, owner=owner, state=self.state
        )

    def _clean(self, row: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, list[str]]]:
        values: dict[str, Any] = {}
        errors: dict[str, list[str]] = {}
        for slug, cell in row.items():
            definition = self.object_definition.schema.by_slug[slug]
            try:
                is_text = isinstance(cell, str)
                values[slug] = kind_of(definition).read_text(cell, definition) if is_text else cell
            except ValidationError as error:
                errors[slug] = error.messages
        cleaned, wrong = clean_values(self.object_definition, values, look_up=False)
        return cleaned, {**errors, **wrong}

    def _check_unique(self, records: Mapping[int, Record]) -> None:
        """Values that must be unique: against each other, and against those that are there."""
        for definition in self.object_definition.schema.unique_fields:
            kind = kind_of(definition)
            keys = {
                number: kind.unique_key(record.data[definition.slug])
                for number, record in records.items()
                if not kind.is_empty(record.data[definition.slug])
            }
            taken = holders_of(definition, keys.values())
            times = Counter(keys.values())
            for number, key in keys.items():
                if key in taken:
                    text = f"“{taken[key]}” has this value already; it must be unique."
                    self._refuse(number, definition.slug, text)
                elif times[key] > 1:
                    text = f"{times[key]} rows have this value; it must be unique."
                    self._refuse(number, definition.slug, text)

    def _refuse(self, row: int, slug: str, message: str) -> None:
        self.errors.append(RowError(row, slug, message))
        self.failed.setdefault(row, []).append(slug)


def column_names(object_definition: ObjectDefinition) -> Collection[str]:
    """The columns an import understands, as a template for the file."""
    return [*object_definition.schema.by_slug, *ATTRIBUTES]
