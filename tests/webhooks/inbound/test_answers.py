"""Callers that wait get their run's answer; the others, and those whose run takes long, ask for it later."""

import threading
import time

import pytest
from django.db import connections

from automations.models import Run
from tests.automations.making import step, work
from tests.webhooks.inbound.making import make_listener, send
from webhooks.inbound import waiting
from webhooks.inbound.answers import answer_of_run, kept_answer, to_response
from webhooks.inbound.runs import RunState
from webhooks.inbound.statuses import status_url
from webhooks.models import RequestLog

RESPOND = step(
    "respond",
    "r",
    status=201,
    headers=[{"name": "X-Order", "value": "{{ webhook.body.n }}"}],
    body={"sum": "{{ webhook.body.n + 1 }}"},
)


@pytest.fixture
def working():
    """Somebody who does the work while a caller waits."""
    over = threading.Event()

    def go_on():
        while not over.is_set():
            work()
            time.sleep(0.01)
        connections.close_all()

    thread = threading.Thread(target=go_on)
    thread.start()
    yield
    over.set()
    thread.join()


def path_of(url):
    return "/api" + url.partition("/api")[2]


@pytest.mark.django_db(transaction=True)
def test_a_caller_that_waits_gets_what_the_run_responds(client, working):
    _, endpoint = make_listener(RESPOND, answer_mode="wait")
    answer = send(client, endpoint, {"n": 41})
    assert (answer.status_code, answer.json()) == (201, {"sum": 42})
    assert (answer["X-Order"], answer["Content-Type"]) == ("41", "application/json")
    row = RequestLog.objects.get()
    assert (row.status_code, row.response_body) == (201, answer.content.decode())
    again = send(client, endpoint, {"n": 41}, headers={"webhook-id": "1"})
    repeat = send(client, endpoint, {"n": 41}, headers={"webhook-id": "1"})
    assert (repeat.status_code, repeat.content) == (again.status_code, again.content)
    assert Run.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_a_run_that_goes_on_after_its_answer_does_not_keep_the_caller(client, working):
    _, endpoint = make_listener(
        RESPOND, step("wait", "w", duration=1, unit="days"), answer_mode="wait"
    )
    assert send(client, endpoint, {"n": 1}).status_code == 201
    assert Run.objects.get().status in ("running", "waiting", "pending")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("steps", "status", "state"),
    [
        ([step("set_variables", "s", variables={"a": 1})], 200, "succeeded"),
        ([step("stop", "s", outcome="failed", message="No.")], 502, "failed"),
    ],
)
def test_a_run_that_ends_without_an_answer_says_how(client, working, steps, status, state):
    _, endpoint = make_listener(*steps, answer_mode="wait")
    answer = send(client, endpoint)
    assert (answer.status_code, answer.json()["status"]) == (status, state)


@pytest.mark.django_db
def test_a_run_that_takes_too_long_is_asked_for_later(client):
    _, endpoint = make_listener(RESPOND, answer_mode="wait", wait_s=0)
    answer = send(client, endpoint, {"n": 1})
    assert answer.status_code == 202
    address = path_of(answer.json()["status_url"])
    before = client.get(address)
    assert before.json() == {"run": answer.json()["run"], "status": "pending", "answer": None}
    work()
    after = client.get(address).json()
    assert (after["status"], after["answer"]["body"]) == ("succeeded", '{"sum":2}')
    assert RequestLog.objects.get().status_code == 202


@pytest.mark.django_db
def test_only_so_many_wait_at_once(client, monkeypatch):
    monkeypatch.setattr(waiting, "_places", threading.BoundedSemaphore(1))
    _, endpoint = make_listener(RESPOND, answer_mode="wait", wait_s=20)
    with waiting._places:
        began = time.monotonic()
        assert send(client, endpoint).status_code == 202
    assert time.monotonic() - began < 5


@pytest.mark.django_db
@pytest.mark.parametrize(
    "change", [lambda t: t[:-1], lambda t: t + "x", lambda t: "evt_x", str.upper]
)
def test_the_status_is_for_whoever_has_the_token(client, change):
    _, endpoint = make_listener(RESPOND)
    send(client, endpoint)
    address = path_of(status_url(str(RequestLog.objects.get().event_id)))
    assert client.get(address).status_code == 200
    refused = client.post(address)
    assert (refused.status_code, refused["Allow"]) == (405, "GET, HEAD")
    assert "Ask for it with GET" in refused.json()["error"]
    head, slash, token = address.rpartition("/")
    assert client.get(f"{head}{slash}{change(token)}").status_code == 404


@pytest.mark.django_db
def test_a_request_that_set_off_nothing_says_so(client):
    _, endpoint = make_listener(RESPOND, state="paused", is_active=True)
    answer = send(client, endpoint).json()
    assert answer["run"] is None
    assert client.get(path_of(answer["status_url"])).json()["status"] == "none"


@pytest.mark.parametrize(
    ("kept", "status", "headers", "body"),
    [
        ({"status": 404, "headers": [["X-A", "1"]], "body": "no"}, 404, {"X-A": "1"}, b"no"),
        ({"status": 204, "headers": [], "body": "ignored"}, 204, {}, b""),
        ({"status": 99, "headers": None, "body": None}, 200, {}, b""),
        ({"status": "200"}, 200, {}, b""),
        ({}, 200, {}, b""),
        ({"headers": [["X-A", "caf\u2603"]]}, 200, {"X-A": "caf?"}, b""),
    ],
)
def test_what_a_run_answered_is_sent(kept, status, headers, body):
    response = to_response(kept_answer(kept))
    assert (response.status_code, response.content) == (status, body)
    assert {name: response[name] for name in headers} == headers


@pytest.mark.parametrize(
    "name",
    ["Set-Cookie", "Transfer-Encoding", "Connection", "content-length", "X-A\r\nX-B", "",
     "Content-Security-Policy", "Strict-Transport-Security", "Keep-Alive", "Upgrade"],
)  # fmt: skip
def test_headers_that_are_not_the_runs_to_set_are_left_out(name):
    response = to_response(kept_answer({"headers": [[name, "evil"]], "body": "x"}))
    assert "evil" not in repr(list(response.items()))


def test_a_header_with_a_line_break_is_left_out():
    response = to_response(kept_answer({"headers": [["X-A", "1\r\nSet-Cookie: a=b"]]}))
    assert "X-A" not in response


def test_an_answer_is_no_page_of_ours():
    kept = {"headers": [["Content-Type", "text/html"]], "body": "<script>alert(1)</script>"}
    response = to_response(answer_of_run(RunState("run", "succeeded", True, answer=kept)))
    assert response["Content-Type"] == "text/html"
    assert "sandbox" in response["Content-Security-Policy"]
