"""The list and the form of webhooks, its preview, and tests sent from it."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from records.models import FieldDefinition, ObjectDefinition, Record, User
from tests.webhooks.hostile import Authority
from tests.webhooks.making import make_job
from webhooks.keyring import SecretKind
from webhooks.models import FailureGroup, JobStatus, Webhook, WebhookJob
from webhooks.secret_services import create_secret

pytestmark = pytest.mark.django_db

LIST = "/admin/webhooks/webhook/"
ADD = f"{LIST}add/"
PREVIEW = f"{LIST}preview/"
TEST = f"{LIST}test/"


@pytest.fixture
def leads() -> ObjectDefinition:
    leads = ObjectDefinition.objects.create(slug="leads", name="Lead", plural="Leads")
    for slug, kind in (("name", "text"), ("value", "currency")):
        FieldDefinition.objects.create(object=leads, slug=slug, label=slug.title(), kind=kind)
    return ObjectDefinition.objects.get(pk=leads.pk)


@pytest.fixture
def jane(leads: ObjectDefinition) -> Record:
    return Record.objects.create(object=leads, data={"name": "Jane & Smith", "value": 1500})


@pytest.fixture
def admin(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("admin"))
    return client


def as_staff(client: Client, *codenames: str) -> Client:
    user = User.objects.create_user("staff", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    client.force_login(user)
    return client


def make_webhook(**values: Any) -> Webhook:
    defaults = {"name": "Hook", "event": "record.submitted", "url": "https://example.com/hook"}
    return Webhook.objects.create(**(defaults | values))


def filled(**values: Any) -> dict[str, Any]:
    """What a browser posts of the form."""
    return {
        "name": "Hook",
        "description": "",
        "is_active": "on",
        "event": "record.submitted",
        "object": "",
        "filter": "",
        "method": "POST",
        "url": "https://example.com/hook",
        "body_kind": "default",
        "body": "",
        "timeout_s": "30",
        "retry_delays_s": "1 min, 5 min, 30 min",
        "jitter_percent": "0",
        "max_age_s": "",
        "success_statuses": "2xx",
        "retry_statuses": "",
        "halt_statuses": "",
        "max_redirects": "0",
    } | values


def rows(name: str, *pairs: tuple[str, ...]) -> dict[str, list[str]]:
    columns = {
        f"{name}-name": [pair[0] for pair in pairs],
        f"{name}-value": [pair[1] for pair in pairs],
    }
    if any(len(pair) > 2 for pair in pairs):
        columns[f"{name}-type"] = [pair[2] for pair in pairs]
    return columns


# --- The list --------------------------------------------------------------------------------------


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


# --- The form --------------------------------------------------------------------------------------


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


# --- Secrets ----------------------------------------------------------------------------------------


@pytest.fixture
def secrets() -> None:
    create_secret(name="api_key", value="s3cret-value")
    create_secret(name="key", kind=SecretKind.SYMMETRIC)


def test_authentication_and_signing_key_are_kept_by_name(admin: Client, secrets: None) -> None:
    values = filled(
        auth_kind="header",
        auth_secret="api_key",
        auth_header="X-Api-Key",
        auth_prefix="Token ",
        signing_secret="key",
    )
    assert admin.post(ADD, values).status_code == 302
    webhook = Webhook.objects.get()
    assert webhook.auth == {
        "kind": "header", "secret": "api_key", "header": "X-Api-Key", "prefix": "Token ",
    }  # fmt: skip
    assert webhook.signing_secret == "key"
    page = admin.get(f"{LIST}{webhook.pk}/change/").content.decode()
    assert 'value="Token "' in page
    assert "s3cret-value" not in page
    copy = admin.get(f"{ADD}?copy={webhook.pk}").content.decode()
    assert 'value="X-Api-Key"' in copy
    admin.post(f"{LIST}{webhook.pk}/change/", filled(auth_kind="none"))
    webhook.refresh_from_db()
    assert (webhook.auth, webhook.signing_secret) == ({}, "")


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"auth_kind": "bearer"}, "Choose the secret"),
        ({"auth_kind": "bearer", "auth_secret": "nope"}, "Select a valid choice"),
        ({"auth_kind": "basic", "auth_secret": "api_key"}, "Enter the user name"),
        (
            {"auth_kind": "header", "auth_secret": "api_key", "auth_header": "X Y"},
            "letters, digits",
        ),
        (
            {"url": "https://x.example/?k={{ secrets.api_kye }}"},
            "did you mean <code>api_key</code>",
        ),
        (
            {
                "auth_kind": "bearer",
                "auth_secret": "api_key",
                "headers-name": "authorization",
                "headers-value": "mine",
            },
            "the authentication below sets this header",
        ),
    ],
)
def test_a_mistake_in_the_authentication_is_refused(
    admin: Client, secrets: None, values: dict[str, str], words: str
) -> None:
    response = admin.post(ADD, filled(**values))
    assert response.status_code == 200
    assert words in response.content.decode()


def test_the_preview_names_secrets_and_never_has_their_values(
    admin: Client, leads: ObjectDefinition, jane: Record, secrets: None
) -> None:
    page = preview(
        admin,
        object=leads.pk,
        url="https://x.example/{{ secrets.api_key }}",
        auth_kind="bearer",
        auth_secret="api_key",
        signing_secret="key",
        body_kind="json",
        body='{"key": "{{ secrets.api_key }}"}',
    )
    assert "s3cret-value" not in page
    for words in (
        "https://x.example/{{ secrets.api_key }}",
        "Bearer {{ secrets.api_key }}",
        "webhook-signature",
        "put in when it is sent",
    ):
        assert words in page, words


@pytest.mark.parametrize(
    ("kind", "version"), [(SecretKind.SYMMETRIC, "v1,…"), (SecretKind.ED25519, "v1a,…")]
)
def test_the_preview_shows_the_version_of_the_signature(
    admin: Client, leads: ObjectDefinition, kind: str, version: str
) -> None:
    create_secret(name="signer", kind=kind)
    assert f"{version} signed with signer" in preview(admin, signing_secret="signer")


def test_the_preview_names_the_client_certificate(admin: Client, tmp_path: Path) -> None:
    pem = Authority(tmp_path).issue_pem("client")
    create_secret(name="partner_cert", kind=SecretKind.CERTIFICATE, value=pem)
    page = preview(admin, client_certificate="partner_cert")
    assert "With the client certificate <code>partner_cert</code>" in page
    assert "--cert ./partner_cert.pem" in page
    assert not any(line in page for line in pem.splitlines() if "-----" not in line)


# --- The preview -----------------------------------------------------------------------------------


def preview(client: Client, **values: Any) -> str:
    response = client.post(PREVIEW, filled(**values))
    assert response.status_code == 200
    return response.content.decode()


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


# --- Sending a test --------------------------------------------------------------------------------


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
