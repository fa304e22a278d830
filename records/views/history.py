"""A record's history: its events, told in sentences."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from records.eventtypes import label_of
from records.models import Event, ObjectDefinition, Record, RecordState, User
from records.pages import BadCursorError, Cursor, Order, Page, get_page
from records.texts import Labels
from records.views.sentences import mark_of, people_in, sentence_of

PAGE_SIZE: Final = 15
# A long text that changed is recognised by its beginning.
MAX_SHOWN: Final = 300

_ORDER: Final = Order("when", "When", descending=True)
_STATES: Final = dict(RecordState.choices)


@dataclass(frozen=True, slots=True)
class Change:
    """One value that changed, as people read it; empty where there was or is none."""

    label: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One event: who did what, when, and what changed."""

    actor: str
    what: str
    when: datetime
    icon: str
    tone: str  # "", "good" or "bad"
    changes: list[Change]
    run_id: str | None


class History:
    """The history of one record, a page of it."""

    def __init__(self, record: Record, cursor: str = "") -> None:
        self.record = record
        self.page = _page(record, cursor)
        self.entries = entries_of(record.object, self.page.rows)


def _page(record: Record, cursor: str) -> Page:
    events = Event.objects.filter(record=record).select_related("actor")
    try:
        position = Cursor.decode(cursor, _ORDER, prefix="evt") if cursor else None
    except BadCursorError:
        position = None
    return get_page(events, _ORDER, position, PAGE_SIZE)


def entries_of(object_definition: ObjectDefinition, events: Sequence[Event]) -> list[Entry]:
    """Events about records of one object as entries; one look-up for each field that refers to something."""
    teller = _Teller(object_definition, events)
    return [teller.entry(event) for event in events]


class _Teller:
    def __init__(self, object_definition: ObjectDefinition, events: Sequence[Event]) -> None:
        self.schema = object_definition.schema
        snapshots = [shot for event in events for shot in (event.before, event.after) if shot]
        self.labels = Labels(self.schema.fields, (shot.get("data") for shot in snapshots))
        owners = {owner for shot in snapshots if (owner := shot.get("owner"))}
        people = {pk for event in events for pk in people_in(event)}
        self.users = {user.pk: str(user) for user in _users(owners | people)}

    def entry(self, event: Event) -> Entry:
        icon, tone = _mark(event)
        return Entry(
            actor=str(event.actor) if event.actor else event.actor_label or "Signalbox",
            what=self.sentence(event),
            when=event.created_at,
            icon=icon,
            tone=tone,
            changes=self.changes(event),
            run_id=event.run_id,
        )

    def sentence(self, event: Event) -> str:
        """What was done: “moved this from New to Contacted and changed 2 fields”."""
        if event.type == "record.created":
            return _CREATED.get(_of(event.after, "state"), "created this")
        if event.type != "record.updated":
            other = sentence_of(event, self.users)
            return other or _SENTENCES.get(event.type, label_of(event.type))
        parts = []
        state = (_of(event.before, "state"), _of(event.after, "state"))
        if state[0] != state[1]:
            parts.append(_MOVES.get(state, f"made this {_STATES.get(state[1], state[1]).lower()}"))
        if "stage" in event.changed:
            old, new = self.stage(event.before), self.stage(event.after)
            parts.append(f"moved this from {old} to {new}" if old else f"moved this to {new}")
        if "owner" in event.changed:
            owner = self.user(event.after)
            parts.append(f"made {owner} the owner" if owner else "took the owner away")
        fields = [name for name in event.changed if name not in ("stage", "state", "owner")]
        if fields:
            parts.append(self.field_part(fields, draft=state[1] == RecordState.DRAFT))
        return " and ".join(parts) or "changed this"

    def field_part(self, names: Sequence[str], *, draft: bool) -> str:
        what = f"{len(names)} fields" if len(names) > 1 else self.label(names[0])
        return f"saved the draft, {what} changed" if draft else f"changed {what}"

    def changes(self, event: Event) -> list[Change]:
        old, new = _of(event.before, "data") or {}, _of(event.after, "data") or {}
        if event.type != "record.updated":
            return []
        changes = []
        for name in event.changed:
            field = self.schema.by_slug.get(name)
            if field:
                texts = [self.labels.text(field, values.get(name)) for values in (old, new)]
            elif name in ("stage", "state", "owner"):
                continue
            else:  # a field that the object no longer has
                texts = ["" if v.get(name) is None else str(v[name]) for v in (old, new)]
            changes.append(Change(self.label(name), *(_short(text) for text in texts)))
        return changes

    def label(self, name: str) -> str:
        field = self.schema.by_slug.get(name)
        return field.label if field else name

    def stage(self, snapshot: Any) -> str:
        slug = str(_of(snapshot, "stage") or "")
        return self.schema.stage_labels.get(slug, slug)

    def user(self, snapshot: Any) -> str:
        owner = _of(snapshot, "owner")
        return self.users.get(owner, "a deleted user") if owner else ""


_CREATED: Final = {
    "draft": "started this as a draft",
    "submitted": "created this",
    "closed": "created this, closed",
}
_MOVES: Final = {
    ("draft", "submitted"): "submitted this",
    ("submitted", "closed"): "closed this",
    ("draft", "closed"): "closed this draft",
    ("closed", "submitted"): "reopened this",
}
_SENTENCES: Final = {
    "record.deleted": "deleted this",
    "record.restored": "restored this",
    "record.quarantined": "put this in quarantine",
    "record.released": "released this from quarantine",
    "record.due": "noticed that a date is reached",
    "record.clicked": "ran an automation by hand",
}
_MARKS: Final = {
    "record.created": ("add", "good"),
    "record.deleted": ("delete", "bad"),
    "record.restored": ("restore_from_trash", "good"),
    "record.quarantined": ("gpp_maybe", "bad"),
    "record.released": ("gpp_good", "good"),
    "record.due": ("event_upcoming", ""),
    "record.clicked": ("play_arrow", ""),
}


def _mark(event: Event) -> tuple[str, str]:
    """Icon and tone."""
    if mark := _MARKS.get(event.type) or mark_of(event):
        return mark
    before, after = _of(event.before, "state"), _of(event.after, "state")
    if before != after:
        return ("send", "good") if after == "submitted" else ("task_alt", "good")
    if event.changed == ["stage"]:
        return "arrow_forward", "good"
    return "edit", ""


def _of(snapshot: Any, name: str) -> Any:
    return snapshot.get(name) if isinstance(snapshot, dict) else None


def _users(ids: Iterable[str]) -> Sequence[User]:
    wanted = set(ids)
    return list(User.objects.filter(pk__in=wanted)) if wanted else []


def _short(text: str) -> str:
    return text if len(text) <= MAX_SHOWN else text[: MAX_SHOWN - 1] + "…"
