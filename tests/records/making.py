"""Objects and records for tests."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from django.db import transaction

from records.models import Event, FieldDefinition, ObjectDefinition, Record, Stage, User
from records.services import create_record


def make_object(
    slug: str = "leads", *fields: dict[str, Any], stages: str = "new won"
) -> ObjectDefinition:
    """An object with the given fields (default: a required name, an e-mail, an amount) and stages."""
    definition = ObjectDefinition.objects.create(
        slug=slug, name=slug.rstrip("s").title(), plural=slug.title()
    )
    given = fields or (
        {"slug": "name", "required": True},
        {"slug": "email", "kind": "email"},
        {"slug": "amount", "kind": "currency", "options": {"currency": "EUR"}},
    )
    for position, values in enumerate(given):
        add_field(definition, position=position, **values)
    for position, name in enumerate(stages.split()):
        Stage.objects.create(object=definition, slug=name, label=name.title(), position=position)
    return definition


def add_field(definition: ObjectDefinition, slug: str, **values: Any) -> FieldDefinition:
    values = {"label": slug.replace("_", " ").title(), "position": 99, **values}
    return FieldDefinition.objects.create(object=definition, slug=slug, **values)


def make_record(definition: ObjectDefinition, **data: Any) -> Record:
    return create_record(object_definition=definition, data=data or {"name": "Ada"})


def fresh(record: Record) -> Record:
    """The record as another request would load it."""
    return Record.objects.select_related("object").get(pk=record.pk)


def make_user(username: str = "ada", **values: Any) -> User:
    return User.objects.create_user(username, password="pw", **values)


def events_after(last: Event | None = None) -> list[Event]:
    """All events in order, or those after one."""
    events = Event.objects.order_by("id")
    return list(events if last is None else events.filter(pk__gt=last.pk))


@contextmanager
def rolled_back() -> Iterator[None]:
    """A transaction that is undone at its end."""

    class Undo(Exception):
        pass

    with suppress(Undo), transaction.atomic():
        yield
        raise Undo


class NewEvents:
    """The events written since this was made: `new = NewEvents(); …; new.types`."""

    def __init__(self) -> None:
        self.last = Event.objects.order_by("id").last()

    def list(self) -> "list[Event]":
        return events_after(self.last)

    @property
    def types(self) -> "list[str]":
        return [event.type for event in self.list()]

    def one(self) -> Event:
        found = self.list()
        assert len(found) == 1, [event.type for event in found]
        return found[0]
