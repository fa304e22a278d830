"""Requests of other systems: how many are taken, how soon they are answered, and what becomes of them."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db.models import Count
from django.urls import reverse

from automations.models import Automation, AutomationState, Run, RunStatus
from automations.services import create_automation, delete_automation, publish, set_state
from tests.bench.figures import Figure, median, percentile
from tests.bench.processes import arrivals_at, receiver, running, worker
from webhooks.models import InboundEndpoint, RequestLog

CONNECTIONS = 32
SAMPLES = 150
BURST = 5_000


def figures(database: str) -> Iterator[Figure]:
    with receiver() as url, web() as site:
        automation = _automation(url)
        address = site + _path_of(automation)
        with worker():
            yield from _taken(address, database)
            yield from _soon(address, url, database)
            yield from _burst(address, database)
        delete_automation(automation=automation)


def _taken(address: str, database: str) -> Iterator[Figure]:
    """At full speed, then at half of what has to be reached, while a worker runs the automation."""
    call(address, 200)  # warm
    is_served = database == "PostgreSQL"
    full = call(address, 3_000)
    assert set(full["statuses"]) == {"202"}, full["statuses"]
    yield Figure(
        f"inbound POSTs, {CONNECTIONS} callers ({database})",
        full["rate"],
        "/s",
        400 if is_served else None,
    )
    _settle()
    steady = call(address, 2_000, per_second=200)
    yield Figure(
        f"inbound POSTs, p95 at 200/s ({database})",
        percentile(steady["calls_ms"], 0.95),
        "ms",
        50 if is_served else None,
        at_most=True,
    )
    _settle()


def _soon(address: str, url: str, database: str) -> Iterator[Figure]:
    """One call at a time on an idle system, until its request arrives at the receiver."""
    arrivals_at(url)
    sent: dict[str, float] = {}
    for number in range(SAMPLES):
        began_at = time.monotonic()
        body = json.dumps({"id": number}).encode()
        request = urllib.request.Request(  # noqa: S310
            address, data=body, headers={"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request) as answer:  # noqa: S310
            sent[json.load(answer)["run"]] = began_at
        time.sleep(0.04)
    _settle()
    arrivals = arrivals_at(url)
    runs = {str(job): str(run) for run, job in _jobs_of(list(sent))}
    delays = [
        (at - sent[runs[job]]) * 1000 for job, at in arrivals.items() if runs.get(job) in sent
    ][10:]
    yield Figure(
        f"inbound POST to arrival, p50 ({database})", median(delays), "ms", 20, at_most=True
    )
    p95 = percentile(delays, 0.95)
    yield Figure(f"inbound POST to arrival, p95 ({database})", p95, "ms", 50, at_most=True)


def _burst(address: str, database: str) -> Iterator[Figure]:
    """All at once: none is lost, and all of them have run soon after."""
    Run.objects.all().delete()
    began_at = time.perf_counter()
    told = call(address, BURST, connections=64)
    accepted = told["statuses"].get("202", 0)
    _settle(timeout_s=300)
    seconds = time.perf_counter() - began_at
    done = Run.objects.filter(status=RunStatus.SUCCEEDED).count()
    yield Figure(
        f"of a burst of {BURST:,} accepted and lost ({database})",
        accepted - done,
        "",
        0,
        at_most=True,
    )
    yield Figure(f"… accepted ({database})", accepted, "", BURST)
    yield Figure(
        f"POST → set → HTTP request, from the first to the last ({database})", done / seconds, "/s"
    )


def call(address: str, count: int, *, connections: int = CONNECTIONS, per_second: float = 0) -> Any:
    command = [sys.executable, "-m", "tests.bench.caller", address, str(count), str(connections)]
    if per_second:
        command.append(str(per_second))
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)


@contextmanager
def web() -> Iterator[str]:
    """gunicorn with the default settings; its URL."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    os.environ["PORT"] = str(port)
    command = [
        sys.executable,
        "-m",
        "gunicorn",
        "--config",
        "python:config.gunicorn",
        "config.wsgi",
    ]
    with running(command, stdout=subprocess.DEVNULL):
        site = f"http://127.0.0.1:{port}"
        deadline = time.monotonic() + 30
        while True:
            try:
                urllib.request.urlopen(f"{site}/healthz").read()  # noqa: S310
                break
            except OSError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)
        yield site


def _automation(url: str) -> Automation:
    automation = create_automation(
        name="Bench inbound",
        draft={
            "trigger": {"type": "webhook", "config": {}},
            "steps": [
                {
                    "id": "set",
                    "type": "set_variables",
                    "config": {"variables": {"order": "{{ webhook.body.id }}"}},
                },
                {
                    "id": "send",
                    "type": "webhook",
                    "config": {
                        "url": url,
                        "body_kind": "json",
                        "body": '{"order": "{{ vars.order }}"}',
                    },
                },
            ],
        },
    )
    publish(automation=automation)
    set_state(automation=automation, state=AutomationState.ACTIVE)
    # Rates are counted as ever. But all callers are on one machine here, and nobody is to be turned away.
    InboundEndpoint.objects.filter(automation_id=automation.pk).update(
        per_minute=1_000_000, per_address_per_minute=1_000_000
    )
    return automation


def _path_of(automation: Automation) -> str:
    endpoint = InboundEndpoint.objects.get(automation_id=automation.pk)
    return reverse("inbound_automation", args=[f"{automation.pk}-{endpoint.token}"])


def _jobs_of(runs: list[str]) -> list[tuple[str, str]]:
    logs = RequestLog.objects.filter(job__run_id__in=runs).values_list("job__run_id", "job_id")
    return list(logs)


def _settle(timeout_s: float = 60) -> None:
    """Until all runs have ended."""
    deadline = time.monotonic() + timeout_s
    while Run.objects.open().exists():
        if time.monotonic() > deadline:
            statuses = dict(Run.objects.order_by().values_list("status").annotate(Count("pk")))
            raise TimeoutError(f"Not all runs have ended: {statuses}")
        time.sleep(0.05)
