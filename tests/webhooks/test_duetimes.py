"""A clock that was set wrong must not hold jobs up; a delay that was meant stays."""

from datetime import timedelta

import pytest
from django.utils import timezone

from records.ids import new_id
from tests.webhooks.making import make_job
from webhooks.duetimes import mend_due_times, mend_new_jobs
from webhooks.models import WebhookJob

pytestmark = pytest.mark.django_db

HOUR_S = 3600


def seconds_left(job):
    job.refresh_from_db()
    return round((job.next_attempt_at - timezone.now()).total_seconds())


@pytest.mark.parametrize(
    ("due_in_s", "values", "expected_s"),
    [
        (59, {}, 59),
        (HOUR_S + 60, {}, 60),
        (HOUR_S + 300, {"attempts": 2}, 300),
        (HOUR_S + 300, {"attempts": 4, "manual_attempts": 1, "interruptions": 1}, 300),
        # Put back by hand or after an interruption: it was to go at once.
        (HOUR_S, {"manual_attempts": 1}, 0),
        (HOUR_S, {"interruptions": 1}, 0),
        # The receiver may have asked for that much patience.
        (HOUR_S + 60, {"status_code": 503}, HOUR_S + 60),
        (HOUR_S + 24 * HOUR_S, {"status_code": 429}, 24 * HOUR_S),
        # Jitter is part of the delay.
        (2 * HOUR_S, {"policy": {"delays_s": [HOUR_S], "jitter_percent": 100}}, 2 * HOUR_S),
    ],
)
def test_a_retry_waits_no_longer_than_its_policy_says(due_in_s, values, expected_s):
    job = make_job(due_in_s=due_in_s, **{"attempts": 1, **values})
    mend_due_times(timezone.now())
    assert abs(seconds_left(job) - expected_s) <= 1


def test_jobs_that_have_ended_are_left_alone():
    make_job(status="failed", attempts=1, next_attempt_at=None)
    assert mend_due_times(timezone.now()) == 0


def test_a_job_made_by_a_machine_whose_clock_is_ahead_is_due_now(monkeypatch):
    ahead = timezone.now() + timedelta(hours=1)
    monkeypatch.setattr("time.time_ns", lambda: int(ahead.timestamp() * 1e9))
    job = make_job(pk=new_id("job"), due_in_s=HOUR_S, created_at=ahead)
    other = make_job(due_in_s=60)
    assert mend_new_jobs(timezone.now()) == 1
    assert seconds_left(job) <= 0
    assert seconds_left(other) > 0
    assert WebhookJob.objects.due(timezone.now()).get() == job
