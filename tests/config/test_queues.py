import json
import socket
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from typing import Any

import django_rq
import pytest
from django.db import transaction
from redis import Redis
from rq.job import Job

from config import queues
from config.queues import answer, on_bell, queue_depths, ring, ring_on_commit, sweep
from tests.conftest import RedisProcess


@pytest.fixture(autouse=True)
def _own_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    """These tests are about the bell, not about what the apps do when it rings."""
    monkeypatch.setattr(queues, "_on_bell", {})
    monkeypatch.setattr(queues, "_on_sweep", [])


@pytest.fixture
def deaf_server(settings: Any) -> Iterator[None]:
    """A Redis that accepts connections and never answers."""
    listener = socket.create_server(("127.0.0.1", 0))
    settings.REDIS_URL = f"redis://127.0.0.1:{listener.getsockname()[1]}"
    queues.bell_redis.cache_clear()
    yield
    queues.bell_redis.cache_clear()
    listener.close()


def take_ring(name: str) -> Job:
    """Take the waiting ring off the queue, as a worker does."""
    queue = django_rq.get_queue(name)
    [job_id] = queue.job_ids
    job = queue.fetch_job(job_id)
    queue.remove(job_id)
    return job


def test_one_ring_is_one_job() -> None:
    assert ring("events")

    assert queue_depths() == {"events": 1, "runs": 0, "deliveries": 0, "timers": 0, "chores": 0}


def test_a_ring_is_not_repeated_while_one_waits() -> None:
    for _ in range(3):
        assert ring("events")
    ring("runs")

    assert queue_depths() == {"events": 1, "runs": 1, "deliveries": 0, "timers": 0, "chores": 0}


def test_after_it_was_taken_it_rings_again() -> None:
    ring("events")
    take_ring("events")

    ring("events")

    assert queue_depths()["events"] == 1


def test_a_flush_of_redis_does_not_silence_the_bell(redis: Redis) -> None:
    ring("events")
    redis.flushall()

    ring("events")

    assert queue_depths()["events"] == 1


def test_a_ring_carries_nothing_but_its_name_as_json(redis: Redis) -> None:
    ring("deliveries")

    job = take_ring("deliveries")

    assert job.func_name == "config.queues.answer"
    assert job.args == ["deliveries"]
    assert job.result_ttl == 0
    assert json.loads(zlib.decompress(job.to_dict()["data"])) == [
        "config.queues.answer",
        None,
        ["deliveries"],
        {},
    ]


def test_redis_away_is_no_error(redis_process: RedisProcess) -> None:
    redis_process.stop()

    assert not ring("events")


def test_redis_away_is_not_tried_again_for_a_moment(
    redis_process: RedisProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    redis_process.stop()
    ring("events")
    monkeypatch.setattr(queues, "bell_redis", lambda **_: pytest.fail("tried"))

    assert not ring("runs")


def test_redis_that_hangs_does_not_hold_up_a_save(deaf_server: None) -> None:
    began_at = time.monotonic()

    assert not ring("events")

    assert time.monotonic() - began_at < 1  # 50 ms, on a machine that has nothing else to do


def test_redis_that_came_back_is_rung_again(redis_process: RedisProcess) -> None:
    ring("events")  # leaves a pooled connection behind, which the restart makes useless
    redis_process.stop()
    redis_process.start()

    assert ring("events")
    assert queue_depths()["events"] == 1


def test_the_sweep_tries_redis_even_in_the_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    # No database is needed; a test before may have left a connection.
    monkeypatch.setattr(queues, "close_old_connections", lambda: None)
    monkeypatch.setattr(queues, "_redis_away_until", time.monotonic() + 60)
    queues.on_sweep(lambda: ring("events") and None)

    assert not ring("events")  # a save does not
    sweep()

    assert queue_depths()["events"] == 1


def test_a_redis_that_is_away_is_logged_once(
    redis_process: RedisProcess, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(queues, "_REDIS_PAUSE_S", 0.0)
    redis_process.stop()
    assert not ring("events")
    assert not ring("events")
    redis_process.start()
    assert ring("events")
    assert ring("events")

    assert [record.message.split(" (")[0] for record in caplog.records] == [
        "Redis does not answer",
        "Redis answers again",
    ]


@pytest.mark.django_db
def test_on_commit_rings_after_the_commit(django_capture_on_commit_callbacks: Callable) -> None:
    with django_capture_on_commit_callbacks(execute=True), transaction.atomic():
        ring_on_commit("events")
        assert queue_depths()["events"] == 0

    assert queue_depths()["events"] == 1


@pytest.mark.django_db(transaction=True)
def test_a_rolled_back_transaction_does_not_ring() -> None:
    with transaction.atomic():
        ring_on_commit("events")
        transaction.set_rollback(True)

    assert queue_depths()["events"] == 0


@pytest.mark.django_db
def test_answer_calls_what_is_registered() -> None:
    heard = []

    @on_bell("runs")
    def listen() -> None:
        heard.append("runs")

    answer("runs")

    assert heard == ["runs"]


def test_a_bell_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValueError, match="There is no queue “emails”"):
        on_bell("emails")


@pytest.mark.django_db
def test_the_sweep_goes_on_when_one_sweeper_fails(caplog: pytest.LogCaptureFixture) -> None:
    swept = []

    @queues.on_sweep
    def broken() -> None:
        raise RuntimeError("no such table")

    @queues.on_sweep
    def sound() -> None:
        swept.append(True)

    sweep()

    assert swept == [True]
    assert "The sweep of" in caplog.text
    assert "no such table" in caplog.text


def test_rings_from_many_threads_wait_as_few_jobs() -> None:
    threads = [threading.Thread(target=ring, args=("events",)) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert 1 <= queue_depths()["events"] <= 20
    depth = queue_depths()["events"]
    ring("events")
    assert queue_depths()["events"] == depth
