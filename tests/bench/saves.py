"""What the event costs on saving a record; and what a save costs while Redis is away."""

import time
from collections.abc import Callable, Iterator
from typing import Any

from django.db import connection
from django.db.models.signals import post_save
from django.test.utils import CaptureQueriesContext

from config import queues
from records.models import Record
from records.services import create_record
from records.signals.records import record_saved
from tests.bench.data import leads
from tests.bench.figures import Figure, median

SAVES = 600


def figures(database: str) -> Iterator[Figure]:
    record = create_record(object_definition=leads(), data={"name": "Jane", "value": 1})
    with_ms, without_ms = [], []
    for number in range(SAVES):
        with_ms.append(_save(record, number))
        without_ms.append(_without_events(lambda n=number: _save(record, -n - 1)))
    yield Figure(f"saving a record without events, p50 ({database})", median(without_ms), "ms")
    yield Figure(f"saving a record with its event, p50 ({database})", median(with_ms), "ms")
    extra_ms = median(with_ms) - median(without_ms)
    bar = 1.0 if database == "PostgreSQL" else None
    yield Figure(f"an event's share of it, p50 ({database})", extra_ms, "ms", bar, at_most=True)
    extra = _count(record, SAVES) - _without_events(lambda: _count(record, -SAVES - 1))
    yield Figure(f"statements that the event adds ({database})", extra, "", 1, at_most=True)
    yield from _without_redis(record, database, median(with_ms))


def _without_redis(record: Record, database: str, usual_ms: float) -> Iterator[Figure]:
    """The first save after Redis went away is the slow one: it finds out."""
    ring_redis, queues.bell_redis = queues.bell_redis, _nobody
    try:
        worst_ms = max(_save_after_pause(record, number) for number in range(5))
    finally:
        queues.bell_redis = ring_redis
    name = f"saving a record while Redis is away, over the usual, worst of 5 ({database})"
    yield Figure(name, worst_ms - usual_ms, "ms", 100, at_most=True)


def _nobody(*, patient: bool = False) -> object:
    from redis import Redis

    return Redis(host="127.0.0.1", port=1, socket_connect_timeout=0.05, retry=None)


def _save_after_pause(record: Record, number: int) -> float:
    queues._redis_away_until = 0.0
    return _save(record, 10_000 + number)


def _save(record: Record, value: int) -> float:
    """Milliseconds of one save that changes one field, its commit included."""
    record.data = {**record.data, "value": value}
    started = time.perf_counter()
    record.save()
    return (time.perf_counter() - started) * 1000


def _count(record: Record, value: int) -> int:
    """The statements of one save."""
    with CaptureQueriesContext(connection) as queries:
        _save(record, value)
    return len(queries)


def _without_events(function: Callable[[], Any]) -> Any:
    post_save.disconnect(record_saved, sender=Record)
    try:
        return function()
    finally:
        post_save.connect(record_saved, sender=Record)
