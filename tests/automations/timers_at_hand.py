"""Schedules, deals that become due, and moments to travel to."""

from datetime import UTC, datetime, timedelta
from typing import Any

import time_machine

from automations import timers
from automations.models import Automation, Run
from records.models import Event, ObjectDefinition, Record
from records.services import (
    create_record,
    update_record,
)
from tests.automations.making import make_automation, step, work
from tests.records.making import fresh

START = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)  # a Monday

NOTE = step("set_variables", variables=[{"name": "done", "value": "yes"}])


def scheduled(cron: str = "0 9 * * *", **config: Any) -> Automation:
    trigger = {"type": "schedule", "config": {"cron": cron, "timezone": "UTC", **config}}
    return make_automation(NOTE, trigger=trigger, name="Daily")


def ticks_of(automation: Automation) -> list[Event]:
    return list(Event.objects.filter(type="schedule.tick", target=automation.pk).order_by("id"))


def at(moment: datetime) -> time_machine.travel:
    return time_machine.travel(moment, tick=False)


def hours(number: float) -> timedelta:
    return timedelta(hours=number)


def due(**config: Any) -> Automation:
    values = {"object": "deals", "field": "call_at", "timezone": "UTC", **config}
    return make_automation(NOTE, trigger={"type": "due", "config": values}, name="Remind")


def make_deal(deals: ObjectDefinition, **values: Any) -> Record:
    attributes = {key: values.pop(key) for key in ("state",) if key in values}
    data = {
        key: value.isoformat() if isinstance(value, datetime) else value
        for key, value in values.items()
    }
    record = create_record(object_definition=deals, data={"name": "Acme", **data}, **attributes)
    work()
    return record


def change(record: Record, **data: Any) -> None:
    values = {
        key: value.isoformat() if isinstance(value, datetime) else value
        for key, value in data.items()
    }
    update_record(record=fresh(record), data=values)
    work()


def fired(automation: Automation) -> int:
    """Fire what is due now; how often it has fired in all."""
    timers.fire_due_dates()
    work()
    events = Event.objects.filter(type="record.due", target=automation.pk).count()
    assert Run.objects.filter(automation=automation, event_name="record.due").count() == events
    return events
