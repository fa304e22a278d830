"""SIGKILL at the worst moments of a worker's life: whatever it held is done by the next one, and shows."""

import pytest

from tests.faults.conftest import Spawn, Traffic
from tests.waiting import wait_until
from webhooks.models import RequestLog, WebhookJob

pytestmark = [pytest.mark.faults, pytest.mark.django_db(transaction=True)]

# So that a dozen deaths do not take minutes; test_takeover.py measures with real leases.
LEASE = ("--lease", "1.6")

MOMENTS = {
    "before the events are marked": "dispatch:before-commit",
    "after the jobs are made, before anybody is woken": "dispatch:after-commit",
    "while it wakes the senders": "ring:begin",
    "in the middle of a claim": "claim:before-commit",
    "after a claim": "claim:after-commit",
    "before the first request": "send:begin",
    "after an answer, before it is written down": "send:end:7",
    "before outcomes are written": "record:begin",
    "in the middle of writing outcomes": "update jobs:begin",
    "at the end of writing outcomes": "record:before-commit",
    "when outcomes are written": "record:after-commit",
}


@pytest.mark.parametrize("moment", MOMENTS.values(), ids=MOMENTS.keys())
def test_a_killed_worker_loses_nothing(traffic: Traffic, spawn_flawed: Spawn, moment: str) -> None:
    traffic.create(30)
    victim = spawn_flawed(*LEASE, "--die-at", moment, wait=False)
    wait_until(lambda: not victim.is_running(), what="The worker's death")
    assert victim.process.returncode == -9, victim.output()

    spawn_flawed(*LEASE, wait=False)
    traffic.check()


@pytest.mark.parametrize("moment", ["free:before-commit", "free:after-commit"])
def test_the_death_of_the_process_that_frees_jobs_loses_nothing(
    traffic: Traffic, spawn_flawed: Spawn, moment: str
) -> None:
    traffic.create(30)
    first = spawn_flawed(*LEASE, "--die-at", "claim:after-commit", wait=False)
    wait_until(lambda: not first.is_running(), what="The first worker's death")
    # Freeing is tried every second; the third time there is something to free.
    second = spawn_flawed(*LEASE, "--die-at", f"{moment}:3", wait=False)
    wait_until(lambda: not second.is_running(), what="The second worker's death")

    spawn_flawed(*LEASE, wait=False)
    traffic.check()

    assert RequestLog.objects.filter(error_kind="interrupted").exists()


def test_a_killed_sender_is_seen_in_the_attempts(traffic: Traffic, spawn_flawed: Spawn) -> None:
    traffic.create(1)
    victim = spawn_flawed(*LEASE, "--die-at", "send:end", wait=False)
    wait_until(lambda: not victim.is_running(), what="The worker's death")
    spawn_flawed(*LEASE, wait=False)
    traffic.check()

    job = WebhookJob.objects.get()
    rows = job.requests.order_by("id").values_list("attempt", "error_kind", "status_code")
    assert list(rows) == [(1, "interrupted", None), (2, "", 200)]
    assert [each["job_id"] for each in traffic.receiver.arrivals()] == [job.pk, job.pk]
