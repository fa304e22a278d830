"""Filling in records: new ones, drafts, mistakes, files, look-ups, and two people at once."""

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from records.actors import acting
from records.models import (
    Event,
    FieldDefinition,
    ObjectDefinition,
    Record,
    RecordState,
    Upload,
    User,
)
from records.services import close_record, delete_record, update_record
from tests.records.leads import make_lead, make_leads, make_user

pytestmark = pytest.mark.django_db

NEW = "/o/leads/new/"


@pytest.fixture
def leads() -> ObjectDefinition:
    return make_leads()


@pytest.fixture
def anna(leads: ObjectDefinition) -> User:
    return make_user("anna", "view_leads", "add_leads", "change_leads", first_name="Anna")


@pytest.fixture
def client(anna: User) -> Client:
    client = Client()
    client.force_login(anna)
    return client


def edit(record: Record) -> str:
    return reverse("record_edit", args=["leads", record.pk])


def filled(client: Client, path: str) -> dict[str, Any]:
    """What a browser would send if the form were sent as it is."""
    form = client.get(path).context["form"]
    data = {name: form[name].value() for name in form.fields}
    return {name: value for name, value in data.items() if value not in (None, "", [], False)}


def text(response: Any) -> str:
    return " ".join(response.content.decode().split())


# --- new ones --------------------------------------------------------------------------------


def test_a_new_record_is_submitted(leads: ObjectDefinition, client: Client, anna: User) -> None:
    data = {"name": "Ada", "email": "a@example.org", "value": "12.50", "topics": ["hosting"]}
    response = client.post(NEW, {**data, "action": "submit"}, follow=True)
    record = Record.objects.get(object=leads)
    assert "“Ada” was submitted." in text(response)
    assert (record.state, record.stage, record.owner) == (RecordState.SUBMITTED, "new", anna)
    assert (record.data["value"], record.data["topics"]) == (12.5, ["hosting"])
    assert Event.objects.get(record=record).actor == anna


def test_a_draft_may_be_unfinished(leads: ObjectDefinition, client: Client) -> None:
    client.post(NEW, {"email": "a@example.org", "action": "draft"})
    record = Record.objects.get(object=leads)
    assert record.state == RecordState.DRAFT
    response = client.post(edit(record), {**filled(client, edit(record)), "action": "submit"})
    assert response.status_code == 422
    data = {**filled(client, edit(record)), "name": "Ada"}
    client.post(edit(record), {**data, "action": "draft"})
    record.refresh_from_db()
    assert (record.state, record.title) == (RecordState.DRAFT, "Ada")
    client.post(edit(record), {**filled(client, edit(record)), "action": "submit"})
    record.refresh_from_db()
    assert record.state == RecordState.SUBMITTED


def test_an_object_without_drafts_has_none(leads: ObjectDefinition, client: Client) -> None:
    leads.allow_drafts = False
    leads.save()
    assert "Save draft" not in text(client.get(NEW))
    assert client.post(NEW, {"action": "draft"}).status_code == 422
    assert not Record.objects.filter(object=leads).exists()


def test_mistakes_are_told_beside_their_fields(leads: ObjectDefinition, client: Client) -> None:
    response = client.post(NEW, {"email": "nope", "notes": "kept", "action": "submit"})
    page = text(response)
    assert response.status_code == 422
    assert '<a href="#id_name">Name</a>: This field is required.' in page
    assert 'id="id_email_error"' in page
    assert 'aria-describedby="id_email_error"' in page
    assert 'aria-invalid="true"' in page
    assert ">kept</textarea>" in page.replace("> kept", ">kept")
    assert not Record.objects.filter(object=leads).exists()


def test_a_value_that_is_taken_is_told_beside_its_field(
    leads: ObjectDefinition, client: Client
) -> None:
    make_lead(leads, "Ada", email="a@example.org")
    response = client.post(NEW, {"name": "Bob", "email": "A@example.org", "action": "submit"})
    assert response.status_code == 422
    assert response.context["form"].errors.keys() == {"email"}


