"""The request log: its list, filters and pages, and what one request's page shows."""

import uuid
from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.urls import reverse
from django.utils import timezone

from automations.models import Run
from records.ids import decode, encode, new_id
from records.models import User
from tests.automations.making import step, work
from tests.webhooks.inbound.making import make_endpoint, make_form, make_listener, send
from tests.webhooks.jobs_at_hand import a_job, a_person, a_webhook, an_event
from tests.webhooks.requests_at_hand import arrived, page, queries_of, sent, text_of
from webhooks import logqueries, requestlog
from webhooks.admin.request_rows import where_of
from webhooks.logqueries import LogQuery
from webhooks.models import InboundEndpoint, RequestLog, WebhookJob
from webhooks.requestlog import neighbours_of, page_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def staff(client):
    """A member of staff who may do nothing; `may(...)` gives permissions."""
    user = User.objects.create_user("staff", is_staff=True)
    client.force_login(user)

    def may(*codenames):
        user.user_permissions.add(*Permission.objects.filter(codename__in=codenames))

    return may


@pytest.fixture
def log():
    """One of each kind, with every outcome."""
    webhook = a_webhook()
    endpoint = make_endpoint()
    inspector = InboundEndpoint.objects.create(name="Inspector")
    refused = {"status_code": 401, "error_kind": "unverified", "error": "The signature is wrong."}
    return {
        "ok": sent(a_job(webhook=webhook), actor=a_person("ada", last_name="Lovelace")),
        "not found": sent(a_job(webhook=webhook), status_code=404, method="PUT"),
        "broken": sent(
            a_job(run_id=new_id("run"), step_path="s1"), status_code=503, duration_ms=1500
        ),
        "silent": sent(
            remote_address="[2001:db8::1]:443",
            status_code=None,
            error_kind="dns",
            error="No address for `x.invalid`.",
        ),
        "hooked": arrived(endpoint, remote_address="192.0.2.7", request_body='{"name": "Ada"}'),
        "rejected": arrived(endpoint, **refused),
        "inspected": arrived(inspector, is_kept=True, name="An order"),
        "form": arrived(make_form(), response_body='{"record": "rec_1"}', duration_ms=100),
    }


SENT = {"ok", "not found", "broken", "silent"}
RECEIVED = {"hooked", "rejected", "inspected", "form"}


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({}, SENT | RECEIVED),
        ({"direction": "out"}, SENT),
        ({"direction": "in"}, RECEIVED),
        ({"kind": "webhook"}, {"ok", "not found"}),
        ({"kind": "step"}, {"broken"}),
        ({"kind": "automation"}, {"hooked"}),
        ({"kind": "inspector"}, {"inspected"}),
        ({"kind": "form"}, {"form"}),
        ({"kind": "rejected"}, {"rejected"}),
        ({"outcome": "2"}, {"ok", "hooked", "inspected", "form"}),
        ({"outcome": "4"}, {"not found", "rejected"}),
        ({"outcome": "5"}, {"broken"}),
        ({"outcome": "error"}, {"silent"}),
        ({"outcome": "4", "direction": "out"}, {"not found"}),
        ({"method": "PUT"}, {"not found"}),
        ({"time": "1h"}, SENT | RECEIVED),
        ({"from": "2125-01-31T09:30"}, set()),
        ({"kept": "1"}, {"inspected"}),
        ({"took": "1000"}, {"broken"}),
        ({"took": "100"}, {"broken", "form"}),
        ({"took": "17"}, SENT | RECEIVED),
        ({"who": "192.0.2."}, {"hooked"}),
        ({"who": "[2001:db8"}, {"silent"}),
        ({"who": "lovel"}, {"ok"}),
        ({"who": "lovel", "outcome": "4"}, set()),
        ({"who": "nobody"}, set()),
        ({"q": "ada"}, {"hooked"}),
        ({"q": "REC_1"}, {"form"}),
        ({"q": "x.invalid"}, {"silent"}),
        ({"q": "example.com/ho"}, SENT),
        ({"q": "job_00000000000000000000000000"}, set()),
        ({"q": "job_!!!!!!!!!!!!!!!!!!!!!!!!!!"}, set()),
        ({"kind": "step", "direction": "in"}, set()),
        ({"direction": "sideways", "outcome": "9", "time": "x", "endpoint": "x", "before": "x",
          "automation": "x", "webhook": "x", "kind": "x", "method": "x", "kept": "x"}, SENT | RECEIVED),
    ],
)  # fmt: skip
def test_filters(admin_client, log, filters, expected):
    text = text_of(admin_client.get(page("changelist"), filters))
    assert {name for name, row in log.items() if page("change", row.pk) in text} == expected


