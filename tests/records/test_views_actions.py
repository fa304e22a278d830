"""What is done to a record with one click: by POST, with permission, on the version that was seen."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from records.models import Event, ObjectDefinition, Record, User
from records.services import close_record, delete_record, update_record
from tests.records.leads import make_lead, make_leads, make_user

pytestmark = pytest.mark.django_db

ACTIONS = {
    "submit": "change",
    "close": "close",
    "reopen": "close",
    "move": "move",
    "delete": "delete",
    "restore": "delete",
}


@pytest.fixture
def leads() -> ObjectDefinition:
    return make_leads()


@pytest.fixture
def client(leads: ObjectDefinition) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("root"))
    return client


def act(client: Client, action: str, record: Record, **data: Any) -> str:
    """Do it, follow to the page that comes, and return its messages."""
    address = reverse(f"record_{action}", args=["leads", record.pk])
    response = client.post(address, data, follow=True)
    assert response.status_code == 200
    record.refresh_from_db()
    return " ".join(str(message) for message in response.context["messages"])


@pytest.mark.parametrize(("action", "needed"), ACTIONS.items())
def test_each_action_is_a_post_with_its_own_permission(
    leads: ObjectDefinition, action: str, needed: str
) -> None:
    record = make_lead(leads, "Ada", state="draft" if action == "submit" else "submitted")
    address = reverse(f"record_{action}", args=["leads", record.pk])
    may = Client()
    may.force_login(make_user("may", "view_leads", f"{needed}_leads"))
    others = {"view", "add", "change", "move", "close", "delete"} - {needed}
    may_not = Client()
    may_not.force_login(make_user("may_not", *(f"{other}_leads" for other in others)))

    assert may.get(address).status_code == 405
    assert may_not.post(address, {"stage": "won"}).status_code == 403
    assert Client().post(address).status_code == 302
    record.refresh_from_db()
    assert record.version == 1
    assert may.post(address, {"stage": "won"}).status_code == 302


def test_a_post_without_a_token_is_refused(leads: ObjectDefinition) -> None:
    record = make_lead(leads, "Ada")
    client = Client(enforce_csrf_checks=True)
    client.force_login(User.objects.create_superuser("root"))
    for action in ACTIONS:
        response = client.post(reverse(f"record_{action}", args=["leads", record.pk]))
        assert response.status_code == 403
        assert "This form has expired" in response.content.decode()
    record.refresh_from_db()
    assert record.version == 1


def test_a_record_goes_its_way(leads: ObjectDefinition, client: Client) -> None:
    record = make_lead(leads, "Ada", state="draft")
    assert "was submitted" in act(client, "submit", record, version="1")
    assert record.state == "submitted"
    assert "was moved to Contacted" in act(client, "move", record, stage="contacted", version="2")
    assert record.stage == "contacted"
    assert "was closed" in act(client, "close", record, version="3")
    assert record.state == "closed"
    assert "was reopened" in act(client, "reopen", record, version="4")
    assert record.state == "submitted"
    assert "was deleted" in act(client, "delete", record, version="5")
    assert record.deleted_at is not None
    assert "was restored" in act(client, "restore", record)
    assert record.deleted_at is None
    actors = set(Event.objects.filter(record=record, actor=None).values_list("type", flat=True))
    assert actors == {"record.created"}


@pytest.mark.parametrize("action", ["submit", "close", "move", "delete"])
def test_what_somebody_changed_meanwhile_is_looked_at_first(
    leads: ObjectDefinition, client: Client, action: str
) -> None:
    record = make_lead(leads, "Ada", state="draft" if action == "submit" else "submitted")
    update_record(record=record, data={"value": 9})
    before = record.version
    assert "Somebody has changed this" in act(client, action, record, version="1", stage="won")
    assert record.version == before


@pytest.mark.parametrize("version", ["", "x", "-1", "9" * 40, "²", "1.5"])
def test_a_version_that_is_none_does_no_harm(
    leads: ObjectDefinition, client: Client, version: str
) -> None:
    record = make_lead(leads, "Ada")
    act(client, "move", record, stage="won", version=version)
    assert record.stage == "won"


def test_a_draft_that_lacks_something_says_what(leads: ObjectDefinition, client: Client) -> None:
    record = make_lead(leads, "", state="draft")
    told = act(client, "submit", record)
    assert "Name: This field is required." in told
    assert "Edit it to fill in" in told
    assert record.state == "draft"


def test_a_stage_that_is_none_is_told(leads: ObjectDefinition, client: Client) -> None:
    record = make_lead(leads, "Ada")
    assert "has no stage “moon”" in act(client, "move", record, stage="moon")
    assert "has no stage" in act(client, "move", record)
    assert record.stage == "new"


def test_closed_and_deleted_records_stay_as_they_are(
    leads: ObjectDefinition, client: Client
) -> None:
    record = close_record(record=make_lead(leads, "Ada"))
    assert "It is closed" in act(client, "move", record, stage="won")
    assert "It is closed" in act(client, "submit", record)
    record = delete_record(record=record)
    for action in ("move", "close", "reopen"):
        assert "deleted" in act(client, action, record, stage="won")
    assert (record.state, record.stage) == ("closed", "new")


def test_a_draft_is_not_closed(leads: ObjectDefinition, client: Client) -> None:
    record = make_lead(leads, "Ada", state="draft")
    assert "submit it before you close it" in act(client, "close", record)
    assert record.state == "draft"


def test_deleted_records_have_a_list_with_the_way_back(
    leads: ObjectDefinition, client: Client
) -> None:
    record = delete_record(record=make_lead(leads, "Ada"))
    make_lead(leads, "Bob")
    deleted = reverse("record_deleted", args=["leads"])
    page = client.get(deleted)
    assert [row.title for row, _, _ in page.context["rows"]] == ["Ada"]
    restore = reverse("record_restore", args=["leads", record.pk])
    assert restore in page.content.decode()
    assert client.post(restore, {"next": deleted})["Location"] == deleted
    delete_record(record=Record.objects.get(pk=record.pk))
    foreign = client.post(restore, {"next": "https://elsewhere.example/"})
    assert foreign["Location"] == reverse("record_detail", args=["leads", record.pk])

    viewer = Client()
    viewer.force_login(make_user("vera", "view_leads"))
    delete_record(record=Record.objects.get(pk=record.pk))
    assert restore not in viewer.get(deleted).content.decode()


def test_a_unique_value_that_was_taken_meanwhile_prevents_restoring(
    leads: ObjectDefinition, client: Client
) -> None:
    record = delete_record(record=make_lead(leads, "Ada", email="a@example.org"))
    make_lead(leads, "Bob", email="a@example.org")
    assert "E-mail:" in act(client, "restore", record)
    assert record.deleted_at is not None
