"""Forms built from the fields of an object."""

from collections.abc import Mapping
from typing import Any, Literal, cast

from django import forms
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.forms.widgets import FILE_INPUT_CONTRADICTION
from django.urls import reverse
from django.utils.html import escape

from records.exceptions import InvalidData, RecordsError
from records.fieldkinds import MAX_OFFERED, Reference, kind_of
from records.fieldkinds.base import raw_text
from records.models import (
    FieldDefinition,
    FieldKind,
    ObjectDefinition,
    Record,
    RecordState,
    Upload,
    User,
)
from records.models.tracking import same
from records.services import create_record, update_record
from records.validation import REQUIRED

Action = Literal["draft", "submit", "save"]

MAX_UPLOAD_BYTES = 25 * 1024 * 1024
NO_LONGER_OFFERED = "(no longer offered)"


class DefinedField(forms.Field):
    """The form field of one defined field: its kind shows, reads and checks the values."""

    def __init__(self, definition: FieldDefinition, stored: Any, **kwargs: Any) -> None:
        self.definition = definition
        self.kind = kind_of(definition)
        self.stored = stored
        super().__init__(**kwargs)

    def prepare_value(self, value: Any) -> Any:
        return value

    def clean(self, value: Any) -> Any:
        """The JSON to store. What was not touched is left as it is, also when it would not fit any more."""
        if self.is_untouched(value):
            return self.stored
        if isinstance(value, str):
            value = self.kind.read_text(value, self.definition)
        cleaned = self.kind.clean(value, self.definition)
        if self.kind.refers and cleaned and self.kind.missing([cleaned], self.definition):
            raise ValidationError("There is nothing (any more) that this choice stands for.")
        return cleaned

    def is_untouched(self, value: Any) -> bool:
        shown = self.kind.to_input(self.stored, self.definition)
        if isinstance(value, str) and isinstance(shown, str):
            return _plain(value) == _plain(shown)
        return same(value, shown)

    def has_changed(self, initial: Any, data: Any) -> bool:
        return not self.is_untouched(data)


class RawField(DefinedField):
    """A value that no longer fits its field: shown as it is, and kept until somebody edits it."""

    def is_untouched(self, value: Any) -> bool:
        return isinstance(value, str) and _plain(value) == _plain(raw_text(self.stored))


class StoredFile:
    """What the file input shows of a file that is there: its name, and where to get it."""

    def __init__(self, name: str, url: str) -> None:
        self.name = name
        self.url = url

    def __str__(self) -> str:
        return self.name


class UploadField(DefinedField):
    """A file: the stored one stays unless another is chosen or it is removed."""

    def clean(self, value: Any) -> Any:
        if value is None:
            return self.stored
        if value is FILE_INPUT_CONTRADICTION:
            raise ValidationError("Either choose another file or remove this one, not both.")
        if value is False:
            return None
        if value.size > MAX_UPLOAD_BYTES:
            raise ValidationError(
                f"The file has {value.size / 1_048_576:.1f} MB;"
                f" at most {MAX_UPLOAD_BYTES // 1_048_576} MB are kept."
            )
        return value

    def is_untouched(self, value: Any) -> bool:
        return value is None


