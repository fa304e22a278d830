"""What a dead destination does to a healthy one: nothing that anybody would notice."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from config.queues import ring
from tests.bench.deliveries import make_backlog, wait_for_worker
from tests.bench.figures import Figure, percentile
from tests.bench.processes import arrivals_at, receiver, worker
from webhooks.models import Destination, RequestLog, WebhookJob

DEAD_BACKLOG = 10_000
SAMPLES = 200
PAUSE_S = 0.05


def figures(database: str) -> Iterator[Figure]:
    alone_ms = _measure(dead_backlog=0)
    beside_ms = _measure(dead_backlog=DEAD_BACKLOG)
    alone, beside = percentile(alone_ms, 0.95), percentile(beside_ms, 0.95)
    yield Figure(f"healthy destination alone, p95 ({database})", alone, "ms")
    yield Figure(f"healthy beside a dead one with 10,000 jobs, p95 ({database})", beside, "ms")
    yield Figure(
        f"healthy beside a dead one, ratio ({database})", beside / alone, "×", 2, at_most=True
    )


def _measure(dead_backlog: int) -> list[float]:
    """Milliseconds from a job's commit to its arrival, for a steady stream to a healthy receiver."""
    for model in (RequestLog, WebhookJob, Destination):
        model.objects.all().delete()
    with receiver() as url, _black_hole() as dead_url, worker():
        wait_for_worker(url)
        if dead_backlog:
            make_backlog(dead_url, dead_backlog)
            ring("deliveries")
            time.sleep(1)  # the dead destination has taken all it can get
        arrivals_at(url)
        queued = {}
        for _ in range(SAMPLES):
            (job,) = make_backlog(url, 1)
            queued[job.pk] = time.monotonic()
            ring("deliveries")
            time.sleep(PAUSE_S)
        arrivals: dict[str, float] = {}
        deadline = time.monotonic() + 60
        while len(arrivals) < SAMPLES and time.monotonic() < deadline:
            arrivals |= arrivals_at(url)
            time.sleep(0.05)
        missing = SAMPLES - len(arrivals)
        assert not missing, f"{missing} requests did not arrive within a minute."
        return [(arrivals[job] - at) * 1000 for job, at in queued.items()]


@contextmanager
def _black_hole() -> Iterator[str]:
    """A server that takes every connection and never answers."""
    server = socket.create_server(("127.0.0.1", 0), backlog=1024)
    kept: list[socket.socket] = []

    def swallow() -> None:
        while True:
            try:
                kept.append(server.accept()[0])
            except OSError:
                return

    threading.Thread(target=swallow, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.getsockname()[1]}/hook"
    finally:
        server.close()
        for connection in kept:
            connection.close()
