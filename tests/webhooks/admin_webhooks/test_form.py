"""The form of a webhook."""

from typing import Any

import pytest
from django.test import Client

from records.models import ObjectDefinition
from tests.webhooks.admin_webhooks.pages import ADD, LIST, as_staff, filled, make_webhook, rows
from webhooks.models import Webhook

pytestmark = pytest.mark.django_db


def test_a_webhook_is_made(admin: Client, leads: ObjectDefinition) -> None:
    values = filled(
        object=leads.pk,
        filter="record.value > 1\r\nand true",
        url="https://api.example.com/customers/{record.id}/{who}",
        retry_delays_s="30 s, 2 h",
        max_age_s="1 day",
        body_kind="rows",
        **rows("path_params", ("who", "{{ record.name }}"), ("", "")),
        **rows("query_params", ("page", "1"), ("page", "2")),
        **rows("headers", (" Authorization ", "Bearer x")),
        **rows("body_rows", ("value", "{{ record.value }}", "number"), ("", "", "string")),
    )
    assert admin.post(ADD, values).status_code == 302
    webhook = Webhook.objects.get()
    assert webhook.object == leads
    assert webhook.filter == "record.value > 1\nand true"
    assert webhook.path_params == [{"name": "who", "value": "{{ record.name }}"}]
    assert [row["value"] for row in webhook.query_params] == ["1", "2"]
    assert webhook.headers == [{"name": "Authorization", "value": "Bearer x"}]
    assert webhook.body_rows == [{"name": "value", "value": "{{ record.value }}", "type": "number"}]
    assert webhook.retry_delays_s == [30, 7200]
    assert webhook.max_age_s == 86_400
    page = admin.get(f"{LIST}{webhook.pk}/change/").content.decode()
    for words in ("30 s, 2 h", "1 day", "{{ record.value }}", "Bearer x"):
        assert words in page


def test_the_defaults_of_a_new_webhook(admin: Client) -> None:
    page = admin.get(ADD)
    assert 'value="1 min, 5 min, 30 min"' in page.content.decode()
    admin.post(ADD, filled())
    webhook = Webhook.objects.get()
    assert (webhook.method, webhook.body_kind, webhook.timeout_s) == ("POST", "default", 30)
    assert webhook.retry_delays_s == [60, 300, 1800]


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"url": ""}, "This field is required"),
        ({"url": "htps://example.com"}, "The URL begins with"),
        ({"url": "https://example.com/{record.nmae}"}, "did you mean <code>name</code>?"),
        ({"url": "http://127.0.0.1:8000/x"}, "is Signalbox itself"),
        (rows("headers", ("X Id", "1")), "Header `X Id`: The name may only have"),
        (rows("headers", ("webhook-id", "1")), "Signing sets this header"),
        (rows("headers", ("X-Id", "{{ record.nmae }}")), "Header <code>X-Id</code>, column 11"),
        ({"body_kind": "json", "body": '{\r\n"a": tru}'}, "Body, line 2, column 6: not valid JSON"),
        ({"filter": "record.value >"}, "Filter, column 15"),
        ({"filter": "record.valeu > 1"}, "did you mean <code>value</code>?"),
        ({"retry_delays_s": "5"}, "no unit"),
        ({"retry_delays_s": "8 days"}, "out of bounds"),
        ({"timeout_s": "301"}, "less than or equal to 300"),
        ({"timeout_s": "0"}, "greater than or equal to 1"),
        ({"success_statuses": "2yy"}, "is no status"),
        ({"success_statuses": ""}, "Success"),
        ({"event": "record.exploded"}, "Select a valid choice"),
        ({"method": "TRACE"}, "Select a valid choice"),
        ({"body_kind": "x"}, "Select a valid choice"),
        (rows("body_rows", ("a", "x", "number")) | {"body_kind": "rows"}, "is no number"),
        (rows("query_params", ("a\0", "x")), "Null characters"),
        (rows("path_params", ("a", "x")), "the URL does not use it"),
    ],
)
def test_bad_input_is_refused_with_words(
    admin: Client, leads: ObjectDefinition, values: dict[str, Any], words: str
) -> None:
    response = admin.post(ADD, filled(object=leads.pk) | values)
    assert response.status_code == 200
    assert words in response.content.decode()
    assert not Webhook.objects.exists()


def test_a_mistake_in_a_row_is_shown_at_that_row(admin: Client) -> None:
    values = filled(**rows("headers", ("X-A", "1"), ("", ""), ("X B", "2")))
    page = admin.post(ADD, values).content.decode()
    bad = page.split("wh-row-bad")
    assert len(bad) == 2
    assert 'value="X B"' in bad[1][:600]


def test_an_address_in_a_private_network_is_saved_with_a_warning(admin: Client) -> None:
    page = admin.post(ADD, filled(url="http://10.1.2.3/hook"), follow=True).content.decode()
    assert Webhook.objects.count() == 1
    assert "Saved, but it can’t be sent" in page.replace("&#x27;", "’").replace("'", "’")
    assert "OUTBOUND_ALLOWED" in page


def test_events_of_users_have_no_object(admin: Client, leads: ObjectDefinition) -> None:
    admin.post(ADD, filled(event="user.created", object=leads.pk))
    assert Webhook.objects.get().object is None


def test_the_object_of_a_webhook_may_be_deleted(admin: Client, leads: ObjectDefinition) -> None:
    webhook = make_webhook(object=leads)
    ObjectDefinition.objects.filter(pk=leads.pk).update(deleted_at=webhook.created_at)
    address = f"{LIST}{webhook.pk}/change/"
    assert admin.post(address, filled(object=leads.pk)).status_code == 302
    assert admin.post(ADD, filled(object=leads.pk)).status_code == 200


def test_a_copy_is_a_filled_form_and_switched_off(admin: Client, leads: ObjectDefinition) -> None:
    webhook = make_webhook(
        object=leads, headers=[{"name": "X-Copied", "value": "{{ record.name }}"}]
    )
    response = admin.get(f"{LIST}{webhook.pk}/copy/", follow=True)
    page = response.content.decode()
    assert "Hook (copy)" in page
    assert "X-Copied" in page
    assert not response.context["adminform"].form["is_active"].value()
    assert Webhook.objects.count() == 1


def test_the_jobs_of_a_webhook_are_one_click_away(admin: Client) -> None:
    webhook = make_webhook()
    response = admin.get(f"{LIST}{webhook.pk}/jobs/")
    assert response.headers["Location"] == f"/admin/webhooks/webhookjob/?webhook={webhook.pk}"


@pytest.mark.parametrize("path", ["nonsense/change/", "hook_x/change/", "nonsense/copy/"])
def test_strange_addresses_are_no_errors(admin: Client, path: str) -> None:
    assert admin.get(LIST + path, follow=True).status_code == 200


def test_who_may_only_look_sees_no_form(client: Client) -> None:
    webhook = make_webhook(headers=[{"name": "X-Seen", "value": "1"}])
    page = as_staff(client, "view_webhook").get(f"{LIST}{webhook.pk}/change/").content.decode()
    assert "X-Seen" in page
    assert "data-webhook-form" not in page
