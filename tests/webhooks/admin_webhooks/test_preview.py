"""The preview of a webhook, and the test that is sent from it."""

import json
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from records.models import ObjectDefinition, Record, User
from tests.webhooks.admin_webhooks.pages import (
    LIST,
    PREVIEW,
    as_staff,
    filled,
    make_webhook,
    preview,
    rows,
)
from tests.webhooks.making import make_job
from webhooks.models import FailureGroup, JobStatus, WebhookJob

pytestmark = pytest.mark.django_db


TEST = f"{LIST}test/"


# --- The preview -------------------------------------------------------------------------------


def test_the_preview_shows_the_exact_request(
    admin: Client, leads: ObjectDefinition, jane: Record
) -> None:
    page = preview(
        admin,
        object=leads.pk,
        filter="record.value > 1000",
        url="https://api.example.com/{record.name}/{v}",
        body_kind="json",
        body='{"text": "New: {{ record.name }} - ${{ record.value }}", "v": "{{ record.value }}"}',
        sample=jane.pk,
        **rows("path_params", ("v", "{{ record.value }}")),
        **rows("headers", ("X-Name", "{{ record.name | upper }}")),
    )
    for words in (
        "Fires",
        "the filter is true",
        "https://api.example.com/Jane%20%26%20Smith/1500",
        "webhook-id",
        "webhook-timestamp",
        "User-Agent",
        "application/json",
        "JANE &amp; SMITH",
        "New: Jane &amp; Smith - $1500",
        '<span class="json-number">1500</span>',
        "curl --globoff",
    ):
        assert words in page, words
    for expression, kind in (("{{ record.value }}", "number"), ("{record.name}", "text")):
        part = page[page.index(f"<code>{expression}</code>") :]
        assert f'<td class="wh-type">{kind}</td>' in part[:400]


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"filter": "record.value > 99999"}, ["Does not fire", "record.value", "1500"]),
        ({"filter": "record.valu > 1"}, ["Fails", "Filter, column 8", "did you mean"]),
        ({"url": "https://x.example/{record.nmae}"}, ["URL, column 27", "did you mean"]),
        ({"url": "http://169.254.169.254/latest"}, ["This will not be sent", "cloud metadata"]),
        ({"url": "http://127.0.0.1:8000/x"}, ["Signalbox itself"]),
        ({"body_kind": "json", "body": "{"}, ["Body, column 2", "https://example.com/hook"]),
        ({"method": "GET"}, ["GET", "None."]),
        ({"url": ""}, ["Enter the URL to call."]),
        ({"url": "{{ record.name if false else '' }}"}, ["URL: it is empty."]),
    ],
)
def test_the_preview_explains(
    admin: Client, leads: ObjectDefinition, jane: Record, values: dict[str, Any], words: list[str]
) -> None:
    page = preview(admin, object=leads.pk, sample=jane.pk, **values)
    for each in words:
        assert each in page, each


def test_the_preview_changes_nothing(admin: Client, leads: ObjectDefinition, jane: Record) -> None:
    webhook = make_webhook()
    preview(admin, webhook_id=webhook.pk, name="Changed", url="https://changed.example/")
    webhook.refresh_from_db()
    assert (webhook.name, webhook.url) == ("Hook", "https://example.com/hook")
    assert not WebhookJob.objects.exists()


def test_without_records_values_are_made_up_and_marked(
    admin: Client, leads: ObjectDefinition
) -> None:
    page = preview(admin, object=leads.pk)
    assert "These values are made up from the fields of Leads." in page
    assert "Example name" in page


@pytest.mark.parametrize("event", ["user.created", "team.updated", "space.login_failed"])
def test_other_events_can_be_previewed(admin: Client, event: str) -> None:
    page = preview(
        admin, event=event, body_kind="text", body="{{ subject.id }} {{ subject.label }}"
    )
    assert "wh-note-bad" not in page


def test_a_record_can_be_searched_for(admin: Client, leads: ObjectDefinition, jane: Record) -> None:
    Record.objects.create(object=leads, data={"name": "Zed", "value": 1})
    page = preview(admin, object=leads.pk, sample_query="jane")
    assert f'<option value="{jane.pk}" selected>' in page
    assert "Zed" not in page
    again = preview(
        admin,
        object=leads.pk,
        sample_query="jane",
        sample=jane.pk,
        sample_made_for=f"record.submitted {leads.pk} jane",
    )
    assert "hx-swap-oob" not in again


def test_only_records_that_one_may_see_are_offered(
    client: Client, leads: ObjectDefinition, jane: Record
) -> None:
    staff = as_staff(client, "add_webhook", "change_webhook")
    page = preview(staff, object=leads.pk, sample=jane.pk)
    assert "Jane" not in page
    assert "made up" in page


def test_the_names_for_the_menu_come_with_it(admin: Client, leads: ObjectDefinition) -> None:
    page = preview(admin, object=leads.pk)
    text = page.split('<script id="webhook-names" type="application/json">')[1].split("</script>")[
        0
    ]
    paths = [name["path"] for group in json.loads(text) for name in group["names"]]
    assert "record.name" in paths
    assert "previous.value" in paths


@pytest.mark.parametrize("address", [PREVIEW, TEST])
def test_preview_and_test_are_for_those_who_may_save(client: Client, address: str) -> None:
    webhook = make_webhook()
    staff = as_staff(client, "view_webhook")
    assert staff.post(address, filled()).status_code == 403
    assert staff.post(address, filled(webhook_id=webhook.pk)).status_code == 403
    assert staff.get(address).status_code == 405


