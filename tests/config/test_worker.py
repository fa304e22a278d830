import re
import time
from collections.abc import Callable

import django_rq
import pytest
from redis import Redis
from redis.exceptions import RedisError

from config.queues import QUEUES, queue_depths, ring
from tests.conftest import RedisProcess, WorkerProcess
from tests.waiting import wait_until

Spawn = Callable[..., WorkerProcess]
MISSES_REDIS = re.compile("could not connect to Redis|Redis does not answer")


@pytest.fixture
def spawn_bellman(spawn_worker: Spawn) -> Spawn:
    """A worker whose bells say in Redis that they were heard."""
    return lambda *queues, **options: spawn_worker(
        *(queues or QUEUES), command=("-m", "tests.config.bellman"), **options
    )


def heard(redis: Redis) -> list[str]:
    try:
        return [entry.decode() for entry in redis.lrange("heard", 0, -1)]
    except RedisError:
        return []


def test_a_worker_answers_rings(spawn_bellman: Spawn, redis: Redis) -> None:
    spawn_bellman()

    ring("events")
    wait_until(lambda: heard(redis) == ["events"])
    ring("events")
    wait_until(lambda: heard(redis) == ["events", "events"])

    assert queue_depths()["events"] == 0


def test_an_answered_ring_leaves_nothing_in_redis(spawn_bellman: Spawn, redis: Redis) -> None:
    spawn_bellman("events")
    ring("events")
    wait_until(lambda: heard(redis))

    wait_until(lambda: not list(redis.scan_iter("rq:job:*")), what="The job's end")


def test_an_answer_that_fails_is_shown_and_the_worker_goes_on(
    spawn_bellman: Spawn, redis: Redis
) -> None:
    worker = spawn_bellman()

    ring("deliveries")
    failed = django_rq.get_queue("deliveries").failed_job_registry
    wait_until(lambda: failed.count == 1)
    ring("events")
    wait_until(lambda: heard(redis) == ["events"])

    assert "this answer fails" in worker.output()
    [job_id] = failed.get_job_ids()
    assert 0 < redis.ttl(f"rq:job:{job_id}") <= 600


def test_long_work_keeps_no_event_waiting(spawn_bellman: Spawn, redis: Redis) -> None:
    redis.set("hold", 1)
    spawn_bellman()
    wait_until(lambda: redis.get("swept") == b"1", what="The beginning of the long work")

    ring("events")
    wait_until(lambda: heard(redis) == ["events"])
    assert redis.get("swept") == b"1"

    redis.delete("hold")
    wait_until(lambda: int(redis.get("swept") or 0) > 1, what="The end of the long work")


def test_every_worker_sweeps(spawn_bellman: Spawn, redis: Redis) -> None:
    spawn_bellman()

    wait_until(lambda: int(redis.get("swept") or 0) >= 2, what="The second sweep")


def test_sigterm_ends_an_idle_worker_soon(spawn_bellman: Spawn) -> None:
    worker = spawn_bellman("events")

    began_at = time.monotonic()
    assert worker.stop() == 0

    assert time.monotonic() - began_at < 3
    assert "goodbye" in worker.output()


def test_sigterm_lets_an_answer_finish(spawn_bellman: Spawn, redis: Redis) -> None:
    worker = spawn_bellman("runs")
    ring("runs")
    wait_until(lambda: heard(redis) == ["runs begun"])

    assert worker.stop() == 0

    assert heard(redis) == ["runs begun", "runs done"]
    assert "goodbye" in worker.output()
    assert "Traceback" not in worker.output()


def test_a_worker_survives_the_loss_of_redis(
    spawn_bellman: Spawn, redis_process: RedisProcess, redis: Redis
) -> None:
    worker = spawn_bellman()
    redis_process.stop()
    wait_until(lambda: MISSES_REDIS.search(worker.output()))
    redis_process.start()

    # Whatever Redis knew is lost; the sweep rings for what is due.
    wait_until(lambda: int(redis.get("swept") or 0) >= 1, what="The sweep after the loss")
    assert worker.is_running()


def test_a_worker_waits_for_redis_to_start(
    spawn_bellman: Spawn, redis_process: RedisProcess, redis: Redis
) -> None:
    redis_process.stop()
    worker = spawn_bellman(wait=False)
    wait_until(lambda: MISSES_REDIS.search(worker.output()))
    redis_process.start()

    wait_until(lambda: int(redis.get("swept") or 0) >= 1)
    assert worker.is_running()


@pytest.mark.parametrize("when", ["before it came", "after it went"])
def test_sigterm_ends_a_worker_that_waits_for_redis(
    spawn_bellman: Spawn, redis_process: RedisProcess, when: str
) -> None:
    if when == "before it came":
        redis_process.stop()
        worker = spawn_bellman(wait=False)
        wait_until(lambda: MISSES_REDIS.search(worker.output()))
    else:
        worker = spawn_bellman()
        redis_process.stop()
        wait_until(lambda: MISSES_REDIS.search(worker.output()))

    began_at = time.monotonic()
    assert worker.stop() == 0

    assert time.monotonic() - began_at < 3
    assert "goodbye" in worker.output()


def test_the_worker_command_listens_to_every_queue(spawn_worker: Spawn) -> None:
    worker = spawn_worker()
    assert all(ring(name) for name in QUEUES)

    wait_until(lambda: not any(queue_depths().values()), what="The answer to every ring")
    assert worker.stop() == 0
