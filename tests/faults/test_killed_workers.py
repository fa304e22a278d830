"""SIGKILL at the worst moments of a worker's life: whatever it held is done by the next one, and shows."""

from collections.abc import Callable
from pathlib import Path

import pytest
from django.utils import timezone

from tests.faults.conftest import Spawn, Traffic
from tests.waiting import wait_until
from webhooks.models import WebhookJob

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


@pytest.fixture
def die_and_inherit(spawn_flawed: Spawn, tmp_path: Path) -> Callable[[str], None]:
    """One worker dies at a moment; another, which has been waiting for that, takes over."""

    def play(moment: str) -> None:
        death = tmp_path / "death"
        victim = spawn_flawed(*LEASE, "--die-at", moment, wait=False)
        spawn_flawed(*LEASE, "--after", str(death), wait=False)
        wait_until(lambda: not victim.is_running(), what="The worker's death")
        assert victim.process.returncode == -9, victim.output()
        death.touch()

    return play


@pytest.mark.parametrize("moment", MOMENTS.values(), ids=MOMENTS.keys())
def test_a_killed_worker_loses_nothing(
    traffic: Traffic, die_and_inherit: Callable[[str], None], moment: str
) -> None:
    traffic.create(30)
    die_and_inherit(moment)
    traffic.check()


@pytest.mark.parametrize("moment", ["free:before-commit", "free:after-commit"])
def test_the_death_of_the_process_that_frees_jobs_loses_nothing(
    traffic: Traffic,
    spawn_flawed: Spawn,
    die_and_inherit: Callable[[str], None],
    moment: str,
) -> None:
    traffic.create(30)
    first = spawn_flawed(*LEASE, "--die-at", "claim:after-commit", wait=False)
    wait_until(lambda: not first.is_running(), what="The first worker's death")
    held = WebhookJob.objects.filter(status="sending")
    wait_until(lambda: not held.filter(lease_until__gt=timezone.now()).exists())
    assert held.exists()

    die_and_inherit(moment)
    traffic.check()
    assert set(WebhookJob.objects.values_list("interruptions", flat=True)) == {1}


def test_a_killed_sender_is_seen_in_the_attempts(
    traffic: Traffic, die_and_inherit: Callable[[str], None]
) -> None:
    traffic.create(1)
    die_and_inherit("send:end")
    traffic.check()

    job = WebhookJob.objects.get()
    rows = job.requests.order_by("id").values_list("attempt", "error_kind", "status_code")
    assert list(rows) == [(1, "interrupted", None), (2, "", 200)]
    assert [each["job_id"] for each in traffic.receiver.arrivals()] == [job.pk, job.pk]
