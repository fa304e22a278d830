"""Web processes killed while requests of other systems come in: what was answered is there, and nothing twice."""

import http.client
import json
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import psutil
import pytest
from django.conf import settings

from automations.models import Run
from records.models import Event
from tests.automations.making import step
from tests.conftest import database_url
from tests.waiting import wait_until
from tests.webhooks.inbound.making import make_listener
from webhooks.models import Arrival, RequestLog

pytestmark = [pytest.mark.faults, pytest.mark.django_db(transaction=True)]

CALLERS = 12
EACH = 25
KILLS = 5


@dataclass
class Site:
    port: int
    process: subprocess.Popen[bytes]

    def serving(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children()


@pytest.fixture
def site(redis: Any) -> Iterator[Site]:
    """gunicorn with the default settings, on the database of the tests."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "DEBUG": "false",
        "HTTPS_ONLY": "false",
        "SECRET_KEY": "for this test only, " * 4,
        "DATABASE_URL": database_url(),
        "PORT": str(port),
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", "--config", "python:config.gunicorn", "config.wsgi"],
        cwd=settings.BASE_DIR,
        env=environment,
        stdout=subprocess.DEVNULL,
    )
    found = Site(port, process)
    try:
        wait_until(lambda: _answers(port), what="gunicorn's first answer", timeout_s=30)
        yield found
    finally:
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _answers(port: int) -> bool:
    try:
        return _post(port, "GET", "/healthz", {}, "") == (200, "ok\n")
    except OSError:
        return False


def _post(port: int, method: str, path: str, headers: dict[str, str], body: str) -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    except http.client.HTTPException as error:  # cut off in the middle
        raise ConnectionError from error
    finally:
        connection.close()


@dataclass
class Told:
    """What callers were told. By delivery: the run, and how often it had to be sent."""

    runs: dict[str, str] = field(default_factory=dict)
    tries: dict[str, int] = field(default_factory=dict)


def test_everything_answered_is_there_and_every_delivery_once(
    site: Site, rng: random.Random
) -> None:
    """Each caller sends again, with the same id, until it is answered."""
    _, endpoint = make_listener(step("set_variables", "s1", variables={"n": "1"}))
    told = Told()
    over = threading.Event()

    def deliver(caller: int) -> None:
        for number in range(EACH):
            name = f"{caller}-{number}"
            for attempt in range(1, 60):
                try:
                    status, body = _post(
                        site.port,
                        "POST",
                        endpoint.path,
                        {"Content-Type": "application/json", "webhook-id": name},
                        json.dumps({"name": name}),
                    )
                except OSError:  # the process that had it is dead
                    time.sleep(0.02)
                    continue
                assert status == 202, (status, body)
                told.runs[name], told.tries[name] = json.loads(body)["run"], attempt
                break

    def kill() -> None:
        for _ in range(KILLS):
            if over.wait(rng.uniform(0.1, 0.5)):
                return
            victims = site.serving()
            if victims:
                rng.choice(victims).send_signal(signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    with ThreadPoolExecutor(CALLERS) as pool:
        list(pool.map(deliver, range(CALLERS)))
    over.set()
    killer.join()

    names = {f"{caller}-{number}" for caller in range(CALLERS) for number in range(EACH)}
    assert set(told.runs) == names
    assert max(told.tries.values()) > 1, "no process was killed while it had a request"
    events = Event.objects.filter(type="webhook.received")
    assert sorted(event.after["body"]["name"] for event in events) == sorted(names)
    runs = {run.pk: run.event.after["body"]["name"] for run in Run.objects.select_related("event")}
    assert {runs[run]: run for run in told.runs.values()} == told.runs
    assert len(runs) == len(names) == Arrival.objects.count()
    stored = RequestLog.objects.filter(endpoint=endpoint, error_kind="")
    assert stored.values("event").distinct().count() == stored.count() == len(names)
