"""Two workers race for two thousand jobs: when nobody is killed, each is sent exactly once."""

from collections import Counter

import pytest

from config.queues import ring
from tests.bench.deliveries import make_backlog
from tests.faults.conftest import Receiver, Spawn
from tests.waiting import wait_until
from webhooks.models import RequestLog, WebhookJob

pytestmark = [pytest.mark.faults, pytest.mark.django_db(transaction=True)]

JOBS = 2_000


def test_two_workers_send_each_job_exactly_once(receiver: Receiver, spawn_sound: Spawn) -> None:
    spawn_sound()
    spawn_sound()
    make_backlog(f"{receiver.url}?delay_ms=20", JOBS)
    ring("deliveries")
    wait_until(
        lambda: WebhookJob.objects.filter(status="succeeded").count() == JOBS,
        what="The end of all jobs",
        timeout_s=60,
    )
    arrived = Counter(each["job_id"] for each in receiver.arrivals())
    assert len(arrived) == JOBS
    assert set(arrived.values()) == {1}
    assert set(WebhookJob.objects.values_list("attempts", flat=True)) == {1}
    assert RequestLog.objects.filter(attempt=1, status_code=200).count() == JOBS
