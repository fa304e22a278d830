"""Events of objects, their fields and stages: what an administrator defines."""

import pytest
from django.db import transaction

from records.actors import acting
from records.models import FieldDefinition, ObjectDefinition, Stage
from tests.records.making import (
    NewEvents,
    add_field,
    make_object,
    make_user,
    rolled_back,
)

pytestmark = pytest.mark.django_db


def test_an_object_is_created_updated_deleted_and_restored() -> None:
    ada = make_user()
    new = NewEvents()
    with acting(ada):
        leads = ObjectDefinition.objects.create(slug="leads", name="Lead", plural="Leads")
        leads.description = "People"
        leads.save()
        leads.deleted_at = leads.updated_at
        leads.save()
        leads.deleted_at = None
        leads.save()
    created, updated, deleted, restored = new.list()
    assert {event.subject_id for event in new.list()} == {"obj_def_leads"}
    assert {event.actor for event in new.list()} == {ada}
    assert {event.object for event in new.list()} == {leads}
    assert (created.type, created.before, created.after["name"]) == ("object.created", None, "Lead")
    assert (updated.type, updated.changed) == ("object.updated", ["description"])
    assert (updated.before["description"], updated.after["description"]) == ("", "People")
    assert (deleted.type, deleted.before["plural"], deleted.after) == (
        "object.deleted",
        "Leads",
        None,
    )
    assert (restored.type, restored.before, restored.after["plural"]) == (
        "object.restored",
        None,
        "Leads",
    )


def test_fields_and_stages_are_parts_of_their_object() -> None:
    leads = make_object()
    new = NewEvents()
    field = add_field(leads, "city")
    field.label = "Town"
    field.save()
    field.delete()
    leads.stages.get(slug="won").delete()
    assert [event.changed for event in new.list()] == [["fields.city"]] * 3 + [["stages.won"]]
    added, renamed, removed, _ = new.list()
    assert "city" not in added.before["fields"]
    assert renamed.before["fields"]["city"]["label"] == "City"
    assert renamed.after["fields"]["city"]["label"] == "Town"
    assert "city" not in removed.after["fields"]


def test_one_transaction_is_one_event() -> None:
    leads = make_object()
    new = NewEvents()
    with transaction.atomic():
        leads.name = "Prospect"
        leads.save()
        add_field(leads, "city")
        field = leads.fields.get(slug="email")
        field.label = "Mail"
        field.save()
        Stage.objects.create(object=leads, slug="lost", label="Lost", position=9)
    event = new.one()
    assert event.type == "object.updated"
    assert event.changed == ["name", "fields.email", "fields.city", "stages.lost"]
    with transaction.atomic():
        deals = make_object("deals")
    assert len(new.list()) == 2
    created = new.list()[1]
    assert (created.type, list(created.after["fields"])) == (
        "object.created",
        ["name", "email", "amount"],
    )
    assert created.object == deals


def test_what_a_transaction_takes_back_is_not_told() -> None:
    leads = make_object()
    new = NewEvents()
    with transaction.atomic():
        add_field(leads, "city").delete()
    assert not new.list()


def test_a_savepoint_that_is_rolled_back_takes_its_part_of_the_story_along() -> None:
    leads = make_object()
    new = NewEvents()
    with transaction.atomic():
        with rolled_back():
            add_field(leads, "city")
        add_field(leads, "town")
    event = new.one()
    assert event.changed == ["fields.town"]


def test_a_save_of_an_object_that_changes_nothing_is_not_told() -> None:
    leads = make_object()
    new = NewEvents()
    leads.save()
    leads.fields.get(slug="name").save()
    assert not new.list()


def test_an_object_deleted_for_good_is_told_with_its_fields() -> None:
    leads = make_object()
    new = NewEvents()
    leads.delete()
    event = new.one()
    assert (event.type, event.object, event.subject_id) == ("object.deleted", None, "obj_def_leads")
    assert list(event.before["fields"]) == ["name", "email", "amount"]


def test_fields_created_in_bulk_are_told_and_known() -> None:
    leads = make_object()
    known = leads.schema.by_slug
    new = NewEvents()
    FieldDefinition.objects.bulk_create(
        [FieldDefinition(object=leads, slug=slug, label=slug) for slug in ("x", "y")]
    )
    assert new.one().changed == ["fields.x", "fields.y"]
    assert set(leads.schema.by_slug) - set(known) == {"x", "y"}


def test_definitions_changed_in_bulk_are_told_and_known() -> None:
    leads = make_object()
    new = NewEvents()
    FieldDefinition.objects.filter(object=leads).update(required=True)
    assert new.one().changed == ["fields.email", "fields.amount"]
    stages = list(leads.stages.all())
    for stage in stages:
        stage.colour = "red"
    Stage.objects.bulk_update(stages, ["colour"])
    ObjectDefinition.objects.update(description="x")
    assert [event.changed for event in new.list()[1:]] == [
        ["stages.new", "stages.won"],
        ["description"],
    ]
    leads.refresh_from_db()
    assert all(field.required for field in leads.schema.fields)


def test_an_object_saved_from_an_old_copy_does_not_bring_old_fields_back() -> None:
    leads = make_object()
    old = ObjectDefinition.objects.get(pk=leads.pk)
    old.schema  # noqa: B018  (read into the cache)
    add_field(leads, "city")
    old.save()
    assert "city" in ObjectDefinition.objects.get(pk=leads.pk).schema.by_slug