def test_forms_are_protected_from_other_sites(leads: ObjectDefinition, anna: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(anna)
    assert client.post(NEW, {"name": "Ada"}).status_code == 403


# --- editing ---------------------------------------------------------------------------------


def test_an_edit_changes_what_was_edited(leads: ObjectDefinition, client: Client) -> None:
    record = make_lead(leads, "Ada", value=9.5, topics=["support"], consent=True, extra={"a": [1]})
    data = {**filled(client, edit(record)), "name": "Ada Lovelace"}
    response = client.post(edit(record), {**data, "action": "save"}, follow=True)
    assert "“Ada Lovelace” was saved." in text(response)
    event = Event.objects.filter(record=record).latest("id")
    assert event.changed == ["name"]


@pytest.mark.parametrize(
    ("change", "told"), [(close_record, "It is closed"), (delete_record, "It is deleted")]
)
def test_what_is_closed_or_deleted_is_not_edited(
    leads: ObjectDefinition, client: Client, change: Any, told: str
) -> None:
    record = make_lead(leads, "Ada")
    data = filled(client, edit(record))
    change(record=record)
    assert told in text(client.get(edit(record), follow=True))
    response = client.post(edit(record), {**data, "name": "Typed meanwhile"})
    assert response.status_code == 422
    assert told in text(response)
    assert "Typed meanwhile" in text(response), "what was typed is not lost"
    record.refresh_from_db()
    assert record.title == "Ada"


# --- files -----------------------------------------------------------------------------------


def test_a_file_is_kept_replaced_and_removed(leads: ObjectDefinition, client: Client) -> None:
    file = SimpleUploadedFile("contract.pdf", b"first")
    client.post(NEW, {"name": "Ada", "contract": file, "action": "submit"})
    record = Record.objects.get(object=leads)
    first = Upload.objects.get()
    assert record.data["contract"] == first.pk
    assert "contract.pdf" in text(client.get(edit(record)))

    data = {"name": "Ada", "version": "1"}
    client.post(edit(record), {**data, "contract": SimpleUploadedFile("new.pdf", b"second")})
    record.refresh_from_db()
    assert record.data["contract"] != first.pk
    client.post(edit(record), {"name": "Ada", "version": "2", "contract-clear": "on"})
    record.refresh_from_db()
    assert record.data["contract"] is None


# --- look-ups --------------------------------------------------------------------------------


def test_links_are_looked_up_by_who_may_fill_in_the_form(
    leads: ObjectDefinition, client: Client
) -> None:
    companies = ObjectDefinition.objects.get(slug="companies")
    acme = make_lead(companies, "Acme")
    make_lead(companies, "Globex")
    field = FieldDefinition.objects.get(object=leads, slug="company")
    address = reverse("field_choices", args=[field.pk])
    assert client.get(address, {"q": "acm"}).json() == {"choices": [[acme.pk, "Acme"]]}
    assert client.get(address, {"q": "\0"}).status_code == 200
    assert client.get(reverse("field_choices", args=[999_999])).status_code == 404
    viewer = Client()
    viewer.force_login(make_user("vera", "view_leads"))
    assert viewer.get(address).status_code == 403


# --- two people at once ----------------------------------------------------------------------


@pytest.fixture
def conflict(leads: ObjectDefinition, client: Client) -> dict[str, Any]:
    """Anna opens the form; Sam changes value and notes; Anna sends other notes and more employees."""
    record = make_lead(leads, "Ada", value=10, notes="Old", employees=1, consent=True)
    data = filled(client, edit(record))
    with acting(User.objects.create_user("sam", first_name="Sam")):
        update_record(record=Record.objects.get(pk=record.pk), data={"value": 20, "notes": "Sam's"})
    data |= {"notes": "Anna's", "employees": "2", "action": "save"}
    return {"record": record, "response": client.post(edit(record), data)}


def _carried(response: Any) -> dict[str, Any]:
    data: dict[str, Any] = {}
    for name, value in response.context["conflict"].carried():
        data.setdefault(name, []).append(value)
    return {**data, "version": str(response.context["record"].version), "action": "save"}


def test_a_conflict_shows_both_versions_and_overwrites_nothing(conflict: dict[str, Any]) -> None:
    response = conflict["response"]
    assert response.status_code == 409
    rows = {row.slug: row for row in response.context["conflict"].differing}
    assert {slug: (row.mine, row.theirs) for slug, row in rows.items()} == {
        "value": ("10.00 EUR", "20.00 EUR"),
        "notes": ("Anna's", "Sam's"),
        "employees": ("2", "1"),
    }
    assert {slug: row.chosen for slug, row in rows.items()} == {
        "value": "theirs",
        "notes": "",
        "employees": "mine",
    }
    assert "Sam changed 2 fields" in text(response)
    conflict["record"].refresh_from_db()
    assert conflict["record"].data["notes"] == "Sam's"
    assert conflict["record"].version == 2


def test_a_conflict_is_solved_field_by_field(conflict: dict[str, Any], client: Client) -> None:
    choices = {"choose.value": "theirs", "choose.notes": "mine", "choose.employees": "mine"}
    response = client.post(
        edit(conflict["record"]), {**_carried(conflict["response"]), **choices}, follow=True
    )
    assert "was saved" in text(response)
    record = Record.objects.get(pk=conflict["record"].pk)
    assert (record.data["value"], record.data["notes"], record.data["employees"]) == (
        20,
        "Anna's",
        2,
    )
    assert record.data["consent"] is True
    assert Event.objects.filter(record=record).latest("id").changed == ["employees", "notes"]


def test_all_of_theirs_changes_nothing(conflict: dict[str, Any], client: Client) -> None:
    choices = {"choose.value": "theirs", "choose.notes": "theirs", "choose.employees": "theirs"}
    client.post(edit(conflict["record"]), {**_carried(conflict["response"]), **choices})
    record = Record.objects.get(pk=conflict["record"].pk)
    assert record.version == 2


def test_a_conflict_may_come_again_while_it_is_solved(
    conflict: dict[str, Any], client: Client
) -> None:
    update_record(record=Record.objects.get(pk=conflict["record"].pk), data={"notes": "Third"})
    choices = {"choose.value": "theirs", "choose.notes": "mine", "choose.employees": "mine"}
    response = client.post(edit(conflict["record"]), {**_carried(conflict["response"]), **choices})
    assert response.status_code == 409
    assert Record.objects.get(pk=conflict["record"].pk).data["notes"] == "Third"


def test_a_file_in_a_conflict_has_to_be_chosen_again(
    leads: ObjectDefinition, client: Client
) -> None:
    record = make_lead(leads, "Ada")
    update_record(record=Record.objects.get(pk=record.pk), data={"notes": "Sam's"})
    file = SimpleUploadedFile("contract.pdf", b"content")
    response = client.post(edit(record), {"name": "Ada", "version": "1", "contract": file})
    assert response.status_code == 409
    row = next(row for row in response.context["conflict"].rows if row.slug == "contract")
    assert (row.mine, row.chosen, row.is_upload) == ("contract.pdf", "theirs", True)
    assert "choose it again" in text(response)
    assert not Upload.objects.exists()


@pytest.mark.parametrize("version", ["-5", "0", "99999999999999999999", "x"])
def test_a_hostile_version_overwrites_nothing(
    leads: ObjectDefinition, client: Client, version: str
) -> None:
    record = make_lead(leads, "Ada")
    response = client.post(edit(record), {"name": "Bob", "version": version})
    assert response.status_code in (409, 422)
    record.refresh_from_db()
    assert record.title == "Ada"
