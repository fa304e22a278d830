"""The doorbell: RQ wakes workers, the database says what there is to do.

`ring(name)` puts one short job on the RQ queue `name`, unless one waits there already. The worker that takes
it calls the function registered by `@on_bell(name)`, which claims its work from the database. Losing a ring
loses nothing: every worker sweeps (`@on_sweep`) and rings again for what is due.

Nothing is enqueued later or retried by RQ: what is due and when, is in the database.
"""

import logging
import threading
import time
from collections.abc import Callable
from contextvars import ContextVar
from functools import cache
from typing import Final, TypeVar

import django_rq
from django.conf import settings
from django.db import Error as DatabaseTrouble
from django.db import InterfaceError, OperationalError, close_old_connections, transaction
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError
from redis.retry import Retry
from rq.timeouts import BaseTimeoutException

logger = logging.getLogger(__name__)

QUEUES: Final = ("events", "runs", "deliveries", "timers", "chores")
# Long work is answered beside the rest, so that no event waits for a mail server or for the cleaning.
BESIDE: Final = ("chores",)

# A claim holds for so long without being renewed; then the work is anybody's again. Together with the sweep's
# interval it bounds how long a killed worker can delay what it had claimed: under ten seconds.
LEASE_S: Final = 7.0
LEASE_RENEWAL_S: Final = 2.0
SWEEP_INTERVAL_S: Final = 1.0

# A save must not wait for a Redis that is away: one short try, then none for a moment.
_REDIS_TIMEOUT_S: Final = 0.05
_REDIS_PAUSE_S: Final = 1.0
# Nobody waits for the sweep: it has time for a Redis that is far away or slow.
_PATIENT_REDIS_TIMEOUT_S: Final = 2.0
# How long RQ's pages show a ring whose answer failed. The sweep rings every second: an hour would be a long list.
_FAILED_RING_TTL_S: Final = 600

Work = TypeVar("Work", bound=Callable[[], object])

# Comes in the middle of an answer that takes longer than RQ allows. It is no fault of what is being done
# just then: who catches everything else lets it pass.
TookTooLong: Final = BaseTimeoutException

_patient: ContextVar[bool] = ContextVar("patient", default=False)
_on_bell: dict[str, list[Callable[[], object]]] = {}
_on_sweep: list[Callable[[], None]] = []
_redis_away_until = 0.0  # 0: it answers
_database_is_away = False
# Set when this process is to end: an answer that takes long leaves the rest to others.
stopping: Final = threading.Event()


def on_bell(name: str) -> Callable[[Work], Work]:
    """Register a function that answers the bell `name`: it claims and does what is due."""
    if name not in QUEUES:
        raise ValueError(f"There is no queue “{name}”; the queues are {', '.join(QUEUES)}.")

    def register(function: Work) -> Work:
        _on_bell.setdefault(name, []).append(function)
        return function

    return register


def on_sweep(function: Callable[[], None]) -> Callable[[], None]:
    """Register a function that every worker calls each second: ring for due work, free lapsed leases."""
    _on_sweep.append(function)
    return function


@cache
def bell_redis(*, patient: bool = False) -> "Redis":
    """The connection that rings. Unless `patient`, it gives up at once, so that no save waits for Redis."""
    timeout_s = _PATIENT_REDIS_TIMEOUT_S if patient else _REDIS_TIMEOUT_S
    return Redis.from_url(
        settings.REDIS_URL,
        socket_connect_timeout=timeout_s,
        socket_timeout=timeout_s,
        # Once more when a pooled connection turns out to be dead; not when there is no answer in time.
        retry=Retry(NoBackoff(), 1, supported_errors=(RedisConnectionError,)),
    )


def ring(name: str) -> bool:
    """Wake a worker for `name`. False when Redis is away: the sweep will ring later, nothing is lost."""
    patient = _patient.get()
    if time.monotonic() < _redis_away_until and not patient:
        return False
    try:
        queue = django_rq.get_queue(name, connection=bell_redis(patient=patient))
        # Two who look at the same moment may both ring; the second answer finds nothing to do.
        if not queue.count:
            queue.enqueue_call(
                "config.queues.answer",
                args=(name,),
                result_ttl=0,
                failure_ttl=_FAILED_RING_TTL_S,
                description=f"Bell: {name}",
            )
    except RedisError as error:
        _note_redis_is_away(error)
        return False
    _note_redis_answers()
    return True


