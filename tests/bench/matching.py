"""What a thousand automations on one object cost an event, beside what one costs."""

import time
from collections.abc import Iterator

from automations.models import Automation, AutomationState, Run
from automations.services import create_automation, publish, set_state
from config.worker import spare_the_collector
from records.dispatch import dispatch_events
from records.models import Event, ObjectDefinition
from records.services import create_record
from tests.bench.data import leads
from tests.bench.figures import Figure, median

EVENTS = 200


def figures(database: str) -> Iterator[Figure]:
    spare_the_collector()  # as a worker does
    definition = leads()
    dispatch_everything()
    _make(definition, 1)
    one_ms = _per_event_ms(definition)
    _make(definition, 999)
    many_ms = _per_event_ms(definition)
    Automation.objects.all().delete()
    yield Figure(f"dispatching an event to 1 automation, p50 ({database})", one_ms, "ms")
    yield Figure(
        f"… to 1,000 automations, over that, p50 ({database})",
        many_ms - one_ms,
        "ms",
        5,
        at_most=True,
    )


def _make(definition: ObjectDefinition, count: int) -> None:
    """Each has two rules about an amount and a name; none of them holds."""
    for number in range(count):
        automation = create_automation(
            name=f"Bench {number}",
            draft={
                "trigger": {
                    "type": "event",
                    "config": {"event": "record.created", "object": definition.slug},
                },
                "conditions": {
                    "match": "all",
                    "rules": [
                        {"field": "name", "operator": "starts_with", "value": "Lead"},
                        {"field": "value", "operator": "greater_than", "value": 10_000 + number},
                    ],
                },
                "steps": [{"id": "stop", "type": "stop", "config": {}}],
            },
        )
        publish(automation=automation)
        set_state(automation=automation, state=AutomationState.ACTIVE)


def _per_event_ms(definition: ObjectDefinition) -> float:
    """One event at a time, as it is on an idle system: what is read and written for it included."""
    taken = []
    for number in range(EVENTS):
        create_record(object_definition=definition, data={"name": f"Lead {number}", "value": 5})
        started = time.perf_counter()
        assert dispatch_events() == 1
        taken.append((time.perf_counter() - started) * 1000)
    Run.objects.all().delete()
    return median(taken[10:])


def dispatch_everything() -> None:
    """What other figures have left."""
    Event.objects.undispatched().order_by().update(dispatched_at="2025-01-01T00:00:00Z")
