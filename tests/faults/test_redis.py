"""Redis is only a doorbell: without it saves go on, events are kept, and all is delivered when it is back."""

import os
import signal
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from redis import Redis

from records.models import Event, Record
from tests.conftest import RedisProcess
from tests.faults.conftest import Spawn, Traffic
from tests.waiting import wait_until

pytestmark = [pytest.mark.faults, pytest.mark.django_db(transaction=True)]

# A minute with FAULT_FULL=1. What happens in a minute happens in 15 s as well: every pause and every time-out
# of the bell and of the worker passes several times.
OUTAGE_S = 60 if os.environ.get("FAULT_FULL") else 15
# Redis may make a save this much slower at most.
SLOWER_S = 0.1


@contextmanager
def frozen(redis_process: RedisProcess) -> Iterator[None]:
    """Redis takes connections and never answers."""
    assert redis_process._process
    redis_process._process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        redis_process._process.send_signal(signal.SIGCONT)


def save_for(traffic: Traffic, seconds: float, pause_s: float = 0.1) -> list[float]:
    """Save now and then for so long; how long each save took."""
    took, end = [], time.monotonic() + seconds
    while time.monotonic() < end:
        began_at = time.monotonic()
        traffic.create()
        took.append(time.monotonic() - began_at)
        time.sleep(pause_s)
    return took


def assert_hardly_slower(took: list[float], usual: list[float]) -> None:
    """Half of the saves hardly notice; the few that try Redis wait no longer than they may."""
    assert statistics.median(took) < statistics.median(usual) + SLOWER_S / 2
    slow = [duration for duration in took if duration > max(usual) + SLOWER_S]
    # One or two may have had to wait for a busy machine.
    assert len(slow) <= max(2, len(took) // 20), f"{slow} of {len(took)}, usual {usual}"


def test_redis_is_gone_for_a_while(
    traffic: Traffic, spawn_sound: Spawn, redis_process: RedisProcess
) -> None:
    worker = spawn_sound()
    usual = save_for(traffic, 1)
    redis_process.stop()
    took = save_for(traffic, OUTAGE_S)
    assert_hardly_slower(took, usual)
    assert Event.objects.undispatched().exists()
    assert worker.is_running()

    redis_process.start()
    back_at = time.monotonic()
    traffic.check()
    print(f"All delivered {time.monotonic() - back_at:.1f} s after Redis was back")  # noqa: T201
    assert worker.stop() == 0


def test_redis_hangs(traffic: Traffic, spawn_sound: Spawn, redis_process: RedisProcess) -> None:
    spawn_sound()
    usual = save_for(traffic, 1)
    with frozen(redis_process):
        took = save_for(traffic, 4)
    assert_hardly_slower(took, usual)
    traffic.check()


def test_redis_is_emptied_again_and_again(
    traffic: Traffic, spawn_sound: Spawn, redis: Redis
) -> None:
    spawn_sound()
    for _ in range(100):
        traffic.create()
        redis.flushall()
    traffic.check()


def test_a_worker_that_starts_without_redis_works_once_it_is_there(
    traffic: Traffic, spawn_sound: Spawn, redis_process: RedisProcess
) -> None:
    redis_process.stop()
    traffic.create(5)
    worker = spawn_sound(wait=False)
    wait_until(lambda: "Redis" in worker.output(), what="The worker's complaint")
    assert Event.objects.undispatched().exists()
    redis_process.start()
    traffic.check()


def test_a_process_that_dies_between_its_commit_and_the_bell(
    traffic: Traffic, spawn_sound: Spawn, spawn_worker: Spawn
) -> None:
    spawn_sound()
    saver = spawn_worker("parcels", command=("-m", "tests.faults.saver"), wait=False)
    wait_until(lambda: not saver.is_running(), what="The process's death")
    assert saver.process.returncode == -signal.SIGKILL, saver.output()
    record = Record.objects.get()
    traffic.saved["record.created", record.pk] = 1
    # The sweep finds the event.
    traffic.check(timeout_s=5)
