"""The database goes away and comes back; or it is not there yet. Outcomes wait for it, and workers do too."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connection

from tests.conftest import database_url
from tests.faults.conftest import Spawn, Traffic
from tests.faults.databases import (
    copy_to,
    database_away,
    database_that_comes_late,
    durable_database,
)
from tests.waiting import wait_until
from webhooks.models import RequestLog, WebhookJob

pytestmark = [pytest.mark.faults, pytest.mark.django_db(transaction=True)]

# Longer than a lease: nobody could renew his meanwhile, and yet nobody is dead.
AWAY_S = 9


@pytest.fixture(autouse=True)
def _durable(transactional_db: None) -> Iterator[None]:
    with durable_database():
        yield


def test_the_database_goes_away_while_requests_are_in_the_air(
    traffic: Traffic, spawn_sound: Spawn
) -> None:
    """Their answers come while it is away; they are written down when it is back, and nothing is sent twice."""
    traffic.receiver_is(hold=1)
    traffic.create(40)
    workers = [spawn_sound(), spawn_sound()]
    wait_until(lambda: len(traffic.receiver.arrivals()) == 40, what="The requests")
    with database_away():
        traffic.receiver.release()
        time.sleep(AWAY_S)
    traffic.check()

    for worker in workers:
        assert worker.is_running()
        # Said once, not every second.
        assert worker.output().count("does not answer") <= 2, worker.output()
    assert not RequestLog.objects.filter(error_kind="interrupted").exists()
    assert len(traffic.receiver.arrivals()) == 40
    traffic.create(5)  # and everything goes on
    traffic.check()


def test_the_database_goes_away_again_and_again(traffic: Traffic, spawn_sound: Spawn) -> None:
    traffic.receiver_is(delay_ms=50)
    workers = [spawn_sound(), spawn_sound()]
    for _ in range(3):
        traffic.create(30)
        with database_away():
            time.sleep(0.5)
    traffic.check()
    assert all(worker.is_running() for worker in workers)


def test_a_worker_waits_for_a_database_that_is_not_there_yet(
    traffic: Traffic, spawn_sound: Spawn, tmp_path: Path
) -> None:
    traffic.create(3)
    with database_that_comes_late(tmp_path) as (url, name):
        if connection.vendor == "postgresql":
            url = database_url().rpartition("/")[0] + "/" + url
        worker = spawn_sound(DATABASE_URL=url)
        wait_until(lambda: "sweep" in worker.output().lower(), what="The worker's complaint")
        assert not traffic.receiver.arrivals()
        copy_to(name)
        wait_until(lambda: len(traffic.receiver.arrivals()) == 3, what="The requests")
        assert worker.stop() == 0
    # In this test's own database nothing has moved.
    assert not WebhookJob.objects.exists()