class BaseRecordForm(forms.Form):
    """Made by `record_form`. `save` raises InvalidData and StaleRecord as the services do."""

    version = forms.IntegerField(widget=forms.HiddenInput, required=False)

    def __init__(
        self,
        object_definition: ObjectDefinition,
        *args: Any,
        instance: Record | None,
        user: User | None,
        draft: bool,
        **kwargs: Any,
    ) -> None:
        # A draft is not held back by the browser either.
        super().__init__(*args, **{"use_required_attribute": not draft, **kwargs})
        self.object_definition = object_definition
        self.instance = instance
        self.user = user
        self.draft = draft
        self.initial["version"] = instance.version if instance else None
        for definition in object_definition.schema.fields:
            stored = _stored(definition, instance)
            self.fields[definition.slug] = _form_field(definition, stored)
            self.initial[definition.slug] = self._shown(definition.slug)

    def _shown(self, slug: str) -> Any:
        field = self.defined_field(slug)
        if isinstance(field, RawField):
            return raw_text(field.stored)
        if isinstance(field, UploadField):
            return _stored_file(field.definition, self.instance)
        return field.kind.to_input(field.stored, field.definition)

    def defined_field(self, slug: str) -> DefinedField:
        return cast(DefinedField, self.fields[slug])

    def defined_fields(self) -> list[forms.BoundField]:
        """The fields of the object, in order, without the hidden ones."""
        return [self[definition.slug] for definition in self.object_definition.schema.fields]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if not self.draft:
            for definition in self.object_definition.schema.fields:
                if (
                    definition.required
                    and definition.slug in cleaned
                    and kind_of(definition).is_empty(cleaned[definition.slug])
                ):
                    self.add_error(definition.slug, REQUIRED)
        return cleaned

    def changed_values(self) -> dict[str, Any]:
        """slug → value in its stored form (or an uploaded file), of the fields that were edited."""
        values = {}
        for definition in self.object_definition.schema.fields:
            field = self.defined_field(definition.slug)
            value = self.cleaned_data[definition.slug]
            if self.instance is None or not same(value, field.stored):
                values[definition.slug] = value
        return values

    def save(
        self, action: Action = "save", *, stage: str | None = None, owner: User | None = None
    ) -> Record:
        """Save through the services: as a draft, submitting a draft, or keeping the state as it is.

        A new record belongs to `owner`, or to the form's user. Errors that only the database can know
        (a unique value that is taken) are also added beside their fields.
        """
        uploads: list[Upload] = []
        try:
            with transaction.atomic():
                values = self._with_uploads(self.changed_values(), uploads)
                if self.instance is None:
                    return self._create(values, action, stage, owner or self.user)
                return self._update(self.instance, values, action, stage)
        except RecordsError as error:
            for upload in uploads:  # the rows are gone with the transaction
                upload.file.storage.delete(str(upload.file.name))
            if isinstance(error, InvalidData):
                self.add_errors(error)
            raise

    def add_errors(self, error: InvalidData) -> None:
        """Put messages beside their fields; those of no field above the form."""
        for name, texts in error.errors.items():
            self.add_error(name if name in self.fields else None, texts)

    def _create(
        self, values: Mapping[str, Any], action: Action, stage: str | None, owner: User | None
    ) -> Record:
        state = RecordState.DRAFT if action == "draft" else RecordState.SUBMITTED
        return create_record(
            object_definition=self.object_definition,
            data=values,
            state=state,
            stage=stage,
            owner=owner,
        )

    def _update(
        self, record: Record, values: Mapping[str, Any], action: Action, stage: str | None
    ) -> Record:
        submits = action == "submit" and record.state == RecordState.DRAFT
        return update_record(
            record=record,
            expected_version=self.cleaned_data.get("version") or record.version,
            data=values,
            stage=stage,
            state=RecordState.SUBMITTED if submits else None,
        )

    def _with_uploads(self, values: Mapping[str, Any], uploads: list[Upload]) -> dict[str, Any]:
        """The values with stored files in place of uploaded ones."""
        stored = dict(values)
        for slug, value in values.items():
            if isinstance(value, UploadedFile):
                uploads.append(save_upload(value, self.user))
                stored[slug] = uploads[-1].pk
        return stored


def record_form(
    object_definition: ObjectDefinition,
    *,
    instance: Record | None = None,
    data: Any = None,
    files: Any = None,
    user: User | None = None,
    draft: bool = False,
) -> BaseRecordForm:
    """The form of a new record, or of `instance`. `draft`: required fields may stay empty."""
    return BaseRecordForm(object_definition, data, files, instance=instance, user=user, draft=draft)


