"""What expressions see of an event, and the default payload."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import transaction

from records.actors import acting
from records.eventtypes import event_names, has_record
from records.expressions import ExpressionError, evaluate, evaluate_condition, render_text
from records.models import Event, FieldDefinition, ObjectDefinition, Record, Stage, User
from webhooks.names import Names
from webhooks.payloads import context_of, default_payload
from webhooks.samples import MADE_UP, Samples

pytestmark = pytest.mark.django_db

MOMENT = datetime(2025, 1, 15, 10, 30, tzinfo=UTC)


@pytest.fixture
def leads() -> ObjectDefinition:
    leads = ObjectDefinition.objects.create(slug="leads", name="Lead", plural="Leads")
    for slug, kind in (("name", "text"), ("email", "email"), ("value", "currency")):
        FieldDefinition.objects.create(object=leads, slug=slug, label=slug.title(), kind=kind)
    for slug in ("new", "won"):
        Stage.objects.create(object=leads, slug=slug, label=slug.title())
    return ObjectDefinition.objects.get(pk=leads.pk)


@pytest.fixture
def jane(leads: ObjectDefinition) -> Record:
    return Record.objects.create(
        object=leads, data={"name": "Jane Smith", "value": 1500.5}, stage="new"
    )


def last_event(change: str) -> Event:
    event = Event.objects.filter(type=change).order_by("-id").first()
    assert event is not None
    event.created_at = MOMENT
    return event


def test_the_default_payload_of_a_creation(jane: Record) -> None:
    payload = default_payload(last_event("record.created"), "record.submitted")
    assert json.loads(json.dumps(payload)) == {
        "event": "record.submitted",
        "timestamp": "2025-01-15T10:30:00Z",
        "data": {
            "id": jane.pk,
            "object_id": "obj_def_leads",
            "field_values": {"name": "Jane Smith", "value": 1500.5},
            "stage": "new",
            "state": "submitted",
            "owner": None,
        },
    }


def test_the_default_payload_of_an_update_tells_what_was_before(jane: Record) -> None:
    jane.data["name"], jane.stage = "Jane Miller", "won"
    jane.save()
    payload = default_payload(last_event("record.updated"), "record.stage_changed")
    assert payload["data"]["field_values"]["name"] == "Jane Miller"
    assert payload["previous"]["field_values"]["name"] == "Jane Smith"
    assert (payload["data"]["stage"], payload["previous"]["stage"]) == ("won", "new")


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("record.name", "Jane Smith"),
        ("record.value + 1", 1501.5),
        ("record.email", None),
        ("record.object_id", "obj_def_leads"),
        ("previous.stage", None),
        ("previous.stage != record.stage", True),
        ("previous.name", None),
        ("object.slug", "leads"),
        ("actor.name", None),
        ("event.name", "record.created"),
        ("event.changed", []),
        ("now == event.created_at", True),
    ],
)
def test_names_of_a_new_record(jane: Record, source: str, expected: Any) -> None:
    context = context_of(last_event("record.created"), "record.created")
    assert evaluate(source, context) == expected


def test_an_unknown_field_is_an_error_that_names_the_object(jane: Record) -> None:
    context = context_of(last_event("record.created"), "record.created")
    with pytest.raises(ExpressionError, match="Leads has no field `nmae`; did you mean `name`"):
        render_text("{{ record.nmae }}", context)
    with pytest.raises(ExpressionError, match="Leads has no field `nmae`"):
        render_text("{{ previous.nmae }}", context)


def test_the_actor_is_who_did_it(leads: ObjectDefinition) -> None:
    ada = User.objects.create_user("ada", email="ada@example.com")
    with acting(ada), transaction.atomic():
        Record.objects.create(object=leads, data={})
    context = context_of(last_event("record.created"), "record.created")
    assert render_text("{{ actor.username }} {{ actor.email }}", context) == "ada ada@example.com"


def test_without_a_user_the_actor_may_have_a_name(leads: ObjectDefinition) -> None:
    with acting(None, label="Import"), transaction.atomic():
        Record.objects.create(object=leads, data={})
    context = context_of(last_event("record.created"), "record.created")
    assert render_text("{{ actor.name }}{{ actor.email }}", context) == "Import"


def test_a_deleted_record_is_still_told_of(jane: Record) -> None:
    Record.objects.filter(pk=jane.pk).delete()
    event = last_event("record.deleted")
    context = context_of(event, "record.deleted")
    assert evaluate("record.name", context) == "Jane Smith"
    assert evaluate("record.id", context) == jane.pk
    assert default_payload(event, "record.deleted")["data"]["id"] == jane.pk


def test_other_events_have_a_subject() -> None:
    user = User.objects.create_user("ada", password="x", email="ada@example.com")
    event = last_event("user.created")
    context = context_of(event, "user.created")
    assert evaluate("subject.username", context) == "ada"
    assert evaluate("previous.username", context) is None
    assert evaluate("object.slug", context) is None
    assert default_payload(event, "user.created")["data"]["id"] == user.pk
    assert "password" not in json.dumps(default_payload(event, "user.created"))


@pytest.mark.parametrize("name", event_names())
def test_every_event_has_a_made_up_example_whose_names_are_all_known(
    leads: ObjectDefinition, name: str
) -> None:
    admin = User.objects.create_superuser("admin")
    definition = leads if has_record(name) else None
    event = Samples(admin, name, definition).get(MADE_UP).event
    context = context_of(event, name)
    json.dumps(default_payload(event, name))
    names = Names(name, definition)
    known = names.known()
    assert set(context) == set(known)
    for root, attributes in known.items():
        if attributes is not None:
            assert set(context[root]) == attributes, root
    for group in names.groups():
        for each in group.names:
            evaluate_condition(each.path, context)
