"""A worker whose bells only say in Redis that they were heard; run by test_worker.py."""

import sys
import time

import django
from django.conf import settings
from redis import Redis

django.setup()

from config import queues  # noqa: E402
from config.worker import on_worker_stop, run_worker  # noqa: E402

redis = Redis.from_url(settings.REDIS_URL)
queues._on_bell.clear()
queues._on_sweep.clear()


@queues.on_bell("events")
def say_so() -> None:
    redis.rpush("heard", "events")


@queues.on_bell("runs")
def take_long() -> None:
    redis.rpush("heard", "runs begun")
    time.sleep(1)
    redis.rpush("heard", "runs done")


@queues.on_bell("deliveries")
def fail() -> None:
    raise RuntimeError("this answer fails")


@queues.on_sweep
def ring_for_chores() -> None:
    queues.ring("chores")


@queues.on_bell("chores")
def say_that_it_swept() -> None:
    redis.incr("swept")
    while redis.exists("hold"):
        time.sleep(0.01)


@on_worker_stop
def say_goodbye() -> None:
    sys.stdout.write("goodbye\n")


run_worker(sys.argv[1:])