def test_csrf_is_required() -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(User.objects.create_superuser("admin"))
    webhook = make_webhook()
    for address in (PREVIEW, TEST, f"{LIST}{webhook.pk}/toggle/"):
        assert client.post(address, filled()).status_code == 403


HOSTILE = st.one_of(
    st.text(max_size=40),
    st.sampled_from(
        [
            "{{", "}}", "{{ record", "{{ record.name.x.y }}", "{{ 'a' * 999999999 }}", "{record}",
            "{{ record }}", "<script>", "\0", "\r\nX: 1", "[" * 2000, '{"a": {{ x }}}', "1e999999",
            "{{ secrets.x }}", "{% raw %}", "https://[::1", "http://x:99999999999/", "𝒳" * 50,
        ]
    ),
)  # fmt: skip


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    texts=st.lists(HOSTILE, min_size=8, max_size=8),
    kind=st.sampled_from(["json", "text", "rows", "default", "none", "x"]),
    event=st.sampled_from(["record.submitted", "user.created", "x", ""]),
)
def test_hostile_input_is_never_a_server_error(
    admin: Client, leads: ObjectDefinition, texts: list[str], kind: str, event: str
) -> None:
    values = filled(
        event=event, object=leads.pk, filter=texts[0], url=texts[1], body=texts[2], body_kind=kind,
        sample=texts[3], sample_query=texts[4], webhook_id="", retry_delays_s=texts[5],
        method=texts[6] or "POST", success_statuses=texts[7],
        **rows("path_params", (texts[0], texts[1])),
        **rows("query_params", (texts[2], texts[3])),
        **rows("headers", (texts[4], texts[5])),
        **rows("body_rows", (texts[6], texts[7], texts[0])),
    )  # fmt: skip
    for address in (PREVIEW, TEST):
        assert admin.post(address, values).status_code == 200


# --- Sending a test ----------------------------------------------------------------------------


def test_a_test_sends_what_is_in_the_form(
    admin: Client, leads: ObjectDefinition, jane: Record
) -> None:
    webhook = make_webhook(object=leads)
    values = filled(
        webhook_id=webhook.pk,
        object=leads.pk,
        filter="false",
        url="https://unsaved.example/{record.name}",
        sample=jane.pk,
    )
    page = admin.post(TEST, values).content.decode()
    job = WebhookJob.objects.get()
    assert (job.webhook, job.is_test, job.max_attempts) == (webhook, True, 1)
    assert job.url == "https://unsaved.example/Jane%20%26%20Smith"
    assert f"/test/{job.pk}/" in page
    assert "Waiting to be sent" in page
    webhook.refresh_from_db()
    assert webhook.url == "https://example.com/hook"


def test_a_webhook_can_be_tested_before_it_is_saved(
    admin: Client, leads: ObjectDefinition, jane: Record
) -> None:
    admin.post(TEST, filled(name="", object=leads.pk, sample=jane.pk))
    job = WebhookJob.objects.get()
    assert (job.webhook, job.webhook_name) == (None, "Unsaved webhook")


@pytest.mark.parametrize(
    "values",
    [
        {"url": "https://x.example/{record.nmae}"},
        {"url": ""},
        {"body_kind": "json", "body": "{"},
        {"url": "{{ record.name }}"},
        rows("headers", ("X Id", "1")),
    ],
)
def test_with_a_mistake_nothing_is_sent(
    admin: Client, leads: ObjectDefinition, jane: Record, values: dict[str, Any]
) -> None:
    page = admin.post(TEST, filled(object=leads.pk, sample=jane.pk, **values)).content.decode()
    assert "Nothing was sent." in page
    assert not WebhookJob.objects.exists()


@pytest.mark.parametrize(
    ("values", "words", "polls"),
    [
        ({"status": JobStatus.PENDING}, "Waiting to be sent", True),
        ({"status": JobStatus.SENDING}, "Sending", True),
        ({"status": JobStatus.SUCCEEDED, "status_code": 202}, "202 Accepted", False),
        ({"status": JobStatus.FAILED, "status_code": 500}, "500 Internal Server Error", False),
        (
            {"status": JobStatus.FAILED, "error_kind": "dns", "error": "No address for `x`."},
            "No address for <code>x</code>.",
            False,
        ),
    ],
)
def test_the_outcome_of_a_test_is_shown(
    admin: Client, values: dict[str, Any], words: str, polls: bool
) -> None:
    job = make_job(is_test=True, **values)
    page = admin.get(f"{TEST}{job.pk}/").content.decode()
    assert words in page
    assert ("hx-get" in page) is polls
    assert f"/admin/webhooks/webhookjob/{job.pk}/change/" in page


def test_only_outcomes_of_tests_are_told(admin: Client) -> None:
    job = make_job()
    assert admin.get(f"{TEST}{job.pk}/").status_code == 404
    assert admin.get(f"{TEST}nonsense/").status_code == 404


def test_a_webhook_that_has_failed_can_be_deleted_and_its_jobs_stay(admin: Client) -> None:
    webhook = make_webhook(name="Old CRM")
    job = make_job(webhook=webhook, webhook_name="Old CRM", status=JobStatus.FAILED)
    now = timezone.now()
    FailureGroup.objects.create(
        webhook=webhook, webhook_name="Old CRM", first_seen_at=now, last_seen_at=now
    )
    address = f"{LIST}{webhook.pk}/delete/"

    assert "its jobs stay in the history" in admin.get(address).content.decode()
    assert admin.post(address, {"post": "yes"}).status_code == 302
    job.refresh_from_db()
    assert (job.webhook, job.webhook_name) == (None, "Old CRM")
    assert admin.get(f"/admin/webhooks/webhookjob/{job.pk}/change/").status_code == 200
