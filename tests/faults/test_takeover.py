"""How long the death of a worker holds up what it had claimed: less than ten seconds, with the real leases."""

import signal
import sqlite3
import time

import pytest
from django.db import connection

from tests.conftest import WorkerProcess
from tests.faults.conftest import Spawn, Traffic
from tests.waiting import wait_until
from webhooks.models import WebhookJob

pytestmark = [pytest.mark.faults, pytest.mark.django_db(transaction=True)]

LIMIT_S = 10.0


def test_another_worker_takes_over_within_ten_seconds(
    traffic: Traffic, spawn_flawed: Spawn, spawn_sound: Spawn
) -> None:
    """The worst moment: the leases have just been renewed. The dead one also swept; now only the other does."""
    traffic.receiver_is(hold=1)
    traffic.create(40)
    victim = spawn_flawed("--die-at", "renew:end:2", wait=False)
    wait_until(lambda: len(traffic.receiver.arrivals()) == 40, what="The first requests")
    spawn_sound()
    wait_until(lambda: not victim.is_running(), what="The worker's death")
    died_at = time.monotonic()

    wait_until(lambda: len(traffic.receiver.arrivals()) == 80, what="The second requests")
    worst_s = max(each["at"] for each in traffic.receiver.arrivals()) - died_at
    print(f"Taken over after {worst_s:.2f} s")  # noqa: T201
    assert worst_s < LIMIT_S
    traffic.receiver.release()
    traffic.check()


def test_a_worker_that_was_frozen_does_no_harm_when_it_comes_back(
    traffic: Traffic, spawn_flawed: Spawn
) -> None:
    """Its leases ran out and others did its work: what it has yet to say belongs to the log."""
    traffic.receiver_is(delay_ms=1000)
    traffic.create(30)
    sleeper = spawn_flawed("--lease", "1.6", wait=False)
    wait_until(traffic.receiver.arrivals, what="The first requests")
    wait_until(
        lambda: _freeze(sleeper), what="A moment in which the worker does not hold SQLite's lock"
    )
    spawn_flawed("--lease", "1.6", wait=False)
    wait_until(lambda: WebhookJob.objects.filter(interruptions=1).count() > 0)
    wait_until(lambda: not WebhookJob.objects.exclude(status="succeeded").exists())
    sleeper.process.send_signal(signal.SIGCONT)

    traffic.create(10)
    # It goes on working, and puts down what it had heard before it froze.
    wait_until(lambda: WebhookJob.objects.filter(status="succeeded").count() == 40)
    assert sleeper.stop() == 0
    traffic.check()


def _freeze(worker: WorkerProcess) -> bool:
    """Stop the process where it stands, unless it is writing: SQLite has one lock for all, and would keep it."""
    worker.process.send_signal(signal.SIGSTOP)
    if connection.vendor != "sqlite":
        return True
    database = sqlite3.connect(connection.settings_dict["NAME"], timeout=0.2)
    try:
        database.execute("BEGIN IMMEDIATE")
    except sqlite3.OperationalError:
        worker.process.send_signal(signal.SIGCONT)
        return False
    finally:
        database.close()
    return True
