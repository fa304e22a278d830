"""SIGTERM: what is in the air lands or is given back, and the process is gone within four seconds."""

import time

import pytest
from django.utils import timezone

from records.models import Event
from tests.conftest import WorkerProcess
from tests.faults.conftest import Spawn, Traffic
from tests.waiting import wait_until
from webhooks.models import RequestLog, WebhookJob

pytestmark = [pytest.mark.faults, pytest.mark.django_db(transaction=True)]

LIMIT_S = 4.0


def assert_stops_in_time(worker: WorkerProcess) -> None:
    began_at = time.monotonic()
    assert worker.stop() == 0, worker.output()
    took_s = time.monotonic() - began_at
    assert took_s < LIMIT_S
    assert "Traceback" not in worker.output()


def test_what_is_in_the_air_lands_and_the_rest_is_given_back(
    traffic: Traffic, spawn_sound: Spawn
) -> None:
    traffic.receiver_is(delay_ms=400)
    traffic.create(60)
    worker = spawn_sound(DELIVERY_CONCURRENCY="10")
    wait_until(lambda: len(traffic.receiver.arrivals()) > 10)
    assert_stops_in_time(worker)

    assert not WebhookJob.objects.filter(status="sending").exists()
    assert WebhookJob.objects.filter(status="pending", attempts=0).exists()
    assert WebhookJob.objects.filter(status="succeeded").exists()
    spawn_sound()
    traffic.check()
    assert not RequestLog.objects.filter(error_kind="interrupted").exists()
    assert len(traffic.receiver.arrivals()) == 60


def test_what_hangs_is_put_back_at_once_and_says_so(traffic: Traffic, spawn_sound: Spawn) -> None:
    traffic.receiver_is(hold=1)
    traffic.create(5)
    worker = spawn_sound()
    wait_until(lambda: len(traffic.receiver.arrivals()) == 5)
    assert_stops_in_time(worker)

    due = WebhookJob.objects.due(timezone.now())
    assert due.filter(interruptions=1, error_kind="interrupted").count() == 5
    traffic.receiver.release()
    spawn_sound()
    traffic.check(timeout_s=5)


def test_many_waiting_events_do_not_keep_it(traffic: Traffic, spawn_sound: Spawn) -> None:
    now = timezone.now()
    Event.objects.bulk_create(
        [Event(type="space.login_failed", subject_id=str(n), created_at=now) for n in range(20_000)]
    )
    worker = spawn_sound()
    wait_until(lambda: Event.objects.exclude(dispatched_at=None).exists())
    assert_stops_in_time(worker)
    assert Event.objects.undispatched().exists(), "there was nothing left to do: make more events"
