"""The engine: claims, sends through threads, writes outcomes, and ends in good order."""

import threading
import time
import uuid
from contextlib import contextmanager

import pytest
from django.db import OperationalError

from tests.waiting import wait_until
from tests.webhooks.making import FakeTransport, answer, make_job
from webhooks import claims, outcomes
from webhooks.engine import DeliveryEngine
from webhooks.models import RequestLog, WebhookJob

pytestmark = pytest.mark.django_db(transaction=True)


@contextmanager
def running(transport, *, concurrency=8, per_lane=4):
    engine = DeliveryEngine(transport, concurrency=concurrency, per_lane=per_lane)
    engine.start()
    try:
        yield engine
    finally:
        engine.stop()


def count(status):
    return WebhookJob.objects.filter(status=status).count()


def test_it_sends_what_is_due_and_records_it():
    jobs = [make_job() for _ in range(30)]
    transport = FakeTransport()
    with running(transport):
        wait_until(lambda: count("succeeded") == 30)
    assert sorted(dict(request.headers)["webhook-id"] for request in transport.sent) == sorted(
        job.pk for job in jobs
    )
    assert RequestLog.objects.count() == 30


def test_a_wake_makes_it_look_again():
    transport = FakeTransport()
    with running(transport) as engine:
        time.sleep(0.2)
        make_job()
        engine.wake()
        wait_until(lambda: count("succeeded") == 1)


def test_a_destination_that_hangs_leaves_senders_for_the_others():
    release = threading.Event()

    def respond(request):
        if request.url.startswith("http://127.0.0.1:1/"):
            release.wait(10)
        return answer()

    for _ in range(20):
        make_job("http://127.0.0.1:1/hangs")
    for _ in range(20):
        make_job("http://127.0.0.1:2/quick")
    with running(FakeTransport(respond)):
        wait_until(lambda: count("succeeded") == 20)
        assert not WebhookJob.objects.filter(status="succeeded", url__contains="hangs").exists()
        release.set()
        wait_until(lambda: count("succeeded") == 40)


def test_leases_are_renewed_while_a_request_takes_its_time(monkeypatch):
    monkeypatch.setattr("webhooks.engine.LEASE_RENEWAL_S", 0.1)
    release = threading.Event()
    renewals = []
    renew = claims.renew_leases
    monkeypatch.setattr(
        "webhooks.claims.renew_leases",
        lambda token, jobs: renewals.append(token) or renew(token, jobs),
    )
    make_job()
    with running(FakeTransport(lambda request: release.wait(10) and answer())):
        wait_until(lambda: len(renewals) >= 3)
        release.set()
        wait_until(lambda: count("succeeded") == 1)


def test_an_outcome_is_kept_until_the_database_takes_it(monkeypatch):
    record, failures = outcomes.record_outcomes, []

    def flaky(token, finished):
        if len(failures) < 2:
            failures.append(1)
            raise OperationalError("the database was restarted")
        record(token, finished)

    monkeypatch.setattr("webhooks.outcomes.record_outcomes", flaky)
    make_job()
    transport = FakeTransport()
    with running(transport):
        wait_until(lambda: count("succeeded") == 1)
    assert len(transport.sent) == 1
    assert len(failures) == 2


def test_stopping_waits_for_what_is_in_the_air_and_gives_back_the_rest():
    began = threading.Event()

    def respond(request):
        began.set()
        time.sleep(0.3)
        return answer()

    for _ in range(6):
        make_job()
    transport = FakeTransport(respond)
    with running(transport, concurrency=2, per_lane=6) as engine:
        began.wait(5)
        engine.stop(timeout_s=3)
    assert count("sending") == 0
    assert count("succeeded") == len(transport.sent)
    assert count("pending") == 6 - len(transport.sent)
    assert set(WebhookJob.objects.filter(status="pending").values_list("attempts", flat=True)) <= {
        0
    }


def test_nothing_is_sent_on_a_lease_that_ran_out(monkeypatch):
    monkeypatch.setattr("webhooks.engine.LEASE_S", -1.0)
    released, release = [], claims.release_leases

    def give_back(token, jobs):
        release(token, jobs)
        released.extend(jobs)

    monkeypatch.setattr("webhooks.claims.release_leases", give_back)
    make_job()
    transport = FakeTransport()
    with running(transport):
        wait_until(lambda: released)
    assert transport.sent == []
    assert list(WebhookJob.objects.values_list("status", "attempts")) == [("pending", 0)]


def test_nothing_is_sent_that_was_lost_to_another_worker(monkeypatch):
    monkeypatch.setattr("webhooks.engine.LEASE_RENEWAL_S", 0.05)
    release, stolen = threading.Event(), make_job("http://127.0.0.1:2/waits", due_in_s=-1)
    make_job("http://127.0.0.1:1/hangs", due_in_s=-60)
    transport = FakeTransport(lambda request: release.wait(10) and answer())
    with running(transport, concurrency=1, per_lane=1) as engine:
        wait_until(lambda: len(transport.sent) == 1)
        engine._in_hand[stolen.pk] = claimed = claims.claim_jobs(
            token=engine._token, limit=1, room=lambda lane: 1
        ).jobs[0]
        engine._in_lane[claimed.lane] += 1
        engine._tasks.put(claimed)
        WebhookJob.objects.filter(pk=stolen.pk).update(lease_token=uuid.uuid4())
        wait_until(lambda: stolen.pk not in engine._in_hand)
        release.set()
        wait_until(lambda: count("succeeded") == 1)
    assert ["hangs" in request.url for request in transport.sent] == [True]


def test_one_outcome_that_cannot_be_written_does_not_hold_up_the_others():
    gone = make_job()
    jobs = [make_job() for _ in range(5)]
    go = threading.Barrier(7)

    def respond(request):
        go.wait(10)
        return answer()

    with running(FakeTransport(respond), concurrency=16, per_lane=8):
        wait_until(lambda: go.n_waiting == 6)
        WebhookJob.objects.filter(pk=gone.pk).delete()
        go.wait(10)
        wait_until(lambda: count("succeeded") == 5)
    assert set(WebhookJob.objects.values_list("pk", flat=True)) == {job.pk for job in jobs}


def test_a_request_that_cannot_be_made_does_not_hold_its_job_for_ever():
    job = make_job(headers=["no pair"], retry_delays_s=[])
    with running(FakeTransport()):
        wait_until(lambda: count("failed") == 1)
    job.refresh_from_db()
    assert job.error_kind == "internal"
    assert "its log has the details" in job.error


def test_an_outcome_is_not_written_twice_when_the_commit_was_in_doubt(monkeypatch):
    record, calls = outcomes.record_outcomes, []

    def in_doubt(token, finished):
        calls.append(len(finished))
        if finished:
            record(token, finished)
            raise OperationalError("the connection broke in the commit")

    monkeypatch.setattr("webhooks.outcomes.record_outcomes", in_doubt)
    make_job()
    with running(FakeTransport()):
        wait_until(lambda: calls == [1, 0])
    assert count("succeeded") == 1
    assert RequestLog.objects.count() == 1


def test_what_stays_in_the_air_when_the_worker_stops_is_put_back_at_once():
    began, release = threading.Event(), threading.Event()

    def respond(request):
        began.set()
        release.wait(10)
        return answer()

    job = make_job()
    with running(FakeTransport(respond)) as engine:
        began.wait(5)
        engine.stop(timeout_s=0.2)
        release.set()
    job.refresh_from_db()
    assert (job.status, job.attempts, job.interruptions) == ("pending", 1, 1)
