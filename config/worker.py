"""The worker: RQ's, without a fork for each job, with the sweep beside it, unafraid of a Redis that goes away."""

import gc
import logging
import os
import signal
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from types import FrameType
from typing import Final

import django_rq
from django.conf import settings
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry
from rq import SimpleWorker
from rq.exceptions import StopRequested
from rq.serializers import JSONSerializer
from rq.worker import WorkerStatus

from config.queues import SWEEP_INTERVAL_S, start_helper, stopping, sweep

logger = logging.getLogger(__name__)

# On a machine that they share, who waits for a page or for an answer goes before what is done behind the scenes.
NICENESS: Final = 5

_on_stop: list[Callable[[], None]] = []
_REDIS_RETRY_S: Final = 1.0
# A sweep that is under way when the worker ends; what it leaves undone, the next one does.
_SWEEP_PATIENCE_S: Final = 0.5
# With `burst`, how long the last of the long work may take.
_BURST_PATIENCE_S: Final = 60.0
_REDIS_CONNECT_TIMEOUT_S: Final = 2.0
# RQ listens for so long less 15 s before it listens anew: a Redis that vanished without a word is noticed after
# some 25 s, and a worker that was killed disappears from RQ's pages after this time.
_WORKER_TTL_S: Final = 30


class Worker(SimpleWorker):
    """RQ's worker in one process: forking for each job would cost more than the job."""

    # Redis may be away for a while; whoever waits for it should notice soon that it is back.
    max_connection_wait_time = 2.0

    def stop(self) -> None:
        """Called by a signal: end now, or after the job that is being done."""
        self._stop_requested = True
        if self.get_state() != WorkerStatus.BUSY:
            raise StopRequested

    def subscribe(self) -> None:
        """No channel for RQ's commands: “stop this job” is for workers that fork, and it costs a thread."""

    def register_death(self) -> None:
        """Only RQ's pages want to know, and Redis may be away."""
        with suppress(RedisError):
            super().register_death()  # type: ignore[no-untyped-call]

    def run_maintenance_tasks(self) -> None:
        """Cleaning can wait until Redis is back."""
        with suppress(RedisError):
            super().run_maintenance_tasks()  # type: ignore[no-untyped-call]

    def _install_signal_handlers(self) -> None:
        """The process has its own: they also hold between two lifetimes of an RQ worker."""


def on_worker_stop(function: Callable[[], None]) -> Callable[[], None]:
    """Register what has to be put in order before a worker process ends."""
    _on_stop.append(function)
    return function


def run_worker(queues: Sequence[str], *, burst: bool = False) -> None:
    """Answer bells until SIGTERM or SIGINT; with `burst`, until no ring is waiting.

    The sweep runs in every worker, so that the death of any one process delays nothing for longer than a
    lease. It goes on while Redis is away, and so do deliveries that are under way.
    """
    give_way()
    spare_the_collector()
    stop = threading.Event()
    worker: Worker | None = None

    def on_signal(signum: int, frame: FrameType | None) -> None:
        if stop.is_set():
            return  # it is ending already
        stop.set()
        stopping.set()
        if worker is None:
            raise StopRequested
        worker.stop()

    signal.signal(signal.SIGTERM, on_signal)
    signal.signal(signal.SIGINT, on_signal)
    sweeper = threading.Thread(target=_sweep_until, args=(stop,), name="sweep", daemon=True)
    helper = start_helper()
    try:
        sweeper.start()
        while not stop.is_set():
            try:
                worker = make_worker(queues)
                worker.work(burst=burst, logging_level="WARNING")
            except RedisError as error:
                logger.info("Redis does not answer (%s); the worker tries again", error)
            else:
                if burst:
                    helper.end(_BURST_PATIENCE_S, when_idle=True)
                    break
            stop.wait(_REDIS_RETRY_S)
    except StopRequested:
        pass
    finally:
        stop.set()
        for function in _on_stop:
            function()
        helper.end(_SWEEP_PATIENCE_S)
        sweeper.join(timeout=_SWEEP_PATIENCE_S)


def give_way() -> None:
    """Let processes of the usual priority go first, unless this one has to wait for more of them anyway."""
    own = os.getpriority(os.PRIO_PROCESS, 0)
    os.setpriority(os.PRIO_PROCESS, 0, max(own, NICENESS))


def spare_the_collector() -> None:
    """What is loaded by now stays: Python's garbage collector need not look at it again and again. And rows come and
    go in batches of hundreds, hardly any of them in cycles, so it looks less often than after every 700 of them.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


def make_worker(queues: Sequence[str]) -> Worker:
    """An RQ worker for `queues` with a connection of its own. Raises RedisError when Redis is away."""
    redis = Redis.from_url(
        settings.REDIS_URL,
        socket_connect_timeout=_REDIS_CONNECT_TIMEOUT_S,
        retry=Retry(
            NoBackoff(), 1
        ),  # RQ and `run_worker` wait and try again; here it would only delay a stop
    )
    return Worker(
        [django_rq.get_queue(name, connection=redis) for name in queues],
        connection=redis,
        serializer=JSONSerializer,
        worker_ttl=_WORKER_TTL_S,
    )


def _sweep_until(stop: threading.Event) -> None:
    while not stop.wait(SWEEP_INTERVAL_S):
        sweep()
