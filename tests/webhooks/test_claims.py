"""Claims are leases, outcomes are written in bulk, and dead workers' jobs come back."""

import threading
import uuid
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from config.queues import LEASE_S
from tests.webhooks.making import answer, make_job, no_answer
from webhooks import claims, outcomes, taking
from webhooks.claims import claim_jobs, free_lapsed_jobs
from webhooks.models import RequestLog, WebhookJob
from webhooks.outbound import outbound_request
from webhooks.outcomes import Finished, record_outcomes
from webhooks.retries import MAX_INTERRUPTIONS

TOKEN = uuid.uuid4()


def claim(limit=10, room=lambda lane: 100, token=TOKEN, **options):
    return claim_jobs(token=token, limit=limit, room=room, **options).jobs


def finish(job, outcome):
    return Finished(job, outbound_request(job), outcome)


def let_lease_lapse(job):
    WebhookJob.objects.filter(pk=job.pk).update(lease_until=timezone.now() - timedelta(seconds=1))


@pytest.mark.django_db
def test_a_claim_takes_due_jobs_and_counts_the_attempt():
    job = make_job()
    (claimed,) = claim()
    job.refresh_from_db()
    assert (claimed.id, claimed.attempts) == (job.pk, 1)
    assert (job.status, job.attempts, job.lease_token) == ("sending", 1, TOKEN)
    assert timezone.now() < job.lease_until <= timezone.now() + timedelta(seconds=LEASE_S)


@pytest.mark.django_db
@pytest.mark.parametrize("status", ["sending", "succeeded", "failed", "cancelled"])
def test_only_pending_jobs_are_claimed(status):
    make_job(status=status)
    assert claim() == []


@pytest.mark.django_db
def test_a_job_is_not_claimed_before_its_time():
    make_job(due_in_s=60)
    assert claim() == []


@pytest.mark.django_db
def test_the_longest_due_job_of_a_lane_goes_first():
    later, earlier = make_job(due_in_s=-1), make_job(due_in_s=-60)
    assert [job.id for job in claim(limit=1)] == [earlier.pk]
    assert [job.id for job in claim(limit=1)] == [later.pk]


@pytest.mark.django_db
def test_a_full_lane_leaves_room_for_the_others():
    for _ in range(20):
        make_job("http://127.0.0.1:1/busy")
    quiet = make_job("http://127.0.0.1:2/quiet")
    claimed = claim(limit=10)
    assert len(claimed) == 10
    assert quiet.pk in {job.id for job in claimed}


@pytest.mark.django_db
def test_a_lane_without_room_is_passed_over():
    make_job("http://127.0.0.1:1/full")
    free = make_job("http://127.0.0.1:2/free")
    claimed = claim(room=lambda lane: 0 if lane.endswith(":1") else 5)
    assert [job.id for job in claimed] == [free.pk]


@pytest.mark.django_db
def test_every_lane_gets_its_turn_when_there_are_more_than_one_claim_looks_at(monkeypatch):
    monkeypatch.setattr(taking, "LANES_PER_CLAIM", 2)
    for port in range(1, 6):
        make_job(f"http://127.0.0.1:{port}/")
        make_job(f"http://127.0.0.1:{port}/")
    seen, last = [], ""
    for _ in range(3):
        claimed = claim(limit=2, after_lane=last)
        seen += [job.lane for job in claimed]
        last = claimed[-1].lane
    assert len(set(seen)) == 5


@pytest.mark.django_db
def test_a_success_ends_the_job_and_logs_the_exchange():
    job = make_job()
    (claimed,) = claim()
    record_outcomes(TOKEN, [finish(claimed, answer(202))])
    job.refresh_from_db()
    log = RequestLog.objects.get(job=job)
    assert (job.status, job.status_code, job.error, job.next_attempt_at) == (
        "succeeded",
        202,
        "",
        None,
    )
    assert (job.lease_token, job.lease_until) == (None, None)
    assert job.finished_at is not None
    assert (log.attempt, log.status_code, log.response_body) == (1, 202, '{"ok":true}')
    assert ["webhook-id", job.pk] in log.request_headers
    assert log.request_body == job.body


@pytest.mark.django_db
def test_a_failure_waits_for_its_next_attempt():
    job = make_job()
    (claimed,) = claim()
    record_outcomes(TOKEN, [finish(claimed, no_answer("timeout", "No answer within 30 s."))])
    job.refresh_from_db()
    assert (job.status, job.error_kind, job.error) == (
        "pending",
        "timeout",
        "No answer within 30 s.",
    )
    assert 55 < (job.next_attempt_at - timezone.now()).total_seconds() <= 60
    assert job.finished_at is None


@pytest.mark.django_db
def test_the_last_failure_ends_the_job():
    job = make_job(attempts=3)
    (claimed,) = claim()
    record_outcomes(TOKEN, [finish(claimed, answer(500))])
    job.refresh_from_db()
    assert (job.status, job.status_code, job.attempts) == ("failed", 500, 4)
    assert job.finished_at is not None


@pytest.mark.django_db
def test_manual_attempts_and_interruptions_do_not_use_up_the_delays():
    job = make_job(attempts=3, manual_attempts=1, interruptions=1, max_attempts=6)
    (claimed,) = claim()
    record_outcomes(TOKEN, [finish(claimed, answer(500))])
    job.refresh_from_db()
    assert claimed.tries == 2
    assert 295 < (job.next_attempt_at - timezone.now()).total_seconds() <= 300


