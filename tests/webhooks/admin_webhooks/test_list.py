"""The list of webhooks."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from records.models import ObjectDefinition
from tests.webhooks.admin_webhooks.pages import LIST, make_webhook
from tests.webhooks.making import make_job
from webhooks.models import JobStatus, Webhook

pytestmark = pytest.mark.django_db


def test_the_list_shows_what_each_webhook_does_and_came_to(
    admin: Client, leads: ObjectDefinition
) -> None:
    webhook = make_webhook(
        name="To <b>Slack</b>", object=leads, filter="record.value > 1", description="Says hello"
    )
    make_job(webhook=webhook, status=JobStatus.FAILED, status_code=404, next_attempt_at=None)
    make_webhook(name="Other", url="{{ record.name }}", event="user.created")
    page = admin.get(LIST).content.decode()
    for words in (
        "To &lt;b&gt;Slack&lt;/b&gt;",
        "Says hello",
        "Record · Submitted",
        "Leads · filtered",
        "example.com",
        "404 Not Found",
        "1 failed in 24 h",
        "User · Created",
        "{{ record.name }}",
        "Nothing yet",
    ):
        assert words in page


def test_the_list_takes_the_same_number_of_queries_however_long_it_is(admin: Client) -> None:
    def count() -> int:
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert admin.get(LIST).status_code == 200
        return len(queries)

    make_job(webhook=make_webhook())
    count()  # what is looked up once for a process
    before = count()
    for number in range(15):
        make_job(webhook=make_webhook(name=f"Hook {number}"))
    assert count() <= before


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("?type=user", {"Users"}),
        ("?object=leads", {"Leads"}),
        ("?object=every", {"Users", "All"}),
        ("?is_active__exact=0", {"All"}),
        ("?q=crm.example", {"Leads"}),
    ],
)
def test_filters_and_search(
    admin: Client, leads: ObjectDefinition, query: str, names: set[str]
) -> None:
    make_webhook(name="Users", event="user.created")
    make_webhook(name="Leads", object=leads, url="https://crm.example/")
    make_webhook(name="All", is_active=False)
    response = admin.get(LIST + query)
    assert {webhook.name for webhook in response.context["cl"].result_list} == names


def test_a_webhook_is_switched_from_the_list(admin: Client) -> None:
    webhook = make_webhook(disabled_reason="410 Gone")
    address = f"{LIST}{webhook.pk}/toggle/"
    assert 'aria-checked="false"' in admin.post(address).content.decode()
    webhook.refresh_from_db()
    assert (webhook.is_active, webhook.disabled_reason) == (False, "410 Gone")
    assert 'aria-checked="true"' in admin.post(address).content.decode()
    webhook.refresh_from_db()
    assert (webhook.is_active, webhook.disabled_reason) == (True, "")
    assert admin.get(address).status_code == 405
    assert admin.post(f"{LIST}nonsense/toggle/").status_code == 404


def test_actions_tell_how_many_they_touched(admin: Client) -> None:
    hooks = [make_webhook(), make_webhook(is_active=False)]
    values = {"action": "deactivate", "_selected_action": [hook.pk for hook in hooks]}
    page = admin.post(LIST, values, follow=True).content.decode()
    assert "1 webhook deactivated." in page
    assert not Webhook.objects.active().exists()
