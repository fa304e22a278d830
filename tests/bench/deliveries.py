"""Deliveries per second of one worker process with a backlog, beside a bare loop in the same run."""

import time
from collections.abc import Iterator
from contextlib import ExitStack

from django.utils import timezone

from config.queues import ring
from tests.bench.baseline import bare_rate
from tests.bench.figures import Figure, median
from tests.bench.processes import receiver, worker
from webhooks.models import JobStatus, RequestLog, WebhookJob
from webhooks.rendering import lane_of

BACKLOG = 5_000
BODY = '{"event":"record.submitted","timestamp":"2025-01-15T10:30:00Z","data":{"id":"rec_01kb0000000000000000000000","object_id":"obj_def_leads","field_values":{"name":"Jane Smith","email":"jane@example.com","company":"Tech Corp","estimated_value":25000}}}'  # noqa: E501
ROUNDS = 3


def figures(database: str) -> Iterator[Figure]:
    yield from _fast(database)
    yield from _slow(database)


def _fast(database: str) -> Iterator[Figure]:
    rates, bare_rates, ratios = [], [], []
    with receiver() as url:
        for _ in range(ROUNDS):
            bare = bare_rate(url, {"Content-Type": "application/json"}, BODY.encode(), BACKLOG)
            rate = delivery_rate(url, BACKLOG)
            rates.append(rate)
            bare_rates.append(bare)
            ratios.append(rate / bare)
    yield Figure(f"deliveries, bare requests.Session loop ({database})", median(bare_rates), "/s")
    yield Figure(f"deliveries, one worker, fast receiver ({database})", median(rates), "/s")
    yield Figure(f"deliveries, ratio to the bare loop ({database})", median(ratios), "×", 0.6)


def _slow(database: str) -> Iterator[Figure]:
    with receiver(delay_ms=200) as url:
        rate = delivery_rate(url, 3_000)
    yield Figure(f"deliveries, one worker, receiver takes 200 ms ({database})", rate, "/s", 250)


def delivery_rate(url: str, count: int, *, workers: int = 1) -> float:
    """Jobs per second of running workers, from the bell to the last outcome in the database."""
    RequestLog.objects.all().delete()
    WebhookJob.objects.all().delete()
    with ExitStack() as processes:
        for _ in range(workers):
            processes.enter_context(worker())
        wait_for_worker(url)
        started = time.perf_counter()
        make_backlog(url, count)
        queued = time.perf_counter()
        ring("deliveries")
        while WebhookJob.objects.filter(status=JobStatus.SUCCEEDED).count() < count + 1:
            if time.perf_counter() - started > 180:
                raise TimeoutError("The backlog was not delivered in three minutes.")
            time.sleep(0.02)
        assert RequestLog.objects.count() == count + 1
        return count / (time.perf_counter() - queued)


def make_backlog(url: str, count: int) -> list[WebhookJob]:
    """Jobs that are due, in one transaction."""
    now = timezone.now()
    return WebhookJob.objects.bulk_create(
        (
            WebhookJob(
                webhook_name="Bench", event_name="record.submitted", method="POST", url=url,
                headers=[["Content-Type", "application/json"]], body=BODY, lane=lane_of(url),
                max_attempts=4, policy={"delays_s": [60, 300, 1800]}, next_attempt_at=now, created_at=now,
            )
            for _ in range(count)
        ),
        batch_size=1_000,
    )  # fmt: skip


def wait_for_worker(url: str) -> None:
    """One job first: the worker is up, its engine runs, and its connections are open."""
    make_backlog(url, 1)
    ring("deliveries")
    deadline = time.monotonic() + 30
    while not WebhookJob.objects.filter(status=JobStatus.SUCCEEDED).exists():
        if time.monotonic() > deadline:
            raise TimeoutError("No worker came up in half a minute.")
        time.sleep(0.05)
