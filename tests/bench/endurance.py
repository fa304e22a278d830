"""The memory of a worker over 100,000 deliveries."""

import time
from collections.abc import Iterator

from config.queues import ring
from tests.bench.deliveries import make_backlog, wait_for_worker
from tests.bench.figures import Figure
from tests.bench.processes import memory_mb, receiver, worker
from webhooks.models import JobStatus, RequestLog, WebhookJob

FIRST, ALL = 10_000, 100_000


def figures(database: str) -> Iterator[Figure]:
    RequestLog.objects.all().delete()
    WebhookJob.objects.all().delete()
    with receiver() as url, worker() as process:
        wait_for_worker(url)
        _deliver(url, FIRST)
        after_first = memory_mb(process.pid)
        for _ in range((ALL - FIRST) // FIRST):
            _deliver(url, FIRST)
        after_all = memory_mb(process.pid)
    yield Figure(
        f"memory of a worker after 100,000 deliveries ({database})",
        after_all,
        "MB",
        150,
        at_most=True,
    )
    ratio = after_all / after_first
    yield Figure(f"the same over that after 10,000 ({database})", ratio, "×", 1.2, at_most=True)


def _deliver(url: str, count: int) -> None:
    """So many more deliveries; the rows go again, so that only the worker's memory is at stake."""
    make_backlog(url, count)
    ring("deliveries")
    deadline = time.monotonic() + 120
    while WebhookJob.objects.filter(status__in=(JobStatus.PENDING, JobStatus.SENDING)).exists():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{count} jobs were not delivered in two minutes.")
        time.sleep(0.1)
    RequestLog.objects.all().delete()
    WebhookJob.objects.all().delete()
