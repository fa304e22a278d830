"""The worker: RQ's, without a fork for each job, with the sweep beside it, and not afraid of a Redis that goes away."""

import logging
import threading
import time
from collections.abc import Callable, Sequence

from django_rq.workers import get_worker
from redis.exceptions import RedisError
from rq import SimpleWorker
from rq.serializers import JSONSerializer

from config.queues import SWEEP_INTERVAL_S, sweep

logger = logging.getLogger(__name__)

_on_stop: list[Callable[[], None]] = []
_REDIS_RETRY_S = 1.0


class Worker(SimpleWorker):
    """RQ's worker in one process: forking for each job would cost more than the job."""

    # Redis may be away for a while; whoever waits for it should notice soon that it is back.
    max_connection_wait_time = 2.0

    @property
    def was_asked_to_stop(self) -> bool:
        return self._shutdown_requested_date is not None


def on_worker_stop(function: Callable[[], None]) -> Callable[[], None]:
    """Register what has to be put in order before a worker process ends."""
    _on_stop.append(function)
    return function


def run_worker(queues: Sequence[str], *, burst: bool = False) -> None:
    """Answer bells until SIGTERM or SIGINT.

    The sweep runs in every worker, so that the death of any one process delays nothing for longer than a
    lease. It goes on while Redis is away, and so do deliveries that are under way.
    """
    stop = threading.Event()
    sweeper = threading.Thread(target=_sweep_until, args=(stop,), name="sweep", daemon=True)
    sweeper.start()
    try:
        while not _answer_bells(queues, burst=burst):
            time.sleep(_REDIS_RETRY_S)
    except KeyboardInterrupt:
        pass
    finally:
        stop.set()
        sweeper.join(timeout=2)
        for function in _on_stop:
            function()


def _answer_bells(queues: Sequence[str], *, burst: bool) -> bool:
    """One lifetime of an RQ worker. True when it ended because it was asked to."""
    try:
        worker = get_worker(*queues, serializer=JSONSerializer)
        worker.work(burst=burst, logging_level="WARNING")
    except RedisError as error:
        logger.warning("Redis does not answer (%s); the worker tries again", error)
        return False
    return burst or worker.was_asked_to_stop


def _sweep_until(stop: threading.Event) -> None:
    while not stop.wait(SWEEP_INTERVAL_S):
        sweep()
