"""Rates of endpoints and senders, counted over all processes by Redis; by each process for itself while it is away.

A limit of 60 a minute lets 60 come at once, and then one each second.
"""

import logging
import threading
import time
from collections.abc import Sequence
from functools import cache
from typing import Final

from redis.commands.core import Script
from redis.exceptions import RedisError

from config.queues import bell_redis
from webhooks.intake.rates import Bucket, sender_of, take

logger = logging.getLogger(__name__)

# After Redis did not answer it is left alone for so long, as the bell does.
_REDIS_PAUSE_S: Final = 1.0
# Of senders that a process counts for itself; beyond, the one that was quiet longest is forgotten.
_MAX_OWN_BUCKETS: Final = 10_000

# `rates.take` for several buckets at once: from all of them, or from none. By Redis's clock, which all share.
# A bucket that was left alone for a minute is full, and forgotten.
_TAKE: Final = """
local time = redis.call('TIME')
local now = time[1] + time[2] / 1000000
local levels = {}
local wait = 0
for i, key in ipairs(KEYS) do
  local limit = tonumber(ARGV[i])
  local kept = redis.call('HMGET', key, 'tokens', 'at')
  local level = limit
  if kept[1] and kept[2] then
    level = math.min(limit, tonumber(kept[1]) + math.max(0, now - tonumber(kept[2])) * limit / 60)
  end
  levels[i] = level
  if level < 1 then wait = math.max(wait, (1 - level) * 60 / limit) end
end
if wait == 0 then
  for i, key in ipairs(KEYS) do
    redis.call('HSET', key, 'tokens', string.format('%.6f', levels[i] - 1), 'at', string.format('%.6f', now))
    redis.call('EXPIRE', key, 60)
  end
end
return string.format('%.6f', wait)
"""

_lock: Final = threading.Lock()
_own: Final[dict[str, Bucket]] = {}
_redis_away_until = 0.0  # 0: it answers


def allow(
    endpoint_key: str,
    address: str,
    *,
    per_endpoint_per_min: int | None,
    per_address_per_min: int | None,
) -> float | None:
    """None to go on, else the seconds until it may be tried again. Never raises for Redis's sake.

    A sender's rate is its rate at this endpoint. A request that is refused counts for neither. None or 0: no limit.
    """
    limits: list[tuple[str, int]] = []
    if per_endpoint_per_min:
        limits.append((f"signalbox:rate:{endpoint_key}", per_endpoint_per_min))
    if per_address_per_min and address:
        key = f"signalbox:rate:{endpoint_key}:{sender_of(address)}"
        limits.append((key, per_address_per_min))
    if not limits:
        return None
    if time.monotonic() >= _redis_away_until:
        try:
            wait_s = float(_script()(keys=[k for k, _ in limits], args=[n for _, n in limits]))
        except (RedisError, ValueError) as error:
            _note_redis_is_away(error)
        else:
            _note_redis_answers()
            return wait_s or None
    return _take_own(limits)


def _take_own(limits: Sequence[tuple[str, int]]) -> float | None:
    """The same within this process."""
    now = time.monotonic()
    with _lock:
        taken = [(key, *take(_own.get(key), now, limit, limit)) for key, limit in limits]
        waits = [wait for _, _, wait in taken if wait is not None]
        if waits:
            return max(waits)
        for key, bucket, _ in taken:
            _own.pop(key, None)  # so that the dictionary goes from the quietest to the latest
            _own[key] = bucket
        while len(_own) > _MAX_OWN_BUCKETS:
            del _own[next(iter(_own))]
    return None


@cache
def _script() -> Script:
    return bell_redis().register_script(_TAKE)


def _note_redis_is_away(error: Exception) -> None:
    global _redis_away_until
    if not _redis_away_until:
        logger.warning("Redis does not count rates (%s); each process counts for itself", error)
    _redis_away_until = time.monotonic() + _REDIS_PAUSE_S


def _note_redis_answers() -> None:
    global _redis_away_until
    if _redis_away_until:
        _redis_away_until = 0.0
        logger.warning("Redis counts rates again")
