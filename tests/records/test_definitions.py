"""Changing definitions: what is allowed, and what the form of an object makes of it."""

from typing import Any

import pytest
from django.core.exceptions import ValidationError

from records.exceptions import InvalidData
from records.models import FieldDefinition, ObjectDefinition, Stage, UniqueValue
from records.models.objects import RESERVED_FIELD_SLUGS
from records.services import delete_record
from tests.records.making import make_object, make_record

pytestmark = pytest.mark.django_db


def messages(instance: Any) -> dict[str, list[str]]:
    with pytest.raises(ValidationError) as caught:
        instance.full_clean()
    return caught.value.message_dict


@pytest.mark.parametrize("slug", sorted(RESERVED_FIELD_SLUGS))
def test_names_that_mean_something_else_in_expressions_are_reserved(slug: str) -> None:
    field = FieldDefinition(object=make_object(), slug=slug, label="X")
    assert messages(field)["slug"] == [
        f"`record.{slug}` has a meaning of its own; choose another name."
    ]


@pytest.mark.parametrize("slug", ["Name", "1st", "a-b", "a b", "a.b", "ä", "", "a\n"])
def test_names_that_expressions_cannot_say_are_refused(slug: str) -> None:
    assert "slug" in messages(FieldDefinition(object=make_object(), slug=slug, label="X"))


def test_a_field_is_renamed_only_while_there_are_no_records() -> None:
    leads = make_object()
    field = leads.fields.get(slug="email")
    field.slug = "mail"
    field.full_clean()
    make_record(leads)
    assert "keep that name" in messages(field)["slug"][0]
    leads.slug = "prospects"
    assert "keep that name" in messages(leads)["slug"][0]


def test_a_stage_is_renamed_only_while_no_record_is_in_it() -> None:
    leads = make_object()
    make_record(leads)
    new, won = leads.stages.get(slug="new"), leads.stages.get(slug="won")
    won.slug = "sold"
    won.full_clean()
    new.slug = "fresh"
    assert "keep it" in messages(new)["slug"][0]


@pytest.mark.parametrize(
    ("values", "field", "words"),
    [
        ({"kind": "choice"}, "options", "at least one choice"),
        ({"kind": "number", "options": {"mim": 1}}, "options", "Did you mean `min`"),
        ({"kind": "number", "options": [1]}, "options", "an object"),
        ({"kind": "number", "default": "x"}, "default", "“x” is none"),
        ({"kind": "boolean", "unique": True}, "unique", "cannot be unique"),
        ({"kind": "link", "options": {"object": "nowhere"}}, "options", "no object “nowhere”"),
        ({"kind": "link"}, "options", "to which object"),
        ({"kind": "nonsense"}, "kind", "not a valid choice"),
    ],
)
def test_a_definition_that_makes_no_sense_is_refused(
    values: dict[str, Any], field: str, words: str
) -> None:
    definition = FieldDefinition(object=make_object(), slug="x", label="X", **values)
    assert words in messages(definition)[field][0]


def test_options_are_kept_in_their_proper_form() -> None:
    field = FieldDefinition(
        object=make_object(), slug="x", label="X", kind="choice", options={"choices": ["a", 1]}
    )
    field.full_clean()
    assert field.options == {
        "choices": [{"value": "a", "label": "a"}, {"value": "1", "label": "1"}]
    }


def test_a_field_with_duplicates_does_not_become_unique() -> None:
    leads = make_object()
    for email in ("a@example.com", "A@example.com", "b@example.com", ""):
        make_record(leads, name="x", email=email)
    field = leads.fields.get(slug="email")
    field.unique = True
    assert messages(field)["unique"] == [
        "Records have the same value: “a@example.com” (2 times). Change them first."
    ]
    with pytest.raises(InvalidData, match="same value"):
        field.save()
    assert not FieldDefinition.objects.get(pk=field.pk).unique


def test_a_field_becomes_unique_for_the_records_there_are_and_ceases_to_be() -> None:
    leads = make_object()
    make_record(leads, name="x", email="a@example.com")
    delete_record(record=make_record(leads, name="y", email="a@example.com"))
    field = leads.fields.get(slug="email")
    field.unique = True
    field.full_clean()
    field.save()
    assert list(UniqueValue.objects.values_list("value", flat=True)) == ["a@example.com"]
    leads = ObjectDefinition.objects.get()
    with pytest.raises(InvalidData):
        make_record(leads, name="z", email="a@example.com")
    field.unique = False
    field.save()
    assert not UniqueValue.objects.exists()


def test_a_kind_that_changes_takes_the_unique_values_along() -> None:
    leads = make_object("leads", {"slug": "mail", "unique": True})
    make_record(leads, mail="A@example.com")
    field = leads.fields.get()
    field.kind = "email"
    field.save()
    assert UniqueValue.objects.get().value == "a@example.com"


def test_fields_and_stages_are_read_once_for_each_revision(django_assert_num_queries: Any) -> None:
    leads = make_object()
    loaded = ObjectDefinition.objects.get()
    with django_assert_num_queries(2):
        assert [field.slug for field in loaded.schema.fields] == ["name", "email", "amount"]
    with django_assert_num_queries(0):
        assert loaded.schema.first_stage == "new"
    Stage.objects.create(object=leads, slug="first", label="First", position=0)
    Stage.objects.filter(slug="new").update(position=5)
    leads.refresh_from_db()
    assert leads.schema.first_stage == "first"


def test_an_icon_is_the_name_of_a_symbol() -> None:
    definition = ObjectDefinition(slug="leads", name="Lead", plural="Leads", icon='x"><b>')
    with pytest.raises(ValidationError, match="Material Symbol"):
        definition.full_clean()
