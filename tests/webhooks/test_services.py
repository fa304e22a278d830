"""What people do to jobs: retry, edit, cancel; one by one, many at once, and two at the same time."""

import threading
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from tests.webhooks.jobs_at_hand import a_failed_job, a_job, a_person, a_webhook, an_event
from webhooks.claims import claim_jobs
from webhooks.exceptions import (
    JobHasEnded,
    JobIsBeingSent,
    JobRefused,
    JobWasDelivered,
    JobWentOn,
    RequestWasNeverMade,
)
from webhooks.models import JobChange, JobStatus, WebhookJob
from webhooks.retries import RetryPolicy, judge_attempt
from webhooks.services import (
    cancel_job,
    cancel_jobs,
    edit_job,
    retry_job,
    retry_jobs,
)

pytestmark = pytest.mark.django_db


def claim(limit: int = 10) -> list[Any]:
    return claim_jobs(token=uuid.uuid4(), limit=limit, room=lambda lane: limit).jobs


def changes(job: WebhookJob) -> list[str]:
    return list(job.changes.values_list("action", flat=True))


# --- retry ---


@pytest.mark.parametrize("status", ["failed", "cancelled"])
def test_retry_puts_an_ended_job_back_to_pending_and_due(status: str) -> None:
    ada = a_person()
    job = retry_job(job=a_failed_job(status=status), actor=ada)

    job.refresh_from_db()
    assert job.status == JobStatus.PENDING
    assert job.next_attempt_at is not None
    assert job.next_attempt_at <= timezone.now()
    assert job.finished_at is None
    assert job.reason == ""
    change = job.changes.get()
    assert (change.action, change.actor) == ("retried", ada)


def test_retry_allows_one_attempt_more_and_no_automatic_ones() -> None:
    job = retry_job(job=a_failed_job(attempts=4, max_attempts=4), actor=None)

    assert (job.attempts, job.max_attempts, job.manual_attempts) == (4, 5, 1)
    (claimed,) = claim()
    assert claimed.tries == 4  # of four automatic attempts, four are made


def test_retry_of_a_pending_job_sends_it_now_and_leaves_its_automatic_retries() -> None:
    later = timezone.now() + timedelta(minutes=30)
    job = retry_job(job=a_job(attempts=2, status_code=500, next_attempt_at=later), actor=None)

    assert job.next_attempt_at is not None
    assert job.next_attempt_at <= timezone.now()
    (claimed,) = claim()
    assert claimed.tries == 2


def test_a_job_cancelled_before_its_first_attempt_begins_anew_when_retried() -> None:
    job = cancel_job(job=a_job(attempts=0), actor=None)
    job = retry_job(job=job, actor=None)
    (claimed,) = claim()

    assert (job.manual_attempts, job.max_attempts) == (0, 4)
    assert claimed.tries == 1
    verdict = judge_attempt(
        RetryPolicy(delays_s=[60, 300]),
        status_code=500,
        error_kind="",
        tries=claimed.tries,
        age_s=1,
        now=timezone.now(),
    )
    assert verdict.next_attempt_at is not None
    assert verdict.next_attempt_at - timezone.now() < timedelta(seconds=61)


def test_cancelling_and_retrying_again_and_again_never_counts_less_than_one_try() -> None:
    job = a_job(attempts=1, next_attempt_at=timezone.now() + timedelta(hours=1))
    for _ in range(4):
        retry_job(job=job, actor=None)
        cancel_job(job=job, actor=None)
    retry_job(job=job, actor=None)
    (claimed,) = claim()

    assert claimed.tries >= 1


@pytest.mark.parametrize(
    ("status", "refusal"), [("succeeded", JobWasDelivered), ("sending", JobIsBeingSent)]
)
def test_retry_is_refused_in_words(status: str, refusal: type[JobRefused]) -> None:
    job = a_job(status=status, attempts=1, next_attempt_at=None)

    with pytest.raises(refusal, match=r"\w{4,}"):
        retry_job(job=job, actor=None)
    assert changes(job) == []


def test_a_second_click_changes_nothing() -> None:
    job = a_failed_job()
    retry_job(job=job, actor=None)
    retry_job(job=job, actor=None)

    job.refresh_from_db()
    assert (job.manual_attempts, job.max_attempts) == (1, 5)
    assert changes(job) == ["retried"]


def test_a_second_click_that_comes_after_the_first_was_sent_sends_nothing() -> None:
    job = a_failed_job(attempts=4)
    retry_job(job=job, actor=None, seen_attempts=4)
    WebhookJob.objects.filter(pk=job.pk).update(
        status="failed", attempts=5
    )  # sent, and failed again

    retry_job(job=job, actor=None, seen_attempts=4)

    job.refresh_from_db()
    assert job.status == JobStatus.FAILED
    assert changes(job) == ["retried"]


