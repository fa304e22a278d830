"""How the installation is doing right now: what waits, who works, and whether Redis is there."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from redis.exceptions import RedisError
from rq import Worker
from rq.utils import utcparse

from config.queues import bell_redis, queue_depths
from webhooks.models import WebhookJob

# Counts beyond are shown as "10,000+": a count costs as much as there is to count.
COUNT_CAP: Final = 10_000
# An idle worker gives a sign of life every 15 seconds; two of them may be lost.
ALIVE_S: Final = 45


@dataclass(frozen=True, slots=True)
class Vitals:
    """Counts go up to COUNT_CAP + 1. `rings` and `workers` are None when Redis is away."""

    open_jobs: int
    due_jobs: int
    rings: int | None
    workers: int | None

    @property
    def is_redis_away(self) -> bool:
        return self.rings is None

    @property
    def queue_depth(self) -> int:
        """What could be done now if somebody had time: due jobs, and rings nobody has answered."""
        return self.due_jobs + (self.rings or 0)


def read_vitals(now: datetime) -> Vitals:
    open_jobs = WebhookJob.objects.open().order_by()[: COUNT_CAP + 1].count()
    due_jobs = WebhookJob.objects.due(now).order_by()[: COUNT_CAP + 1].count()
    try:
        return Vitals(open_jobs, due_jobs, sum(queue_depths().values()), workers_alive(now))
    except RedisError:
        return Vitals(open_jobs, due_jobs, None, None)


def workers_alive(now: datetime) -> int:
    """Workers that gave a sign of life lately. Raises RedisError when Redis is away."""
    redis = bell_redis()
    pipeline = redis.pipeline(transaction=False)
    for key in Worker.all_keys(connection=redis):
        pipeline.hget(key, "last_heartbeat")
    signs = [utcparse(sign.decode()) for sign in pipeline.execute() if sign]
    return sum(now - sign < timedelta(seconds=ALIVE_S) for sign in signs)


def capped(count: int) -> str:
    return f"{COUNT_CAP:,}+" if count > COUNT_CAP else f"{count:,}"
