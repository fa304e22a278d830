"""Values that are ids: of a user, of another record, of an uploaded file."""

from collections.abc import Collection, Mapping
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.db.models.functions import Lower

from records.fieldkinds.base import Kind
from records.ids import decode
from records.models.files import Upload
from records.models.objects import FieldDefinition, ObjectDefinition
from records.models.people import User
from records.models.records import Record

# A list of choices longer than this is searched, not scrolled.
MAX_OFFERED = 50
# One statement names at most so many ids: well under SQLite's limit of variables.
_CHUNK = 2000


class Reference(Kind):
    """The id of something else. Whether that exists is asked by `missing`, for many values at once."""

    refers = True
    prefix = ""
    noun = ""

    def clean(self, value: Any, field: FieldDefinition) -> str | None:
        if self.is_empty(value):
            return None
        value = getattr(value, "pk", value)
        try:
            decode(self.prefix, str(value).strip())
        except ValueError:
            raise ValidationError(
                f"“{str(value)[:50]}” is not the id of a {self.noun} ({self.prefix}_…)."
            ) from None
        return str(value).strip()

    def rows(self, field: FieldDefinition) -> QuerySet[Any]:
        """What the field may refer to."""
        raise NotImplementedError

    def all_rows(self, field: FieldDefinition) -> QuerySet[Any]:
        """What the field may have referred to once: it still has a name."""
        return self.rows(field)

    def missing(self, ids: Collection[str], field: FieldDefinition) -> set[str]:
        found: set[str] = set()
        for chunk in _chunks(ids):
            found.update(self.rows(field).filter(pk__in=chunk).values_list("pk", flat=True))
        return set(ids) - found

    def labels(self, ids: Collection[str], field: FieldDefinition) -> dict[str, str]:
        rows: dict[str, str] = {}
        valid = [value for value in ids if self.fits(value, field)]
        for chunk in _chunks(valid):
            rows.update((row.pk, str(row)) for row in self.all_rows(field).filter(pk__in=chunk))
        return rows

    def search(self, field: FieldDefinition, query: str) -> QuerySet[Any]:
        """What the field may refer to and a text leads to."""
        raise NotImplementedError

    def find(self, field: FieldDefinition, texts: Collection[str]) -> dict[str, list[str]]:
        """Ids by the names that people write in a table; several where a name is not one thing's alone."""
        return {}

    def widget(self, field: FieldDefinition) -> forms.Widget:
        return forms.Select()


class UserReference(Reference):
    """A user of this installation who may log in."""

    prefix = "user"
    noun = "user"

    def rows(self, field: FieldDefinition) -> QuerySet[Any]:
        return self.all_rows(field).filter(is_active=True)

    def all_rows(self, field: FieldDefinition) -> QuerySet[Any]:
        return QuerySet(User)

    def search(self, field: FieldDefinition, query: str) -> QuerySet[Any]:
        found = self.rows(field).order_by("first_name", "last_name", "username")
        for word in query.split()[:5]:
            found = found.filter(
                Q(username__icontains=word)
                | Q(first_name__icontains=word)
                | Q(last_name__icontains=word)
                | Q(email__icontains=word)
            )
        return found

    def find(self, field: FieldDefinition, texts: Collection[str]) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for chunk in _chunks(texts):
            rows = self.rows(field).filter(Q(username__in=chunk) | Q(email__in=chunk))
            for row in rows:
                for name in {row.username, row.email}:
                    found.setdefault(name, []).append(row.pk)
        return found


class Link(Reference):
    """A record of another object (or of the same): the one whose slug is in `object`."""

    prefix = "rec"
    noun = "record"
    option_names = ("object",)

    def rows(self, field: FieldDefinition) -> QuerySet[Any]:
        return self.all_rows(field).filter(deleted_at=None)

    def all_rows(self, field: FieldDefinition) -> QuerySet[Any]:
        return Record.objects.filter(object__slug=field.options.get("object", "")).only(
            "id", "title"
        )

    def search(self, field: FieldDefinition, query: str) -> QuerySet[Any]:
        found = self.rows(field).order_by(Lower("title"), "id")
        for word in query.split()[:5]:
            found = found.filter(title__icontains=word)
        return found

    def find(self, field: FieldDefinition, texts: Collection[str]) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for chunk in _chunks(texts):
            for pk, title in self.rows(field).filter(title__in=chunk).values_list("pk", "title"):
                found.setdefault(title, []).append(pk)
        return found

    def clean_options(self, options: Mapping[str, Any]) -> dict[str, Any]:
        slug = str(options.get("object") or "").removeprefix("obj_def_")
        if not slug:
            raise ValidationError("object: say to which object the link leads.")
        if not ObjectDefinition.objects.filter(slug=slug).exists():
            raise ValidationError(f"object: there is no object “{slug}”.")
        return {"object": slug}


class File(Reference):
    """An uploaded file."""

    prefix = "file"
    noun = "file"

    def rows(self, field: FieldDefinition) -> QuerySet[Any]:
        return Upload.objects.all()

    def search(self, field: FieldDefinition, query: str) -> QuerySet[Any]:
        return Upload.objects.none()  # files are uploaded, not picked

    def widget(self, field: FieldDefinition) -> forms.Widget:
        return forms.FileInput()


def _chunks(values: Collection[str]) -> list[list[str]]:
    listed = sorted(set(values))
    return [listed[start : start + _CHUNK] for start in range(0, len(listed), _CHUNK)]
