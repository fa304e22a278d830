"""Two edits of one record: what each changed, field by field, and saving what a person chose of both."""

from dataclasses import dataclass
from typing import Any, Final, cast

from django.core.files.uploadedfile import UploadedFile
from django.http import QueryDict

from records.forms import BaseRecordForm, record_form
from records.models import Event, FieldDefinition, Record
from records.models.tracking import same
from records.texts import Labels
from records.views.history import Entry, entries_of

CHOICE: Final = "choose."
# Further back nobody's edit was based; the default of a choice is then a guess.
MAX_EVENTS: Final = 50


@dataclass(frozen=True, slots=True)
class Row:
    """One field: both texts, whether they differ, who touched it, and what is chosen at first."""

    slug: str
    label: str
    mine: str
    theirs: str
    differs: bool
    note: str = ""
    chosen: str = ""  # "mine", "theirs", or empty: the person has to say
    is_upload: bool = False


class Conflict:
    """What a form wanted to write, beside the record as it is now."""

    def __init__(self, form: BaseRecordForm, current: Record) -> None:
        self.form = form
        self.current = current
        self.definition = form.object_definition
        events = self._events_since(form.cleaned_data.get("version"))
        self.entries: list[Entry] = entries_of(self.definition, events)
        self.base: dict[str, Any] = _data(events[-1].before) if events else {}
        self.rows = self._rows()

    @property
    def differing(self) -> list[Row]:
        return [row for row in self.rows if row.differs]

    @property
    def agreeing(self) -> list[Row]:
        return [row for row in self.rows if not row.differs]

    def carried(self) -> list[tuple[str, str]]:
        """What was posted, to be posted again: names and values of hidden inputs."""
        posted = cast(QueryDict, self.form.data)
        names = [field.slug for field in self.definition.schema.fields]
        names += [f"{name}-clear" for name in names]
        return [(name, value) for name in names for value in posted.getlist(name)]

    def _events_since(self, version: int | None) -> list[Event]:
        """The changes made since the form was opened, newest first: every version has one event."""
        count = self.current.version - (version or self.current.version)
        if count <= 0:
            return []
        events = Event.objects.filter(record=self.current, type="record.updated")
        return list(events.select_related("actor")[: min(count, MAX_EVENTS)])

    def _rows(self) -> list[Row]:
        mine = self.form.cleaned_data
        stored = {slug: v for slug, v in mine.items() if not isinstance(v, UploadedFile)}
        labels = Labels(self.definition.schema.fields, [stored, self.current.data])
        return [self._row(field, labels) for field in self.definition.schema.fields]

    def _row(self, field: FieldDefinition, labels: Labels) -> Row:
        mine, theirs = self.form.cleaned_data.get(field.slug), self.current.data.get(field.slug)
        if isinstance(mine, UploadedFile):
            note = "The file you chose is not kept here: choose it again after this."
            text = labels.text(field, theirs)
            return Row(
                field.slug, field.label, str(mine.name), text, True, note, "theirs", is_upload=True
            )
        differs = not same(mine, theirs)
        note, chosen = self._judge(field.slug, mine, theirs) if differs else ("", "")
        texts = labels.text(field, mine), labels.text(field, theirs)
        return Row(field.slug, field.label, *texts, differs, note, chosen)

    def _judge(self, slug: str, mine: Any, theirs: Any) -> tuple[str, str]:
        if not self.base:
            return "", ""
        base = self.base.get(slug)
        if same(base, mine):
            return "You did not touch this", "theirs"
        if same(base, theirs):
            return "Only you changed this", "mine"
        return "You both changed this", ""


def resolved_data(posted: QueryDict, record: Record) -> QueryDict:
    """What was posted, with the record's own values where “theirs” was chosen."""
    chosen = {
        name.removeprefix(CHOICE)
        for name in posted
        if name.startswith(CHOICE) and posted[name] != "mine"
    }
    if not chosen:
        return posted
    data = posted.copy()
    shown = record_form(record.object, instance=record).initial
    for slug in chosen & set(record.object.schema.by_slug):
        data.pop(slug, None)
        data.pop(f"{slug}-clear", None)
        value = shown.get(slug)
        if isinstance(value, list):
            data.setlist(slug, value)
        elif value not in (None, False, ""):
            data[slug] = "on" if value is True else str(value)
    return data


def _data(snapshot: Any) -> dict[str, Any]:
    found = snapshot.get("data") if isinstance(snapshot, dict) else None
    return found if isinstance(found, dict) else {}
