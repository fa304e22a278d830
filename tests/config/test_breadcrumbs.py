"""Breadcrumbs and empty lists speak the words of the sidebar."""

import re

import pytest
from django.contrib.auth.models import Group, Permission
from django.test import Client
from django.urls import reverse

from records.models import User
from webhooks.models import Webhook

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("admin"))
    return client


def page(client: Client, address: str) -> str:
    response = client.get(address)
    assert response.status_code == 200
    return " ".join(response.content.decode().split())


def breadcrumbs(html: str) -> list[str]:
    heading = html[html.index("<h1") : html.index("</h1>")]
    words = re.sub(r"<span class=\"material-symbols.*?</span>", "", heading)
    return [text.strip() for text in re.findall(r">([^<>]+)<", words) if text.strip()]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("auth_group", ["System", "Teams"]),
        ("records_user", ["System", "Users"]),
        ("records_event", ["Automations", "Events"]),
        ("webhooks_webhookjob", ["Webhooks", "Jobs"]),
        ("webhooks_webhook", ["Webhooks", "Webhooks"]),
    ],
)
def test_a_list_is_called_as_in_the_sidebar(admin: Client, name: str, expected: list[str]) -> None:
    found = breadcrumbs(page(admin, reverse(f"admin:{name}_changelist")))
    assert found[:2] == expected


def test_a_name_that_somebody_gave_stays_as_it_is(admin: Client) -> None:
    team = Group.objects.create(name="eBay & <co>")
    html = page(admin, reverse("admin:auth_group_change", args=[team.pk]))
    assert breadcrumbs(html) == ["System", "Teams", "eBay &amp; &lt;co&gt;"]


@pytest.mark.parametrize(
    ("name", "title", "button"),
    [
        ("records_objectdefinition", "No objects yet", "Add the first object"),
        ("webhooks_webhook", "No webhooks yet", "Add the first webhook"),
        ("webhooks_inboundendpoint", "No addresses yet", "Make an inspector"),
        ("webhooks_secret", "No secrets yet", "Add the first secret"),
        ("auth_group", "No teams yet", "Add the first team"),
    ],
)
def test_an_empty_list_says_what_to_do_first(
    admin: Client, name: str, title: str, button: str
) -> None:
    html = page(admin, reverse(f"admin:{name}_changelist"))
    assert title in html
    part = html[html.index(title) :]
    assert f'href="{reverse(f"admin:{name}_add")}"' in part
    assert button in part


def test_who_may_not_add_gets_no_button(client: Client) -> None:
    user = User.objects.create_user("vera", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename="view_webhook"))
    client.force_login(user)
    html = page(client, reverse("admin:webhooks_webhook_changelist"))
    assert "No webhooks yet" in html
    assert "Add the first webhook" not in html


@pytest.mark.parametrize("query", ["q=nothing", "is_active__exact=0"])
def test_a_search_that_finds_nothing_says_that(admin: Client, query: str) -> None:
    Webhook.objects.create(name="Hook", event="user.login", url="https://example.com")
    html = page(admin, reverse("admin:webhooks_webhook_changelist") + f"?{query}")
    assert "Nothing fits" in html
    assert "No webhooks yet" not in html
    assert "Show everything" in html


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("admin:automations_gallery", ["Automations", "Automations", "Start from a template"]),
        ("admin:automations_automation_add", ["Automations", "Automations", "New automation"]),
        ("admin:webhooks_inboundendpoint_add", ["Webhooks", "Inbound endpoints", "New inspector"]),
        ("admin:automations_run_changelist", ["Automations", "Runs"]),
        ("admin:automations_quarantine", ["Automations", "Quarantine"]),
    ],
)
def test_a_page_beside_its_list_says_what_it_is_and_a_list_says_it_once(
    admin: Client, address: str, expected: list[str]
) -> None:
    assert breadcrumbs(page(admin, reverse(address))) == expected


def test_the_title_of_a_foreign_page_has_no_tags(admin: Client) -> None:
    html = page(admin, "/admin/django-rq/")
    assert breadcrumbs(html) == ["Queues"]
    assert "&lt;h1&gt;" not in html
