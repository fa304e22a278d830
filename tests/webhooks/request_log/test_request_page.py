"""What one request's page shows."""

import uuid

import pytest

from records.ids import new_id
from tests.automations.making import step, work
from tests.webhooks.inbound.making import make_endpoint, make_listener, send
from tests.webhooks.jobs_at_hand import a_job, a_webhook
from tests.webhooks.requests_at_hand import arrived, page, sent, text_of
from webhooks.logqueries import LogQuery
from webhooks.models import RequestLog, WebhookJob
from webhooks.requestlog import neighbours_of

pytestmark = pytest.mark.django_db


def test_a_request_is_shown_whole(admin_client):
    row = sent(
        a_job(webhook=a_webhook(name="Fine"), webhook_name="Fine"),
        request_headers=[["Authorization", "Bearer sk_live_0123456789abcdef"], ["X-A", "<i>"]],
        request_body='{"a": 1}',
        status_code=422,
        response_headers=[["Set-Cookie", "session=0123456789abcdef0123"]],
        response_body="name is missing",
        duration_ms=1234,
        remote_address="192.0.2.7:443",
    )
    text = text_of(admin_client.get(page("change", row.pk)))
    for part in ("422", "name is missing", "1.2 s", "192.0.2.7:443", "Fine", "&lt;i&gt;", "curl"):
        assert part in text
    assert "sk_live_0123456789abcdef" not in text
    assert "0123456789abcdef0123" not in text
    assert f"/admin/webhooks/webhookjob/{row.job_id}" in text
    assert f"/admin/webhooks/webhook/{row.job.webhook_id}" in text


def test_a_refused_request_says_why(admin_client, log):
    text = text_of(admin_client.get(page("change", log["rejected"].pk)))
    assert "401 Not verified" in text
    assert "The signature is wrong." in text


def test_what_was_received_leads_to_its_event_run_and_automation(client, admin_client):
    automation, endpoint = make_listener(step("stop", "s"))
    send(client, endpoint)
    row = RequestLog.objects.get()
    text = text_of(admin_client.get(page("change", row.pk)))
    for part in (
        f"/admin/records/event/{row.event_id}",
        f"/admin/automations/run/{row.run_id}",
        f"/admin/automations/automation/{automation.pk}",
        f"/admin/webhooks/inboundendpoint/{endpoint.pk}",
    ):
        assert part in text


def test_what_a_step_sent_leads_to_its_run_and_automation(admin_client, client):
    automation, endpoint = make_listener(step("webhook", "call", url="https://api.example.com/"))
    send(client, endpoint)
    work()
    row = sent(WebhookJob.objects.get())
    text = text_of(admin_client.get(page("change", row.pk)))
    assert f"/admin/automations/run/{row.job.run_id}" in text
    assert f"/admin/automations/automation/{automation.pk}" in text


def test_links_are_for_those_who_may_follow_them(client, staff, log):
    for url in (page("changelist"), page("change", log["ok"].pk)):
        assert client.get(url).status_code == 403
    staff("view_requestlog")
    for url in (page("changelist"), page("change", log["ok"].pk)):
        text = text_of(client.get(url))
        assert log["ok"].pk in text
        assert "/admin/webhooks/webhookjob/job_" not in text
        assert "/admin/webhooks/webhook/hook_" not in text
        assert "/admin/webhooks/inboundendpoint/in_" not in text


def test_the_next_requests_are_those_that_the_filters_find(admin_client, log):
    around = neighbours_of(LogQuery(direction="in"), log["rejected"].pk)
    assert around == (log["inspected"].pk, log["hooked"].pk)
    assert neighbours_of(LogQuery(kind="form"), log["form"].pk) == ("", "")
    text = text_of(admin_client.get(page("change", log["rejected"].pk) + "?direction=in"))
    assert page("change", log["inspected"].pk) + "?direction=in" in text
    assert page("change", log["hooked"].pk) + "?direction=in" in text


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"request_body": "", "bodies_removed": True}, "it was too old to keep"),
        ({"request_truncated": True}, "Only the beginning was kept"),
    ],
)
def test_what_is_not_there_any_more_is_said_so(admin_client, values, words):
    text = text_of(admin_client.get(page("change", sent(**values, status_code=None).pk)))
    if "request_body" not in values:
        text = text_of(admin_client.get(page("change", sent(**values, request_body="x").pk)))
    assert words in text
    assert "Copy as cURL" not in text


def test_the_curl_command_has_our_address_and_no_credentials(admin_client):
    row = arrived(
        make_endpoint(),
        request_headers=[
            ["Host", "here.example"],
            ["Content-Length", "8"],
            ["X-Api-Key", "0123456789abcdef0123"],
        ],
    )
    text = text_of(admin_client.get(page("change", row.pk)))
    command = text.partition('<pre id="curl" hidden>')[2].partition("</pre>")[0]
    assert f"http://testserver{row.url}" in command or row.url in command
    assert "://" in command
    assert "Host:" not in command
    assert "Content-Length" not in command
    assert "0123456789abcdef0123" not in command


@pytest.mark.parametrize("pk", [new_id("req"), "nonsense", str(uuid.uuid4()), "req_\x00"])
def test_a_request_that_is_not_there_is_404(admin_client, pk):
    assert admin_client.get(page("change", pk)).status_code == 404