def _note_redis_is_away(error: RedisError) -> None:
    global _redis_away_until
    if not _redis_away_until:
        logger.warning("Redis does not answer (%s); nothing is lost, but it has to wait", error)
    _redis_away_until = time.monotonic() + _REDIS_PAUSE_S


def _note_redis_answers() -> None:
    global _redis_away_until
    if _redis_away_until:
        _redis_away_until = 0.0
        logger.warning("Redis answers again")


def ring_on_commit(name: str) -> None:
    """Ring once the surrounding transaction is committed (at once when there is none)."""
    transaction.on_commit(lambda: ring(name), robust=True)


def answer(name: str) -> None:
    """The RQ job behind every ring. In a worker, long work goes on in a thread of its own."""
    if name in BESIDE and _helper is not None:
        _helper.wake(name)
    else:
        answer_now(name)


def answer_now(name: str) -> None:
    """Do what the bell is for. One function's failure does not keep the others from their work."""
    close_old_connections()
    errors: list[Exception] = []
    for function in _on_bell[name]:
        try:
            function()
        except Exception as error:  # noqa: BLE001  (raised below)
            errors.append(error)
    close_old_connections()
    if errors:
        raise errors[0]


class Helper(threading.Thread):
    """Answers bells beside the worker's own thread, each once however often it was rung meanwhile."""

    def __init__(self) -> None:
        super().__init__(name="beside", daemon=True)
        self._rung: dict[str, None] = {}
        self._is_over = False
        self._changed = threading.Condition()
        self._is_busy = False

    def wake(self, name: str) -> None:
        with self._changed:
            self._rung[name] = None
            self._changed.notify_all()

    def end(self, timeout_s: float, *, when_idle: bool = False) -> None:
        """Take no more, or with `when_idle` first finish what has been rung; wait for it that long."""
        with self._changed:
            if when_idle:
                self._changed.wait_for(lambda: not (self._rung or self._is_busy), timeout_s)
            self._is_over = True
            self._changed.notify_all()
        self.join(timeout_s)

    def run(self) -> None:
        while (name := self._next()) is not None:
            try:
                answer_now(name)
            except Exception:
                logger.exception("The bell “%s” could not be answered", name)
            with self._changed:
                self._is_busy = False
                self._changed.notify_all()

    def _next(self) -> str | None:
        with self._changed:
            self._changed.wait_for(lambda: self._rung or self._is_over)
            if self._is_over:
                return None
            name = next(iter(self._rung))
            del self._rung[name]
            self._is_busy = True
            return name


_helper: Helper | None = None


def start_helper() -> Helper:
    """From now on, long work of this process goes on beside the rest."""
    global _helper
    _helper = Helper()
    _helper.start()
    return _helper


def sweep() -> None:
    """Call every sweeper; one that fails is logged and does not keep the others from their work."""
    patience = _patient.set(True)
    try:
        troubles = [_call_sweeper(function) for function in _on_sweep]
    finally:
        _patient.reset(patience)
    _note_database(next((trouble for trouble in troubles if trouble), None))


def _call_sweeper(function: Callable[[], None]) -> DatabaseTrouble | None:
    """The trouble, if it is the database's."""
    try:
        close_old_connections()
        function()
        close_old_connections()
    except (OperationalError, InterfaceError) as error:
        return error
    except Exception:
        logger.exception("The sweep of %s.%s failed", function.__module__, function.__qualname__)
    return None


def _note_database(trouble: DatabaseTrouble | None) -> None:
    """Say it once, not every second."""
    global _database_is_away
    if trouble and not _database_is_away:
        logger.warning("The database does not answer (%s); the sweep goes on trying", trouble)
    elif _database_is_away and not trouble:
        logger.warning("The database answers again")
    _database_is_away = trouble is not None


def queue_depths() -> dict[str, int]:
    """How many rings wait in each queue. Raises RedisError when Redis is away."""
    return {name: len(django_rq.get_queue(name, connection=bell_redis())) for name in QUEUES}
