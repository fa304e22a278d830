"""Clocks that jump by an hour while jobs fly: nothing is lost, nothing waits for an hour."""

import random
from pathlib import Path

import pytest
from django.db import connection
from django.utils import timezone
from redis import Redis

from records.models import Event
from tests.faults.clocks import set_clock, shift
from tests.faults.conftest import Spawn, Traffic
from tests.waiting import wait_until
from webhooks.models import RequestLog, Webhook, WebhookJob

pytestmark = [pytest.mark.faults, pytest.mark.django_db(transaction=True)]

HOUR_S = 3600


@pytest.fixture
def clock(tmp_path: Path) -> Path:
    file = tmp_path / "clock"
    set_clock(file, 0)
    return file


@pytest.mark.parametrize("jumps_h", [(1, 0), (-1, 0)], ids=["ahead and back", "back and ahead"])
def test_the_clock_of_everything_jumps_and_is_put_right(
    traffic: Traffic,
    spawn_flawed: Spawn,
    rng: random.Random,
    clock: Path,
    monkeypatch: pytest.MonkeyPatch,
    jumps_h: tuple[int, ...],
) -> None:
    """Events, jobs, leases and retries of the wrong hour are all there when the right one comes back."""
    traffic.receiver_is(delay_ms=200, fail=1, status=409)
    # Long enough that some wait for their retry whenever the clock jumps.
    Webhook.objects.update(retry_delays_s=[2, 1, 1])
    shift(monkeypatch.setattr, clock, database_too=True)
    victim, _ = (spawn_flawed("--clock", str(clock)) for _ in range(2))
    with traffic.flow(rng):
        for jump_h in jumps_h:
            seen = len(traffic.receiver.arrivals())
            wait_until(lambda seen=seen: len(traffic.receiver.arrivals()) > seen + 20)
            if jump_h == 0:  # what it holds is held until an hour that is not to come soon
                victim.kill()
            set_clock(clock, jump_h * HOUR_S)
        seen = len(traffic.receiver.arrivals())
        wait_until(lambda: len(traffic.receiver.arrivals()) > seen + 20)
    traffic.check()


def test_one_machine_whose_clock_is_wrong_disturbs_nobody(
    traffic: Traffic, spawn_flawed: Spawn, clock: Path
) -> None:
    """Its sweep must not take the others' leases for lapsed: leases go by the database's clock."""
    if connection.vendor == "sqlite":
        pytest.skip("All of SQLite's workers are on one machine.")
    set_clock(clock, HOUR_S)
    traffic.receiver_is(delay_ms=2500)
    spawn_flawed()
    traffic.create(20)
    wait_until(lambda: len(traffic.receiver.arrivals()) == 20)
    spawn_flawed("--clock", str(clock), "--own-clock")
    traffic.create(20)
    traffic.check()
    assert not RequestLog.objects.filter(error_kind="interrupted").exists()


def test_records_saved_by_a_machine_that_is_an_hour_ahead_are_told_now(
    traffic: Traffic,
    spawn_sound: Spawn,
    redis: Redis,
    clock: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Even if nobody rings for them: the sweep must see that such an event is not of the last second."""
    Event.objects.update(dispatched_at=timezone.now())  # those that making the object has left
    with monkeypatch.context() as patch:
        set_clock(clock, HOUR_S)
        shift(patch.setattr, clock, database_too=False)
        traffic.create(5)
    redis.flushall()
    spawn_sound()
    traffic.check(timeout_s=10)


def test_jobs_made_by_a_machine_that_is_an_hour_ahead_are_sent_now(
    traffic: Traffic, spawn_sound: Spawn, spawn_flawed: Spawn, clock: Path
) -> None:
    set_clock(clock, HOUR_S)
    maker = spawn_flawed("--clock", str(clock), "--own-clock", "--no-sweep", queues=["events"])
    traffic.create(5)
    wait_until(lambda: WebhookJob.objects.count() == 5, what="The jobs")
    assert maker.stop() == 0
    spawn_sound()
    traffic.check(timeout_s=10)
