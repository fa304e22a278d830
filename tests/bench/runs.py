"""Two-step automation runs per second of one worker, fully logged, from the event to the last outcome."""

import time
from collections.abc import Iterator

from django.utils import timezone

from automations.models import Automation, AutomationState, Run, RunStatus, StepRun
from automations.services import create_automation, delete_automation, publish, set_state
from config.queues import ring
from records.models import Event, ObjectDefinition, Record
from records.services import create_record
from tests.bench.data import leads
from tests.bench.figures import Figure, median
from tests.bench.processes import receiver, worker

COUNT = 2_000
ROUNDS = 3


def figures(database: str) -> Iterator[Figure]:
    definition = leads()
    with receiver() as url:
        automation = two_steps(definition, url)
        rates = [_rate(definition, automation, COUNT) for _ in range(ROUNDS)]
        delete_automation(automation=automation)
    yield Figure(f"two-step runs, one worker, logged ({database})", median(rates), "/s", 250)
    with receiver(delay_ms=200) as url:
        automation = two_steps(definition, url)
        rate = _rate(definition, automation, COUNT)
        delete_automation(automation=automation)
    yield Figure(f"two-step runs, receiver takes 200 ms ({database})", rate, "/s")


def two_steps(definition: ObjectDefinition, url: str) -> Automation:
    """Set a variable; send it, and wait for the answer."""
    automation = create_automation(
        name="Bench",
        draft={
            "trigger": {
                "type": "event",
                "config": {"event": "record.created", "object": definition.slug},
            },
            "steps": [
                {
                    "id": "set",
                    "type": "set_variables",
                    "config": {"variables": {"greeting": "Hello {{ record.name }}"}},
                },
                {
                    "id": "send",
                    "type": "webhook",
                    "config": {
                        "url": url,
                        "body_kind": "json",
                        "body": '{"text": "{{ vars.greeting }}", "id": "{{ record.id }}"}',
                    },
                },
            ],
        },
    )
    publish(automation=automation)
    return set_state(automation=automation, state=AutomationState.ACTIVE)


def _rate(definition: ObjectDefinition, automation: Automation, count: int) -> float:
    """Runs per second, from the bell to the last one that succeeded."""
    Run.objects.all().delete()
    with worker():
        create_record(object_definition=definition, data={"name": "The first"})
        _wait_for(1, timeout_s=30)  # the worker is up and warm
        make_events(definition, count)
        started = time.perf_counter()
        ring("events")
        _wait_for(count + 1, timeout_s=180)
        rate = count / (time.perf_counter() - started)
    assert StepRun.objects.filter(run__automation=automation).count() == 2 * (count + 1)
    return rate


def make_events(definition: ObjectDefinition, count: int) -> None:
    """Records that were created, and their events, in one transaction; no bell is rung."""
    now = timezone.now()
    Record.objects.bulk_create(
        Record(object=definition, data={"name": f"Lead {number}", "value": number}, created_at=now)
        for number in range(count)
    )


def _wait_for(count: int, *, timeout_s: float) -> None:
    deadline = time.monotonic() + timeout_s
    while Run.objects.filter(status=RunStatus.SUCCEEDED).count() < count:
        if time.monotonic() > deadline:
            done = Run.objects.filter(status=RunStatus.SUCCEEDED).count()
            waiting = Event.objects.undispatched().count()
            raise TimeoutError(f"{done} of {count} runs succeeded; {waiting} events wait.")
        time.sleep(0.02)
