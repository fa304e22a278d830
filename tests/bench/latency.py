"""From a committed change to its request at the receiver, on an idle system."""

import time
from collections.abc import Iterator

from django.db import transaction

from records.models import Event
from records.services import create_record
from tests.bench.data import leads
from tests.bench.figures import Figure, median, percentile
from tests.bench.processes import arrivals_at, receiver, worker
from webhooks.models import Webhook, WebhookJob

SAMPLES = 200
PAUSE_S = 0.03


def figures(database: str) -> Iterator[Figure]:
    with receiver() as url, worker():
        delays_ms = _measure(url)
    yield Figure(f"commit to arrival, p50 ({database})", median(delays_ms), "ms", 15, at_most=True)
    yield Figure(
        f"commit to arrival, p95 ({database})", percentile(delays_ms, 0.95), "ms", 40, at_most=True
    )


def _measure(url: str) -> list[float]:
    definition = leads()
    webhook = Webhook.objects.create(
        name="Bench", event="record.created", object=definition, url=url
    )
    # A worker takes a second or two to start: what waits for that says nothing.
    create_record(object_definition=definition, data={"name": "The first"})
    _arrivals(url, 1)
    committed: dict[str, float] = {}
    for number in range(SAMPLES + 20):
        with transaction.atomic():
            record = create_record(object_definition=definition, data={"name": f"Lead {number}"})
            # Registered before the bell's own: the clock starts when the commit is done.
            hooks = transaction.get_connection().run_on_commit
            transaction.on_commit(lambda pk=record.pk: committed.setdefault(pk, time.monotonic()))
            hooks.insert(0, hooks.pop())
        time.sleep(PAUSE_S)
    arrivals = _arrivals(url, SAMPLES + 20)
    webhook.delete()
    records = dict(WebhookJob.objects.values_list("pk", "record_id"))
    delays = [
        (arrived - committed[records[job]]) * 1000
        for job, arrived in arrivals.items()
        if records.get(job) in committed
    ]
    return delays[20:]  # the first ones open connections


def _arrivals(url: str, count: int) -> dict[str, float]:
    deadline = time.monotonic() + 30
    arrivals: dict[str, float] = {}
    while len(arrivals) < count:
        if time.monotonic() > deadline:
            waiting = Event.objects.undispatched().count()
            raise TimeoutError(f"{len(arrivals)} of {count} arrived; {waiting} events wait.")
        arrivals |= arrivals_at(url)
        time.sleep(0.05)
    return arrivals
