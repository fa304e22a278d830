"""Owners and linked records in the admin's form: a few are offered, all of them can be found."""

from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from records.fieldkinds import MAX_OFFERED
from records.models import Record, User
from tests.records.making import add_field, make_object, make_record, make_user

pytestmark = pytest.mark.django_db

LIST = "/admin/records/record/"
OWNERS = f"{LIST}owners/"


@pytest.fixture
def boss() -> User:
    return User.objects.create_superuser("boss", password="pw")


@pytest.fixture
def admin(client: Client, boss: User) -> Client:
    client.force_login(boss)
    return client


@pytest.fixture
def crowd() -> list[User]:
    """More users than a drop-down offers; the last ones are not in it."""
    return [make_user(f"user{number:03}") for number in range(MAX_OFFERED + 5)]


def form_of(client: Client, record: Record) -> str:
    return client.get(f"{LIST}{record.pk}/change/").content.decode()


def save(client: Client, record: Record, **values: Any) -> Any:
    data = {"version": str(record.version), "name": "Bea", "stage": record.stage, **values}
    return client.post(f"{LIST}{record.pk}/change/", data)


def test_few_users_are_a_plain_drop_down(admin: Client) -> None:
    html = form_of(admin, make_record(make_object()))
    assert "data-search-address" not in html


def test_many_users_are_searched(admin: Client, crowd: list[User]) -> None:
    html = form_of(admin, make_record(make_object()))
    assert f'data-search-address="{OWNERS}"' in html
    assert "signalbox/js/lookup" in html
    assert crowd[-1].pk not in html
    found = admin.get(OWNERS, {"q": crowd[-1].username}).json()["choices"]
    assert found == [[crowd[-1].pk, str(crowd[-1])]]


def test_an_owner_that_was_searched_for_is_saved(admin: Client, crowd: list[User]) -> None:
    record = make_record(make_object())
    assert save(admin, record, owner=crowd[-1].pk).status_code == 302
    record.refresh_from_db()
    assert record.owner == crowd[-1]


@pytest.mark.parametrize("owner", ["user_nonsense", "user_01h455vb4pex5vsknk084sn02q", "\0"])
def test_nobody_is_no_owner(admin: Client, owner: str) -> None:
    record = make_record(make_object())
    assert save(admin, record, owner=owner).status_code == 200
    record.refresh_from_db()
    assert record.owner is None


def test_who_may_not_log_in_is_not_found(admin: Client, crowd: list[User]) -> None:
    User.objects.filter(pk=crowd[-1].pk).update(is_active=False)
    record = make_record(make_object())
    assert admin.get(OWNERS, {"q": crowd[-1].username}).json()["choices"] == []
    assert save(admin, record, owner=crowd[-1].pk).status_code == 200


@pytest.mark.parametrize("query", ["", "a" * 5_000, "\0", "%_'"])
def test_any_search_has_an_answer(admin: Client, crowd: list[User], query: str) -> None:
    make_object()
    response = admin.get(OWNERS, {"q": query})
    assert response.status_code == 200
    assert len(response.json()["choices"]) <= MAX_OFFERED


def test_who_may_save_no_record_finds_nobody(client: Client, crowd: list[User]) -> None:
    make_object()
    vera = make_user("vera", is_staff=True)
    vera.user_permissions.set(Permission.objects.filter(codename="view_record"))
    client.force_login(vera)
    assert client.get(OWNERS).status_code == 403


def test_many_linked_records_are_searched_too(admin: Client) -> None:
    leads, companies = make_object(), make_object("companies")
    field = add_field(leads, "company", kind="link", options={"object": "companies"})
    for number in range(MAX_OFFERED + 1):
        make_record(companies, name=f"Company {number:03}")
    html = form_of(admin, make_record(leads))
    assert f'data-search-field="{field.pk}"' in html
    address = f"/fields/{field.pk}/choices/"
    found = admin.get(address, {"q": f"Company {MAX_OFFERED:03}"}).json()["choices"]
    assert [label for _, label in found] == [f"Company {MAX_OFFERED:03}"]
