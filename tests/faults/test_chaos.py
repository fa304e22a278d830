"""Everything at once, at moments that chance chooses: workers killed and frozen, Redis emptied and gone.

FAULT_SEED repeats a run (as far as processes let themselves be repeated), FAULT_KILLS makes it longer.
"""

import os
import random
import signal
import time

import pytest
from redis import Redis

from tests.conftest import RedisProcess, WorkerProcess
from tests.faults.conftest import Spawn, Traffic
from webhooks.models import WebhookJob

pytestmark = [pytest.mark.faults, pytest.mark.django_db(transaction=True)]

KILLS = int(os.environ.get("FAULT_KILLS", "20"))


class Crew:
    """Two workers; whoever dies is replaced."""

    def __init__(self, spawn: Spawn, rng: random.Random) -> None:
        self._spawn, self._rng = spawn, rng
        self.workers: list[WorkerProcess] = []
        self._dies_at: dict[WorkerProcess, float] = {}
        for _ in range(2):
            self._start()

    def _start(self) -> None:
        """It lives long enough to work, mostly: starting takes a second or more."""
        worker = self._spawn(wait=False)
        self.workers.append(worker)
        self._dies_at[worker] = time.monotonic() + self._rng.uniform(1.5, 5)

    def kill_one(self) -> None:
        victim = min(self.workers, key=self._dies_at.__getitem__)
        time.sleep(max(0.0, self._dies_at[victim] - time.monotonic()))
        victim.kill()
        self.workers.remove(victim)
        self._start()

    def freeze_one(self) -> None:
        victim = self._rng.choice(self.workers)
        victim.process.send_signal(signal.SIGSTOP)
        time.sleep(self._rng.uniform(0.1, 1.0))
        victim.process.send_signal(signal.SIGCONT)


def test_nothing_is_lost_whatever_happens(
    traffic: Traffic,
    spawn_sound: Spawn,
    redis: Redis,
    redis_process: RedisProcess,
    rng: random.Random,
) -> None:
    """Each job's first request is refused and its answers are slow, so that there are always some in the air."""
    traffic.receiver_is(delay_ms=150, fail=1, status=409)
    crew = Crew(spawn_sound, rng)
    kills = 0
    with traffic.flow(rng):
        while kills < KILLS:
            match rng.choices(["kill", "freeze", "flush", "redis"], [10, 2, 3, 1])[0]:
                case "kill":
                    crew.kill_one()
                    kills += 1
                case "freeze":
                    crew.freeze_one()
                case "flush":
                    redis.flushall()
                case "redis":
                    redis_process.stop()
                    time.sleep(rng.uniform(0, 1.5))
                    redis_process.start()
    assert all(worker.is_running() for worker in crew.workers)
    traffic.check(timeout_s=40)

    interrupted = WebhookJob.objects.filter(interruptions__gt=0).count()
    doubles = len(traffic.receiver.arrivals()) - 2 * sum(traffic.saved.values())
    print(f"{sum(traffic.saved.values())} events, {interrupted} interrupted, {doubles} sent twice")  # noqa: T201
    assert interrupted, "no kill hit anything: this tested nothing"