@pytest.mark.django_db
def test_the_webhook_id_is_the_same_on_every_attempt():
    job = make_job(retry_delays_s=[0, 0])
    for _ in range(3):
        (claimed,) = claim()
        record_outcomes(TOKEN, [finish(claimed, answer(500))])
    ids = {
        value
        for log in RequestLog.objects.filter(job=job)
        for name, value in log.request_headers
        if name == "webhook-id"
    }
    assert ids == {job.pk}
    assert list(
        RequestLog.objects.filter(job=job).order_by("id").values_list("attempt", flat=True)
    ) == [1, 2, 3]


@pytest.mark.django_db
@pytest.mark.parametrize("body", [b"\xff\xfe\x00latin", b"\x00" * 10, "grüße".encode()])
def test_any_bytes_in_an_answer_can_be_stored(body):
    make_job()
    (claimed,) = claim()
    record_outcomes(TOKEN, [finish(claimed, answer(200, body=body, headers=[("X", "ÿ")]))])
    assert RequestLog.objects.get().response_body


@pytest.mark.django_db
def test_an_outcome_that_comes_after_the_lease_was_lost_changes_nothing_but_the_log():
    job = make_job()
    (claimed,) = claim()
    let_lease_lapse(job)
    free_lapsed_jobs()
    (again,) = claim(token=uuid.uuid4())
    record_outcomes(TOKEN, [finish(claimed, answer(200))])
    job.refresh_from_db()
    assert job.status == "sending"
    assert again.attempts == 2
    assert RequestLog.objects.filter(job=job, status_code=200).exists()


@pytest.mark.django_db
def test_a_lapsed_lease_puts_the_job_back_and_shows_in_its_attempts():
    job = make_job()
    claim()
    let_lease_lapse(job)
    assert free_lapsed_jobs() == 1
    job.refresh_from_db()
    log = RequestLog.objects.get(job=job)
    assert (job.status, job.attempts, job.interruptions, job.max_attempts) == ("pending", 1, 1, 5)
    assert job.next_attempt_at <= timezone.now()
    assert (log.error_kind, log.attempt) == ("interrupted", 1)
    assert "not known" in log.error


@pytest.mark.django_db
def test_a_lease_that_is_kept_is_left_alone():
    make_job()
    claim()
    assert free_lapsed_jobs() == 0


@pytest.mark.django_db
def test_a_lease_absurdly_far_ahead_counts_as_lapsed():
    job = make_job()
    claim()
    WebhookJob.objects.filter(pk=job.pk).update(lease_until=timezone.now() + timedelta(hours=1))
    assert free_lapsed_jobs() == 1


@pytest.mark.django_db
def test_a_job_that_many_workers_died_with_ends_as_failed():
    job = make_job(interruptions=MAX_INTERRUPTIONS - 1)
    claim()
    let_lease_lapse(job)
    free_lapsed_jobs()
    job.refresh_from_db()
    assert (job.status, job.error_kind) == ("failed", "interrupted")


@pytest.mark.django_db
def test_renewing_keeps_only_ones_own_leases():
    mine, other = make_job(), make_job()
    claimed = claim(limit=1, token=TOKEN)
    others = claim(limit=1, token=uuid.uuid4())
    WebhookJob.objects.update(lease_until=timezone.now())
    assert claims.renew_leases(TOKEN, claimed + others) == {others[0].id}
    renewed = WebhookJob.objects.filter(lease_until__gt=timezone.now())
    assert [job.lease_token for job in renewed] == [TOKEN]
    assert {mine.pk, other.pk} >= {job.pk for job in renewed}


@pytest.mark.django_db
def test_a_claim_that_the_worker_knows_nothing_of_runs_out():
    """The connection broke in the commit: the database has the claim, the worker has not."""
    job = make_job()
    claim()
    let_lease_lapse(job)
    claims.renew_leases(TOKEN, [])
    assert free_lapsed_jobs() == 1


@pytest.mark.django_db
def test_an_outcome_belongs_to_its_own_attempt_also_when_the_same_worker_claimed_again():
    job = make_job()
    (first,) = claim()
    let_lease_lapse(job)
    free_lapsed_jobs()
    claim()
    record_outcomes(TOKEN, [finish(first, answer(500))])
    job.refresh_from_db()
    assert (job.status, job.attempts, job.lease_token) == ("sending", 2, TOKEN)


@pytest.mark.django_db
def test_what_is_already_in_the_log_is_told_from_what_is_not():
    make_job()
    make_job()
    first, second = (finish(job, answer()) for job in claim())
    record_outcomes(TOKEN, [first])
    assert outcomes.unrecorded([first, second]) == [second]


@pytest.mark.django_db
def test_a_worker_that_stops_puts_back_what_it_leaves_in_the_air():
    job = make_job()
    claim()
    assert claims.interrupt_jobs(TOKEN) == 1
    job.refresh_from_db()
    assert (job.status, job.interruptions, job.lease_token) == ("pending", 1, None)
    log = RequestLog.objects.get(job=job)
    assert (log.error_kind, log.request_headers[0]) == ("interrupted", ["webhook-id", job.pk])


@pytest.mark.django_db
def test_giving_back_a_claim_leaves_no_trace():
    job = make_job()
    claims.release_leases(TOKEN, claim())
    job.refresh_from_db()
    assert (job.status, job.attempts, job.lease_token) == ("pending", 0, None)


@pytest.mark.django_db(transaction=True)
def test_workers_that_race_for_jobs_never_get_the_same_one():
    for _ in range(60):
        make_job()
    claimed, start = [], threading.Barrier(4)

    def race():
        token = uuid.uuid4()
        start.wait()
        try:
            while jobs := claim(limit=4, token=token):
                claimed.extend(job.id for job in jobs)
        finally:
            connection.close()

    threads = [threading.Thread(target=race) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(claimed) == len(set(claimed)) == 60
    assert set(WebhookJob.objects.values_list("attempts", flat=True)) == {1}
