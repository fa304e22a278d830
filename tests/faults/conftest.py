"""A recording receiver, people who save records, and workers that have a flaw."""

import http.client
import json
import os
import random
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlencode

import pytest
from django.conf import settings
from django.db import connection

from records.models import FieldDefinition, ObjectDefinition, Record
from records.services.records import create_record, update_record
from tests.conftest import WorkerProcess
from tests.faults.ledger import assert_nothing_lost, wait_for_quiet
from webhooks.models import Webhook

Spawn = Callable[..., WorkerProcess]


class Receiver:
    """The receiver's side: where it is, and what arrived there."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.url = f"http://127.0.0.1:{port}/hook"

    def arrivals(self) -> list[dict[str, Any]]:
        return self._get("/arrivals")

    def release(self) -> None:
        self._get("/release")

    def _get(self, path: str) -> Any:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("GET", path)
            return json.loads(connection.getresponse().read())
        finally:
            connection.close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.faults.receiver"],
        cwd=settings.BASE_DIR,
        stdout=subprocess.PIPE,
    )
    try:
        assert process.stdout
        yield Receiver(int(process.stdout.readline()))
    finally:
        process.kill()
        process.wait()


class Traffic:
    """People who create and change records, and what they may expect to be told to the receiver."""

    def __init__(self, receiver: Receiver) -> None:
        self.receiver = receiver
        self.saved: Counter[tuple[str, str]] = Counter()
        self.records: list[Record] = []
        self.webhooks = [
            Webhook.objects.create(
                name=event,
                event=event,
                url=receiver.url,
                retry_delays_s=[0, 1, 1],
                timeout_s=20,
            )
            for event in ("record.created", "record.updated")
        ]
        self._object = ObjectDefinition.objects.create(
            slug="parcels", name="Parcel", plural="Parcels"
        )
        FieldDefinition.objects.create(
            object=self._object, slug="title", label="Title", kind="text"
        )

    def receiver_is(self, **behaviour: object) -> None:
        """How the receiver answers what is saved from now on, see `tests.faults.receiver`."""
        Webhook.objects.update(url=f"{self.receiver.url}?{urlencode(behaviour)}")

    def create(self, count: int = 1) -> None:
        for _ in range(count):
            number = len(self.records)
            record = create_record(object_definition=self._object, data={"title": f"no. {number}"})
            self.records.append(record)
            self.saved["record.created", record.pk] += 1

    def change(self, rng: random.Random) -> None:
        record = rng.choice(self.records)
        update_record(record=record, data={"title": f"changed {rng.random()}"})
        self.saved["record.updated", record.pk] += 1

    @contextmanager
    def flow(self, rng: random.Random, *, pause_s: float = 0.03) -> Iterator[None]:
        """Saves go on and on in the background."""
        rng, stop, errors = random.Random(rng.random()), threading.Event(), []

        def save() -> None:
            try:
                while not stop.wait(rng.uniform(0, 2 * pause_s)):
                    if self.records and rng.random() < 0.5:
                        self.change(rng)
                    else:
                        self.create()
            except Exception as error:  # noqa: BLE001  (the test's own thread reports it)
                errors.append(error)
            finally:
                connection.close()

        thread = threading.Thread(target=save)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()
        assert not errors, errors

    def check(self, *, timeout_s: float = 30, may_fail: bool = False) -> None:
        """Wait for quiet, then see that nothing was lost."""
        wait_for_quiet(timeout_s)
        assert_nothing_lost(self.saved, self.receiver.arrivals(), may_fail=may_fail)


@pytest.fixture
def traffic(transactional_db: None, receiver: Receiver) -> Traffic:
    return Traffic(receiver)


@pytest.fixture
def spawn_flawed(spawn_worker: Spawn) -> Spawn:
    """A worker that dies at a given moment: `spawn_flawed("--die-at", "claim:after-commit")`."""

    def spawn(*options: str, queues: Sequence[str] = (), **others: Any) -> WorkerProcess:
        command = ("-m", "tests.faults.worker", *options)
        return spawn_worker(*queues, command=command, OUTBOUND_ALLOWED_HOSTS="127.0.0.1", **others)

    return spawn


@pytest.fixture
def spawn_sound(spawn_worker: Spawn) -> Spawn:
    """An ordinary worker that may send to this machine."""
    return lambda *queues, **options: spawn_worker(
        *queues, OUTBOUND_ALLOWED_HOSTS="127.0.0.1", **options
    )


@pytest.fixture
def rng(request: pytest.FixtureRequest) -> random.Random:
    """Chance that can be repeated: a failure tells its seed, FAULT_SEED sets it."""
    seed = int(os.environ.get("FAULT_SEED") or random.randrange(10**9))
    request.node.add_report_section("setup", "seed", f"Run it again with FAULT_SEED={seed}")
    print(f"FAULT_SEED={seed}")  # noqa: T201  (shown when the test fails)
    return random.Random(seed)