def test_what_is_no_choice_is_told(admin_client):
    text = text_of(admin_client.get(page("changelist"), {"kind": "<b>", "endpoint": "x"}))
    assert "“&lt;b&gt;” is no choice" in text
    assert "is no id of" in text


def found_by(query):
    return [row.pk for row in page_of(query).rows]


def test_the_log_of_one_endpoint_and_of_one_webhook(log):
    assert found_by(LogQuery(endpoint_id=log["inspected"].endpoint_id)) == [log["inspected"].pk]
    webhook = log["ok"].job.webhook_id
    assert found_by(LogQuery(webhook_id=webhook)) == [log["not found"].pk, log["ok"].pk]


def test_a_webhook_with_many_jobs_is_looked_for_in_windows(log, monkeypatch):
    monkeypatch.setattr(logqueries, "_FEW_JOBS", 1)
    webhook = log["ok"].job.webhook_id
    assert found_by(LogQuery(webhook_id=webhook)) == [log["not found"].pk, log["ok"].pk]


@pytest.mark.parametrize("few", [500, 0])
def test_the_log_of_an_automation_is_what_it_received_and_what_its_steps_sent(
    client, log, few, monkeypatch
):
    monkeypatch.setattr(logqueries, "_FEW_JOBS", few)
    automation, endpoint = make_listener(step("webhook", "call", url="https://api.example.com/"))
    send(client, endpoint)
    work()
    step_of_it = sent(WebhookJob.objects.get(run_id=Run.objects.get().pk))
    received = RequestLog.objects.get(endpoint=endpoint)
    query = LogQuery(automation_id=automation.pk)
    assert found_by(query) == [step_of_it.pk, received.pk]
    assert found_by(LogQuery(run_id=Run.objects.get().pk)) == [step_of_it.pk, received.pk]
    assert found_by(LogQuery(event_id=received.event_id)) == [step_of_it.pk, received.pk]


def test_an_id_finds_its_requests(admin_client, log):
    for text in (log["ok"].pk, log["ok"].job_id, log["ok"].job_id.upper()):
        found = text_of(admin_client.get(page("changelist"), {"q": text}))
        assert page("change", log["ok"].pk) in found
        assert page("change", log["not found"].pk) not in found


def test_time_is_a_range_of_ids(admin_client):
    old = sent(id=f"req_{'0' * 26}")
    new = sent()
    text = text_of(admin_client.get(page("changelist"), {"time": "7d"}))
    assert new.pk in text
    assert old.pk not in text


# --- pages -----------------------------------------------------------------------------------


def test_pages_go_on_from_a_known_row_and_back(monkeypatch):
    monkeypatch.setattr(requestlog, "PAGE_SIZE", 2)
    rows = [sent().pk for _ in range(5)]
    seen, older, pages = [], "", []
    for _ in range(3):
        found = page_of(LogQuery(), before=older)
        pages.append(found)
        seen += [row.pk for row in found.rows]
        older = found.older
    assert seen == rows[::-1]
    assert older == ""
    back = page_of(LogQuery(), after=pages[2].newer)
    assert [row.pk for row in back.rows] == rows[1:3][::-1]
    newest = page_of(LogQuery(), after=rows[3])
    assert ([row.pk for row in newest.rows], newest.newer) == (rows[:2:-1], "")


def test_filters_survive_paging(admin_client, monkeypatch):
    monkeypatch.setattr(requestlog, "PAGE_SIZE", 2)
    rows = [sent() for _ in range(4)]
    text = text_of(admin_client.get(page("changelist"), {"direction": "out", "method": "POST"}))
    assert f"?direction=out&amp;method=POST&amp;before={rows[2].pk}" in text


def test_a_rare_row_is_looked_for_no_further_than_a_window(admin_client, monkeypatch):
    monkeypatch.setattr(requestlog, "WINDOW", 3)
    rare = sent(method="PUT")
    rows = [sent() for _ in range(5)]
    query = LogQuery(method="PUT")
    first = page_of(query)
    assert (list(first.rows), first.older) == ([], rows[2].pk)
    second = page_of(query, before=first.older)
    assert [row.pk for row in second.rows] == [rare.pk]
    text = text_of(admin_client.get(page("changelist"), {"method": "PUT"}))
    assert "Looked through 3 requests" in text


def test_of_bodies_the_beginning_is_searched(monkeypatch):
    monkeypatch.setattr(logqueries, "SEARCHED_OF_BODY", 10)
    row = sent(request_body="0123456789needle", response_body="a needle")
    assert found_by(LogQuery(text="a needle")) == [row.pk]
    assert found_by(LogQuery(text="9needle")) == []


