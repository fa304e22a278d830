"""Mail templates are written in the admin: what can't be read is refused, and what is used stays."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from automations.models import MailTemplate
from tests.automations.making import make_automation, make_leads, step
from tests.records.making import make_user

pytestmark = pytest.mark.django_db

VALUES = {
    "id": "welcome",
    "name": "Welcome mail",
    "subject": "Hi {{ record.name }}",
    "body": "Dear {{ first_name }}",
}


@pytest.fixture
def client() -> Client:
    client = Client()
    client.force_login(make_user("root", is_staff=True, is_superuser=True))
    return client


@pytest.fixture
def used() -> MailTemplate:
    make_leads()
    template = MailTemplate.objects.create(**VALUES)
    make_automation(step("send_email", template_id="welcome", to="a@example.com"), checked=False)
    return template


def url(name: str, *args: Any) -> str:
    return reverse(f"admin:automations_mailtemplate_{name}", args=args)


def test_a_template_is_added(client: Client) -> None:
    response = client.post(url("add"), VALUES)
    assert response.status_code == 302
    assert MailTemplate.objects.get(pk="welcome").subject == "Hi {{ record.name }}"


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"id": "Wel come"}, "Start with a small letter"),
        ({"subject": "Hi {{ record. }}"}, "Column 1"),
        ({"body": "a\n{{ 1 + }}"}, "Line 2"),
        ({"body": ""}, "This field is required."),
    ],
)
def test_what_can_not_be_read_is_refused_with_its_place(
    client: Client, values: dict[str, str], words: str
) -> None:
    response = client.post(url("add"), {**VALUES, **values})
    assert response.status_code == 200
    assert words in response.content.decode()
    assert not MailTemplate.objects.exists()


def test_its_id_stays_as_it_is(client: Client, used: MailTemplate) -> None:
    client.post(url("change", "welcome"), {**VALUES, "id": "other", "name": "New"})
    assert list(MailTemplate.objects.values_list("id", "name")) == [("welcome", "New")]


def test_list_and_page_say_where_it_is_used(client: Client, used: MailTemplate) -> None:
    assert "Welcome</a>" in client.get(url("changelist")).content.decode()
    assert "Welcome</a>" in client.get(url("change", "welcome")).content.decode()


def test_what_is_used_is_not_deleted(client: Client, used: MailTemplate) -> None:
    client.post(url("delete", "welcome"), {"post": "yes"})
    assert MailTemplate.objects.exists()


def test_what_is_not_used_is_deleted(client: Client) -> None:
    MailTemplate.objects.create(**VALUES)
    client.post(url("delete", "welcome"), {"post": "yes"})
    assert not MailTemplate.objects.exists()


def test_an_empty_list_says_what_templates_are_for(client: Client) -> None:
    assert "No mail templates yet" in client.get(url("changelist")).content.decode()


def test_the_list_asks_the_database_as_often_for_many_as_for_one(
    client: Client, used: MailTemplate, django_assert_max_num_queries: Any
) -> None:
    for place in range(20):
        MailTemplate.objects.create(**{**VALUES, "id": f"t{place}"})
    with django_assert_max_num_queries(25):
        client.get(url("changelist"))
