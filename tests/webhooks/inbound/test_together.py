"""Requests that come at the same moment are stored in one transaction; each caller gets the answer to its own."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import DatabaseError, connection, connections
from django.test import Client
from django.test.utils import CaptureQueriesContext

from automations.models import Run
from config.groupcommit import GroupCommit
from records.dispatch import events_dispatched
from records.models import Event, Upload
from tests.automations.making import step, work
from tests.webhooks.inbound.making import make_listener, send
from webhooks.inbound import storing
from webhooks.models import Arrival, RequestLog

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def endpoint():
    _, endpoint = make_listener(
        step("set_variables", "s1", variables={"n": "{{ webhook.body.n }}"})
    )
    return endpoint


@pytest.fixture
def at_once(monkeypatch):
    """Send requests that are all there before the first of them is stored; their answers, in order."""

    def send_all(endpoint, *requests):
        batches = []
        gate = threading.Event()

        def store_all(arrivals):
            gate.wait(10)
            batches.append(len(arrivals))
            return storing._store_all(arrivals)

        together = GroupCommit(store_all, limit=8)
        monkeypatch.setattr(storing, "_together", together)

        def deliver(values):
            try:
                return send(Client(), endpoint, **values)
            finally:
                connections.close_all()

        with ThreadPoolExecutor(len(requests) + 1) as pool:
            first = pool.submit(deliver, {"value": {"n": "first"}})
            answers = [pool.submit(deliver, values) for values in requests]
            pause = threading.Event()
            for _ in range(1_000):
                if len(together._waiting) == len(requests):
                    break
                pause.wait(0.01)
            gate.set()
            assert first.result(20).status_code == 202
            found = [answer.result(20) for answer in answers]
        assert batches == [1, len(requests)]
        return found

    return send_all


def body_of(answer):
    """What the request was that an answer is about, by its run."""
    return Run.objects.get(pk=answer.json()["run"]).event.after["body"]


def test_each_gets_the_answer_to_its_own(endpoint, at_once):
    answers = at_once(endpoint, *({"value": {"n": n}} for n in range(7)))
    assert [answer.status_code for answer in answers] == [202] * 7
    assert [body_of(answer) for answer in answers] == [{"n": n} for n in range(7)]
    for answer in answers:
        row = RequestLog.objects.get(run_id=answer.json()["run"])
        assert row.response_body == answer.content.decode()
    work()
    assert {run.variables["vars"]["n"] for run in Run.objects.all()} == {"first", *range(7)}


def test_repeats_and_refusals_among_them_concern_nobody_else(endpoint, at_once):
    answers = at_once(
        endpoint,
        {"value": {"n": 1}, "headers": {"webhook-id": "a"}},
        {"value": {"n": 1}, "headers": {"webhook-id": "a"}},
        {"value": {"n": 2}, "headers": {"webhook-id": "a"}},
        {"value": {"n": 3}, "headers": {"webhook-id": "b"}},
        {"value": {"n": 4}},
    )
    codes = sorted(answer.status_code for answer in answers[:3])
    # Of the three with one id two agree, or each of the two bodies is there once and the third is one of them.
    assert codes in ([202, 202, 409], [202, 409, 409])
    assert [answer.status_code for answer in answers[3:]] == [202, 202]
    assert len({answer.json()["run"] for answer in answers[:3] if answer.status_code == 202}) == 1
    assert Arrival.objects.count() == 2
    assert Event.objects.filter(type="webhook.received").count() == Run.objects.count() == 4


def test_one_that_cannot_be_reacted_to_is_kept_and_the_others_are_as_ever(endpoint, at_once):
    def break_down(sender, events, **kwargs):
        if any(event.after["body"]["n"] == "bad" for event in events):
            raise DatabaseError("no")

    events_dispatched.connect(break_down)
    try:
        answers = at_once(
            endpoint, {"value": {"n": 1}}, {"value": {"n": "bad"}}, {"value": {"n": 2}}
        )
    finally:
        events_dispatched.disconnect(break_down)
    assert [answer.status_code for answer in answers] == [202] * 3
    assert [answer.json()["run"] is None for answer in answers] == [False, True, False]
    assert Event.objects.filter(dispatched_at=None).count() == 1
    assert RequestLog.objects.count() == 4
    work()
    assert Run.objects.filter(status="succeeded").count() == 4


def test_files_stay_only_of_what_is_stored(endpoint, at_once, settings, tmp_path, monkeypatch):
    settings.MEDIA_ROOT = tmp_path
    log_row = storing.log_row

    def fail_for_one(incoming, *args, **kwargs):
        if b"broken" in incoming.body:
            raise DatabaseError("no")
        return log_row(incoming, *args, **kwargs)

    monkeypatch.setattr(storing, "log_row", fail_for_one)

    def with_file(content):
        head = '--x\r\nContent-Disposition: form-data; name="f"; filename="a.txt"\r\n\r\n'
        return {
            "body": f"{head}{content}\r\n--x--\r\n".encode(),
            "content_type": "multipart/form-data; boundary=x",
        }

    answers = at_once(endpoint, with_file("whole"), with_file("broken"))
    assert [answer.status_code for answer in answers] == [202, 503]
    assert [upload.file.read() for upload in Upload.objects.all()] == [b"whole"]
    assert len([path for path in tmp_path.rglob("*") if path.is_file()]) == 1


@pytest.fixture
def let_in(endpoint, monkeypatch):
    """Requests as they come to be stored."""

    def make(count):
        requests = []

        class Keeping:
            """Takes requests, and stores none."""

            def do(self, request):
                requests.append(request)
                return storing.Stored(request.request_id, request.event.pk, None, None)

        monkeypatch.setattr(storing, "_together", Keeping())
        for n in range(count):
            send(Client(), endpoint, {"n": n})
        return requests

    return make


def test_eight_cost_as_many_statements_as_one(let_in):
    requests = let_in(10)

    def statements(count):
        with CaptureQueriesContext(connection) as queries:
            outcomes = storing._store_all([requests.pop() for _ in range(count)])
        assert all(isinstance(each, storing.Stored) for each in outcomes)
        return len(queries)

    statements(1)
    # What is asked once a second may fall into either.
    assert statements(8) <= statements(1) + 1


def test_a_connection_that_the_database_has_dropped_is_made_anew(let_in):
    if connection.vendor == "sqlite":
        pytest.skip("SQLite's connections are not dropped by a server.")
    requests = let_in(2)
    connection.connection.close()
    outcomes = storing._store_all(requests)
    assert [outcome.run_id for outcome in outcomes] == [
        Run.objects.get(event=outcome.event_id).pk for outcome in outcomes
    ]
    assert RequestLog.objects.count() == 2