def test_a_retry_rings_the_worker_once_it_is_committed(
    monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    rung: list[str] = []
    monkeypatch.setattr("config.queues.ring", rung.append)

    with django_capture_on_commit_callbacks(execute=True):
        retry_job(job=a_failed_job(), actor=None)
        assert rung == []

    assert rung == ["deliveries"]


# --- a request that was never made ---


def a_job_never_made(**values: Any) -> WebhookJob:
    given = {"error_kind": "template", "error": "URL: no", "status_code": None, "attempts": 0}
    return a_failed_job(**{**given, **values})


def test_a_request_that_was_never_made_is_made_anew_from_the_webhook_as_it_is_now() -> None:
    webhook = a_webhook(body_kind="text", body="mended", retry_delays_s=[5])
    job = a_job_never_made(webhook=webhook, event=an_event(), url="https://x/{{ broken }}", body="")

    job = retry_job(job=job, actor=None)

    job.refresh_from_db()
    assert job.status == JobStatus.PENDING
    assert (job.url, job.body) == ("https://api.example.com/leads", "mended")
    assert job.lane == "https://api.example.com:443"
    assert (job.error, job.error_kind, job.reason) == ("", "", "")
    assert (job.max_attempts, job.policy["delays_s"]) == (2, [5])


def test_a_request_that_still_cannot_be_made_fails_again_and_says_why() -> None:
    webhook = a_webhook(body_kind="text", body="{{ record.nmae }}")
    job = retry_job(job=a_job_never_made(webhook=webhook, event=an_event()), actor=None)

    assert job.status == JobStatus.FAILED
    assert job.error_kind == "template"
    assert "URL: no" not in job.error


def test_a_request_that_was_never_made_is_not_sent_when_its_webhook_is_gone() -> None:
    job = a_job_never_made(webhook=None, event=an_event())

    with pytest.raises(RequestWasNeverMade):
        retry_job(job=job, actor=None)


def test_an_edited_request_is_not_made_anew_by_a_later_retry() -> None:
    job = a_job_never_made(webhook=a_webhook(), event=an_event())
    edit_job(job=job, url="https://other.example.com/x", headers=[], body="mine", actor=None)
    cancel_job(job=job, actor=None)

    job = retry_job(job=job, actor=None)

    assert (job.url, job.body) == ("https://other.example.com/x", "mine")


# --- edit ---


def test_an_edit_changes_what_is_sent_and_keeps_what_was_and_who_did_it() -> None:
    ada = a_person()
    job = a_failed_job()

    edit_job(
        job=job,
        url="http://other.example.com:8080/x",
        headers=[("X-A", "1")],
        body='{"a":1}',
        actor=ada,
    )

    job.refresh_from_db()
    assert (job.url, job.lane) == (
        "http://other.example.com:8080/x",
        "http://other.example.com:8080",
    )
    assert (job.headers, job.status) == ([["X-A", "1"]], JobStatus.PENDING)
    change = job.changes.get()
    assert (change.action, change.actor) == ("edited", ada)
    assert change.changes == {
        "url": ["https://api.example.com/leads", "http://other.example.com:8080/x"],
        "headers": [[["Content-Type", "application/json"]], [["X-A", "1"]]],
    }


@pytest.mark.parametrize("status", ["sending", "succeeded", "cancelled"])
def test_a_job_that_is_not_failed_or_pending_cannot_be_edited(status: str) -> None:
    job = a_job(status=status, next_attempt_at=None)

    with pytest.raises(JobRefused):
        edit_job(job=job, url="https://other.example.com/", headers=[], body="", actor=None)
    job.refresh_from_db()
    assert job.body == '{"a":1}'


def test_a_second_click_on_an_edit_is_not_a_second_edit() -> None:
    job = a_failed_job()
    for _ in range(2):
        edit_job(job=job, url="https://other.example.com/x", headers=[], body="mine", actor=None)
    assert changes(job) == ["edited"]


def test_an_edit_of_a_job_that_went_on_meanwhile_is_refused() -> None:
    job = a_failed_job(attempts=2)

    with pytest.raises(JobWentOn):
        edit_job(job=job, url=job.url, headers=[], body="x", actor=None, seen_attempts=1)


# --- cancel ---


def test_cancel_gives_a_pending_job_up() -> None:
    job = cancel_job(job=a_job(), actor=None)

    job.refresh_from_db()
    assert (job.status, job.next_attempt_at) == (JobStatus.CANCELLED, None)
    assert job.finished_at is not None
    assert changes(job) == ["cancelled"]
    assert claim() == []


@pytest.mark.parametrize(
    ("status", "refusal"),
    [
        ("sending", JobIsBeingSent),
        ("succeeded", JobHasEnded),
        ("failed", JobHasEnded),
        ("cancelled", JobHasEnded),
    ],
)
def test_cancel_is_refused_in_words(status: str, refusal: type[JobRefused]) -> None:
    with pytest.raises(refusal):
        cancel_job(job=a_job(status=status, next_attempt_at=None), actor=None)


# --- many ---


def test_retrying_many_touches_those_that_can_be_retried_and_tells_how_many() -> None:
    failed = [a_failed_job() for _ in range(3)]
    others = [
        a_job(status="succeeded"),
        a_job(status="sending"),
        a_job(),
    ]  # the last is due already

    done = retry_jobs(ids=[job.pk for job in [*failed, *others]], actor=a_person())

    assert done == (3, 3)
    for job in failed:
        job.refresh_from_db()
        assert (job.status, job.manual_attempts, job.max_attempts) == ("pending", 1, 5)
        assert job.reason == ""
        assert changes(job) == ["retried"]
    assert [changes(job) for job in others] == [[], [], []]


def test_retrying_many_counts_like_retrying_each() -> None:
    values = [
        {"attempts": 4, "max_attempts": 4},
        {"attempts": 0, "status": "cancelled"},
        {"attempts": 3, "manual_attempts": 1, "interruptions": 1},
        {"attempts": 2, "manual_attempts": 2},
    ]
    singly = [retry_job(job=a_failed_job(**each), actor=None) for each in values]
    many = [a_failed_job(**each) for each in values]
    retry_jobs(ids=[job.pk for job in many], actor=None)

    for one, other in zip(singly, many, strict=True):
        other.refresh_from_db()
        assert (one.manual_attempts, one.max_attempts) == (
            other.manual_attempts,
            other.max_attempts,
        )


def test_retrying_many_makes_the_unmade_anew_and_skips_those_that_cannot_be() -> None:
    webhook = a_webhook(body_kind="text", body="mended")
    can = a_job_never_made(webhook=webhook, event=an_event())
    cannot = a_job_never_made(webhook=None)

    assert retry_jobs(ids=[can.pk, cannot.pk], actor=None) == (1, 1)
    can.refresh_from_db()
    cannot.refresh_from_db()
    assert (can.status, cannot.status) == ("pending", "failed")


def test_retrying_many_takes_a_few_queries_for_hundreds(
    django_assert_max_num_queries: Callable[..., Any],
) -> None:
    ids = [a_failed_job().pk for _ in range(120)]

    with django_assert_max_num_queries(8):
        retry_jobs(ids=ids, actor=None)


def test_cancelling_many_touches_the_pending_ones() -> None:
    jobs = [a_job(), a_job(), a_failed_job(), a_job(status="sending")]

    assert cancel_jobs(ids=[job.pk for job in jobs], actor=None) == (2, 2)
    assert WebhookJob.objects.filter(status="cancelled").count() == 2
    assert JobChange.objects.filter(action="cancelled").count() == 2


# --- at the same time ---


def at_once(*functions: Callable[[], Any]) -> list[Any]:
    """Call them in threads that begin together; what each returned or raised."""
    barrier = threading.Barrier(len(functions))
    results: list[Any] = [None] * len(functions)

    def run(position: int, function: Callable[[], Any]) -> None:
        barrier.wait()
        try:
            results[position] = function()
        except Exception as error:  # noqa: BLE001  the test looks at it
            results[position] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(functions)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return results


@pytest.mark.django_db(transaction=True)
def test_two_people_who_retry_at_once_send_once() -> None:
    for _ in range(5):
        job = a_failed_job()
        results = at_once(
            lambda job=job: retry_job(job=job, actor=None),
            lambda job=job: retry_job(job=job, actor=None),
        )

        assert not [result for result in results if isinstance(result, Exception)]
        job.refresh_from_db()
        assert (job.manual_attempts, changes(job)) == (1, ["retried"])
        assert len(claim()) == 1


@pytest.mark.django_db(transaction=True)
def test_a_retry_beside_claiming_workers_is_claimed_once() -> None:
    for _ in range(5):
        job = a_job(attempts=1, next_attempt_at=timezone.now())
        first, second, retried = at_once(
            claim, claim, lambda job=job: retry_job(job=job, actor=None)
        )

        claimed = [*first, *second]
        assert len(claimed) == 1
        assert isinstance(retried, WebhookJob | JobIsBeingSent)
        job.refresh_from_db()
        assert (job.status, job.attempts) == (JobStatus.SENDING, 2)
        WebhookJob.objects.all().delete()


@pytest.mark.django_db(transaction=True)
def test_an_edit_beside_a_claim_is_sent_or_refused_never_half() -> None:
    for _ in range(5):
        job = a_job()
        claimed, edited = at_once(
            claim,
            lambda job=job: edit_job(job=job, url=job.url, headers=[], body="new", actor=None),
        )

        job.refresh_from_db()
        if isinstance(edited, JobIsBeingSent):
            assert [each.body for each in claimed] == ['{"a":1}']
            assert job.body == '{"a":1}'
        else:
            assert not isinstance(edited, Exception)
            assert [each.body for each in claimed] in (["new"], [])
            assert job.body == "new"
        WebhookJob.objects.all().delete()


@pytest.mark.django_db(transaction=True)
def test_two_bulk_retries_of_the_same_jobs_do_not_wait_for_each_other_for_ever() -> None:
    ids = [a_failed_job().pk for _ in range(40)]
    results = at_once(
        lambda: retry_jobs(ids=ids, actor=None),
        lambda: retry_jobs(ids=ids[::-1], actor=None),
    )

    assert sorted(results) == [(0, 40), (40, 0)]
    assert JobChange.objects.count() == 40
