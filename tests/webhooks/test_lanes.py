"""Limits and circuits decide what a claim may take, and outcomes move the circuits."""

import uuid
from datetime import timedelta

import pytest
from django.utils import timezone

from tests.webhooks.making import answer, make_job, no_answer
from webhooks.circuits import OPEN_AFTER_FAILURES
from webhooks.claims import claim_jobs
from webhooks.models import Destination, Webhook, WebhookJob
from webhooks.outbound import outbound_request
from webhooks.outcomes import Finished, record_outcomes

pytestmark = pytest.mark.django_db

TOKEN = uuid.uuid4()
URL = "http://127.0.0.1:9/hook"
LANE = "http://127.0.0.1:9"


def claim(limit=100):
    return claim_jobs(token=TOKEN, limit=limit, room=lambda lane: 100)


def finish(jobs, outcome):
    record_outcomes(TOKEN, [Finished(job, outbound_request(job), outcome) for job in jobs])


def destination(**values):
    return Destination.objects.create(lane=LANE, **values)


def open_circuit(**values):
    now = timezone.now()
    defaults = {"circuit": "open", "failures": 20, "failing_since": now, "opened_at": now}
    return destination(**{**defaults, "probe_at": now, "probe_interval_s": 15, **values})


def test_a_destination_without_a_row_has_no_limits():
    for _ in range(30):
        make_job(URL)
    assert len(claim().jobs) == 30


def test_concurrency_counts_what_all_workers_have_in_the_air():
    destination(concurrency=3)
    make_job(URL, status="sending", lease_token=uuid.uuid4(), lease_until=timezone.now())
    for _ in range(5):
        make_job(URL)
    assert len(claim().jobs) == 2
    assert claim().jobs == []


def test_a_rate_limit_lets_so_many_go_and_says_when_the_next_may():
    destination(rate_per_s=5)
    for _ in range(20):
        make_job(URL)
    first, second = claim(), claim()
    assert len(first.jobs) == 5
    assert second.jobs == []
    assert 0 < second.again_in_s <= 0.2


def test_a_rate_limit_fills_up_again_with_time():
    limited = destination(rate_per_s=5)
    for _ in range(20):
        make_job(URL)
    claim()
    Destination.objects.filter(pk=limited.pk).update(
        tokens=0, tokens_at=timezone.now() - timedelta(seconds=0.5)
    )
    assert len(claim().jobs) == 2


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_rate_limit_survives_a_clock_that_jumps(hours):
    destination(rate_per_s=5, tokens=5, tokens_at=timezone.now() + timedelta(hours=hours))
    for _ in range(20):
        make_job(URL)
    assert len(claim().jobs) == 5


def test_a_rate_below_one_a_second_still_lets_the_first_go():
    destination(rate_per_s=0.1)
    make_job(URL)
    make_job(URL)
    assert len(claim().jobs) == 1
    assert claim().again_in_s > 1


def test_sustained_failure_opens_the_circuit_and_jobs_wait_without_using_up_attempts():
    for _ in range(OPEN_AFTER_FAILURES + 5):
        make_job(URL)
    finish(claim(limit=OPEN_AFTER_FAILURES).jobs, no_answer("timeout", "No answer within 30 s."))
    row = Destination.objects.get(lane=LANE)
    assert (row.circuit, row.last_error) == ("open", "No answer within 30 s.")
    assert claim().jobs == []
    waiting = WebhookJob.objects.filter(status="pending", attempts=0)
    assert waiting.count() == 5


def test_an_open_circuit_sends_one_probe_when_its_time_has_come():
    open_circuit()
    for _ in range(5):
        make_job(URL)
    assert len(claim().jobs) == 1
    assert claim().jobs == []


def test_a_probe_that_is_answered_closes_the_circuit():
    open_circuit()
    for _ in range(5):
        make_job(URL)
    finish(claim().jobs, answer(200))
    row = Destination.objects.get(lane=LANE)
    assert (row.circuit, row.failures, row.failing_since, row.last_error) == ("closed", 0, None, "")
    assert len(claim().jobs) == 4


def test_an_open_circuit_does_not_touch_other_destinations():
    open_circuit(probe_at=timezone.now() + timedelta(seconds=10))
    make_job(URL)
    other = make_job("http://127.0.0.1:10/hook")
    assert [job.id for job in claim().jobs] == [other.pk]


def test_a_clock_that_was_ahead_does_not_put_off_the_probe():
    open_circuit(probe_at=timezone.now() + timedelta(hours=1))
    make_job(URL)
    assert len(claim().jobs) == 1


def test_a_probe_is_spent_only_when_a_job_goes_out():
    open_circuit()
    job = make_job(URL, due_in_s=60)
    assert claim().jobs == []
    WebhookJob.objects.filter(pk=job.pk).update(next_attempt_at=timezone.now())
    assert len(claim().jobs) == 1
    assert Destination.objects.get(lane=LANE).probe_interval_s == 30


def test_a_disabled_destination_gets_nothing():
    open_circuit(circuit="disabled")
    make_job(URL)
    assert claim().jobs == []


def test_days_of_failures_disable_the_destination():
    destination(failing_since=timezone.now() - timedelta(days=6))
    make_job(URL)
    finish(claim().jobs, answer(500))
    assert Destination.objects.get(lane=LANE).circuit == "disabled"


def test_successes_leave_no_row_behind():
    make_job(URL)
    finish(claim().jobs, answer(200))
    assert not Destination.objects.exists()


def test_410_switches_the_webhook_off_and_says_so():
    webhook = Webhook.objects.create(name="Old", url=URL)
    job = make_job(URL, webhook=webhook)
    finish(claim().jobs, answer(410))
    webhook.refresh_from_db()
    job.refresh_from_db()
    assert not webhook.is_active
    assert "410 Gone" in webhook.disabled_reason
    assert (job.status, job.reason[:8]) == ("failed", "410 Gone")


def test_ordered_jobs_of_one_record_go_one_after_the_other():
    first, second = make_job(URL, order_key="a"), make_job(URL, order_key="a")
    other = make_job(URL, order_key="b")
    claimed = claim().jobs
    assert {job.id for job in claimed} == {first.pk, other.pk}
    assert claim().jobs == []
    finish(claimed, answer(200))
    assert [job.id for job in claim().jobs] == [second.pk]


def test_an_ordered_job_waits_through_all_retries_of_the_earlier_one():
    first, second = make_job(URL, order_key="a", retry_delays_s=[0]), make_job(URL, order_key="a")
    finish(claim().jobs, answer(500))
    assert [job.id for job in claim().jobs] == [first.pk]
    WebhookJob.objects.filter(pk=first.pk).update(status="failed")
    assert [job.id for job in claim().jobs] == [second.pk]