def choices_for(field: FieldDefinition, query: str = "") -> list[tuple[str, str]]:
    """(id, label) of what a user, link or file field may refer to; the first ones that a text leads to."""
    kind = kind_of(field)
    if not isinstance(kind, Reference):
        return []
    query = query.replace("\x00", "")[:100]
    return [(row.pk, str(row)) for row in kind.search(field, query)[:MAX_OFFERED]]


def save_upload(file: "UploadedFile[Any]", user: User | None) -> Upload:
    """Keep an uploaded file. The stored file's name is its id alone; the name given is for people."""
    upload = Upload(
        name=_file_name(file.name or ""),
        size_bytes=file.size or 0,
        content_type=(file.content_type or "")[:120],
        uploaded_by=user,
    )
    upload.file.save(upload.name, file, save=False)
    upload.save(force_insert=True)
    return upload


def _file_name(name: str) -> str:
    name = name.replace("\x00", "").encode(errors="replace").decode()
    stem, dot, extension = name.rpartition(".")
    return name if len(name) <= 255 else f"{stem[: 254 - len(extension)]}{dot}{extension}"[:255]


def _stored(definition: FieldDefinition, instance: Record | None) -> Any:
    kind = kind_of(definition)
    if instance is None:
        return kind.default_for(definition)
    return instance.data.get(definition.slug, kind.empty)


def _form_field(definition: FieldDefinition, stored: Any) -> DefinedField:
    kind = kind_of(definition)
    options: dict[str, Any] = {
        "label": definition.label,
        # Forms take help as HTML; what an administrator wrote is text.
        "help_text": escape(definition.help_text),
        # For the mark and the browser; the form itself checks it, so that a draft can do without.
        "required": definition.required,
    }
    made: type[DefinedField] = DefinedField
    if definition.kind == FieldKind.FILE:
        widget: forms.Widget = forms.ClearableFileInput()
        made = UploadField
    elif not _can_show(definition, stored):
        widget, made = forms.TextInput(), RawField
        options["help_text"] = (
            f"This value does not fit the field (any more). It stays until you change it. "
            f"{escape(definition.help_text)}".strip()
        )
    else:
        widget = kind.widget(definition)
        _offer_choices(widget, definition, stored)
    return made(definition, stored, widget=widget, **options)


def _can_show(definition: FieldDefinition, stored: Any) -> bool:
    """Whether the kind's own widget can show the value; a retired choice is shown among the choices."""
    if definition.kind == FieldKind.CHOICE:
        return stored is None or isinstance(stored, str)
    if definition.kind == FieldKind.MULTI_CHOICE:
        return stored is None or (
            isinstance(stored, list) and all(isinstance(item, str) for item in stored)
        )
    return kind_of(definition).fits(stored, definition)


def _offer_choices(widget: forms.Widget, definition: FieldDefinition, stored: Any) -> None:
    """What a select offers: for references the first ones and the current one; for choices also retired ones."""
    if not isinstance(widget, forms.widgets.ChoiceWidget):
        return
    kind = kind_of(definition)
    values = [value for value in (stored if isinstance(stored, list) else [stored]) if value]
    if isinstance(kind, Reference):
        offered = choices_for(definition)
        labels = kind.labels(values, definition)
        known = {value for value, _ in offered}
        gone = [(value, labels.get(value, value)) for value in values if value not in known]
        widget.choices = [("", "—"), *gone, *offered]
        if len(offered) == MAX_OFFERED:
            widget.attrs["data-search-field"] = str(definition.pk)
    else:
        known = {value for value, _ in widget.choices}
        retired = [(v, f"{v} {NO_LONGER_OFFERED}") for v in values if v not in known]
        widget.choices = [*widget.choices, *retired]


def _stored_file(definition: FieldDefinition, instance: Record | None) -> StoredFile | None:
    stored = instance.data.get(definition.slug) if instance else None
    if instance is None or not isinstance(stored, str):
        return None
    labels = kind_of(definition).labels([stored], definition)
    return StoredFile(labels.get(stored, stored), reverse("file_download", args=[stored]))


def _plain(text: str) -> str:
    return text.strip().replace("\r\n", "\n")
