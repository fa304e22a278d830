"""The request log's list: filters, pages, what it tells to whom."""

import uuid
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from automations.models import Run
from records.ids import decode, encode, new_id
from records.models import User
from tests.automations.making import step, work
from tests.webhooks.inbound.making import make_endpoint, make_listener, send
from tests.webhooks.jobs_at_hand import a_job, a_webhook, an_event
from tests.webhooks.requests_at_hand import arrived, page, queries_of, sent, text_of
from webhooks import logqueries, requestlog
from webhooks.admin.request_rows import where_of
from webhooks.logqueries import LogQuery
from webhooks.models import RequestLog, WebhookJob
from webhooks.requestlog import page_of

pytestmark = pytest.mark.django_db


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
