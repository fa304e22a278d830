"""Whatever workers, sweeps and people do to jobs, in whatever order, every row stays one that makes sense.

This kills nothing, so it belongs to the ordinary suite.
"""

import contextlib
import random
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tests.webhooks.making import answer, make_job, no_answer
from webhooks import claims, outcomes
from webhooks.duetimes import mend_due_times, mend_new_jobs
from webhooks.exceptions import JobRefused
from webhooks.models import RequestLog, WebhookJob
from webhooks.outbound import outbound_request
from webhooks.outcomes import Finished
from webhooks.services import cancel_job, cancel_jobs, edit_job, retry_job, retry_jobs
from webhooks.taking import ClaimedJob

OUTCOMES = {
    "well": lambda: answer(200),
    "refused": lambda: answer(409),
    "in trouble": lambda: answer(503, headers=[("Retry-After", "60")]),
    "gone": lambda: answer(410),
    "no answer": lambda: no_answer("timeout"),
    "never": lambda: no_answer("invalid"),
}
workers = st.sampled_from([0, 1])
chance = st.integers(0, 10**6).map(random.Random)


class Jobs(RuleBasedStateMachine):
    """Two workers, the sweep, a person, and time."""

    def __init__(self) -> None:
        super().__init__()
        self.tokens = [uuid.uuid4(), uuid.uuid4()]
        # What each worker believes to have, begun or not; it may be wrong.
        self.hands: list[list[ClaimedJob]] = [[], []]

    def teardown(self) -> None:
        WebhookJob.objects.all().delete()

    # --- what comes in ---

    @rule(ordered=st.booleans(), delays=st.sampled_from([[], [0], [60, 3600]]))
    def an_event_makes_a_job(self, ordered: bool, delays: list[int]) -> None:
        make_job(retry_delays_s=delays, order_key="key" if ordered else None)

    # --- workers ---

    @rule(worker=workers, limit=st.integers(1, 4))
    def claim(self, worker: int, limit: int) -> None:
        claim = claims.claim_jobs(
            token=self.tokens[worker], limit=limit, room=lambda lane: 10, after_lane=""
        )
        assert all(job.tries >= 1 for job in claim.jobs)
        ordered = WebhookJob.objects.open().filter(order_key="key")
        for job in ordered.filter(pk__in=[job.id for job in claim.jobs]):
            assert not ordered.filter(pk__lt=job.pk).exists(), "an earlier one has not ended"
        self.hands[worker] += claim.jobs

    @rule(worker=workers, how=st.sampled_from(sorted(OUTCOMES)), rng=chance)
    def answers_come(self, worker: int, how: str, rng: random.Random) -> None:
        """Also late ones, to jobs that have long been somebody else's."""
        jobs = self._take(worker, rng)
        finished = [Finished(job, outbound_request(job), OUTCOMES[how]()) for job in jobs]
        outcomes.record_outcomes(self.tokens[worker], finished)

    @rule(worker=workers)
    def renew(self, worker: int) -> None:
        lost = claims.renew_leases(self.tokens[worker], self.hands[worker])
        self.hands[worker] = [job for job in self.hands[worker] if job.id not in lost]

    @rule(worker=workers, rng=chance)
    def give_back(self, worker: int, rng: random.Random) -> None:
        """A worker gives back only what it holds the lease of, as far as it can know."""
        self.renew(worker)
        latest = {job.id: job for job in self.hands[worker]}
        jobs = [job for job in self._take(worker, rng) if latest[job.id] is job]
        claims.release_leases(self.tokens[worker], jobs)

    @rule(worker=workers)
    def stop(self, worker: int) -> None:
        claims.interrupt_jobs(self.tokens[worker])
        self.die(worker)

    @rule(worker=workers)
    def die(self, worker: int) -> None:
        self.hands[worker], self.tokens[worker] = [], uuid.uuid4()

    def _take(self, worker: int, rng: random.Random) -> list[ClaimedJob]:
        hand = self.hands[worker]
        rng.shuffle(hand)
        count = rng.randint(0, len(hand))
        self.hands[worker] = hand[count:]
        return hand[:count]

    # --- time and the sweep ---

    @rule()
    def leases_run_out(self) -> None:
        past = timezone.now() - timedelta(seconds=1)
        WebhookJob.objects.filter(status="sending").update(lease_until=past)

    @rule()
    def time_passes(self) -> None:
        past = timezone.now() - timedelta(seconds=1)
        WebhookJob.objects.filter(status="pending").update(next_attempt_at=past)

    @rule(hours=st.sampled_from([-1, 1]))
    def the_clock_jumps(self, hours: int) -> None:
        """All that is written down moves against the clock."""
        for job in WebhookJob.objects.filter(status__in=["pending", "sending"]):
            for name in ("next_attempt_at", "lease_until"):
                if moment := getattr(job, name):
                    setattr(job, name, moment - timedelta(hours=hours))
            job.save(update_fields=["next_attempt_at", "lease_until"])

    @rule()
    def sweep(self) -> None:
        claims.free_lapsed_jobs()
        mend_new_jobs(timezone.now())
        mend_due_times(timezone.now())

    # --- a person ---

    @precondition(lambda self: WebhookJob.objects.exists())
    @rule(rng=chance, act=st.sampled_from(["retry", "edit", "cancel", "retry all", "cancel all"]))
    def a_person(self, rng: random.Random, act: str) -> None:
        job = rng.choice(list(WebhookJob.objects.order_by("id")))
        ids = list(WebhookJob.objects.values_list("pk", flat=True))
        body = {"url": job.url, "headers": [("X-Edited", "1")], "body": "edited"}
        acts: dict[str, Any] = {
            "retry": lambda: retry_job(job=job, actor=None),
            "edit": lambda: edit_job(job=job, actor=None, **body),
            "cancel": lambda: cancel_job(job=job, actor=None),
            "retry all": lambda: retry_jobs(ids=ids, actor=None),
            "cancel all": lambda: cancel_jobs(ids=ids, actor=None),
        }
        with contextlib.suppress(JobRefused):
            acts[act]()

    # --- what must be true ---

    @invariant()
    def every_row_makes_sense(self) -> None:
        for job in WebhookJob.objects.prefetch_related("requests"):
            is_open = job.status in ("pending", "sending")
            is_leased = job.status == "sending"
            assert (job.lease_token is not None) == is_leased, story(job)
            assert (job.lease_until is not None) == is_leased, story(job)
            assert (job.finished_at is None) == is_open, story(job)
            assert (job.next_attempt_at is not None) == is_open, story(job)
            assert job.manual_attempts + job.interruptions <= job.attempts, story(job)
            policy = job.policy["delays_s"]
            allowed = 1 + len(policy) + job.manual_attempts + job.interruptions
            assert job.attempts <= job.max_attempts == allowed, story(job)

    @invariant()
    def every_attempt_is_in_the_log(self) -> None:
        for job in WebhookJob.objects.prefetch_related("requests"):
            done = job.attempts - (job.status == "sending")
            written = {log.attempt for log in job.requests.all()}
            assert written == set(range(1, done + 1)), story(job)
            interrupted = [log for log in job.requests.all() if log.error_kind == "interrupted"]
            assert len(interrupted) == job.interruptions, story(job)


def story(job: WebhookJob) -> str:
    logs = RequestLog.objects.filter(job=job).order_by("id")
    rows = [(log.attempt, log.status_code, log.error_kind) for log in logs]
    values = {name: value for name, value in vars(job).items() if not name.startswith("_")}
    return f"{values} {rows}"


@pytest.mark.django_db
def test_rows_of_jobs_always_make_sense() -> None:
    run_state_machine_as_test(
        Jobs,
        settings=settings(
            max_examples=40,
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