def test_the_log_is_never_counted_and_takes_the_same_queries(admin_client, log):
    url = page("changelist")
    count = queries_of(admin_client, url)
    user = User.objects.get(username="admin")
    for _ in range(5):
        sent(a_job(webhook=a_webhook(name="Another")))
        arrived(make_endpoint(), actor=user, status_code=None)
        arrived(make_endpoint(), run_id=new_id("run"))
    assert queries_of(admin_client, url) == count


@pytest.mark.parametrize(
    ("filters", "words"),
    [
        ({}, "Nothing was sent or received yet"),
        ({"direction": "in"}, "No request matches"),
        ({"kept": "1"}, "No samples are kept"),
    ],
)
def test_an_empty_list_says_why(admin_client, filters, words):
    assert words in text_of(admin_client.get(page("changelist"), filters))


def test_the_list_shows_no_secret_part_of_an_address(admin_client):
    endpoint = make_endpoint()
    row = arrived(endpoint, url=f"{endpoint.path}/more?a=b")
    text = text_of(admin_client.get(page("changelist")))
    assert where_of(row) == "automation/…/more?a=b"
    assert where_of(row) in text
    assert endpoint.token not in text


def test_the_address_of_an_endpoint_is_for_those_who_may_change_it(client, staff):
    endpoint = make_endpoint()
    row = arrived(endpoint, url=f"{endpoint.path}/more?a=b")
    tried = arrived(endpoint, url=f"/api/webhooks/test/{endpoint.test_token}")
    staff("view_requestlog", "view_inboundendpoint", "view_webhookjob")
    pages = [
        page("change", row.pk),
        page("change", tried.pk),
        page("changelist"),
        reverse("admin:webhooks_inboundendpoint_change", args=[endpoint.pk]),
        reverse("admin:webhooks_inboundendpoint_changelist"),
        reverse("admin:webhooks_inboundendpoint_arrivals", args=[endpoint.pk]),
    ]
    for url in pages:
        text = text_of(client.get(url))
        assert endpoint.token not in text
        assert endpoint.test_token not in text
    assert "/api/webhooks/automation/…/more?a=b" in text_of(client.get(pages[0]))
    staff("change_inboundendpoint")
    for url in (pages[0], pages[3], pages[4], pages[5]):
        assert endpoint.token in text_of(client.get(url))


def test_an_address_can_not_be_guessed_by_searching_for_parts_of_it(client, staff):
    endpoint = make_endpoint()
    row = arrived(endpoint, url=f"{endpoint.path}?colour=green")
    plain = arrived(endpoint)

    def found(text):
        answer = text_of(client.get(page("changelist"), {"q": text}))
        return {each.pk for each in (row, plain) if page("change", each.pk) in answer}

    staff("view_requestlog")
    assert found(endpoint.token[:8]) == set()
    assert found("green") == {row.pk}
    staff("change_inboundendpoint")
    assert found(endpoint.token[:8]) == {row.pk, plain.pk}


def test_repeats_are_found_by_the_run_that_they_were_answered_with(client):
    _, endpoint = make_listener(step("stop", "s"))
    for _ in range(2):
        send(client, endpoint, headers={"webhook-id": "msg_1"})
    first, repeat = RequestLog.objects.order_by("pk")
    assert repeat.error_kind == "repeat"
    a_day_later = encode("req", uuid.UUID(int=decode("req", repeat.pk).int + (86_400_000 << 80)))
    RequestLog.objects.filter(pk=repeat.pk).update(id=a_day_later)
    assert found_by(LogQuery(run_id=first.run_id)) == [a_day_later, first.pk]


# --- one request -----------------------------------------------------------------------------


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


def test_nobody_can_change_the_log(admin_client, log):
    row = log["ok"]
    delete = page("change", row.pk).replace("/change/", "/delete/")
    assert admin_client.get(page("add")).status_code == 403
    assert admin_client.post(delete, {"post": "yes"}).status_code == 403
    admin_client.post(page("change", row.pk), {"url": "https://changed.example"})
    row.refresh_from_db()
    assert row.url == "https://example.com/hook"


def test_an_old_id_of_an_event_is_found(log):
    event = an_event()
    then = timezone.now() - timedelta(days=40)
    old = encode("req", uuid.UUID(int=int(then.timestamp() * 1000) << 80))
    row = arrived(log["hooked"].endpoint, id=old, event=event)
    assert found_by(LogQuery(event_id=event.pk)) == [row.pk]
