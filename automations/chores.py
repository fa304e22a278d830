"""What fires by time is looked for every second; the bell “events” takes it, and its events go on at once."""

import time
from collections.abc import Sequence
from typing import Any, Final

from django.dispatch import receiver

from automations.models import DueDate, DueWatch, Schedule
from automations.timers import fire_due_dates, follow_events, tick_schedules, walk_records
from config.clocks import shared_now
from config.queues import on_bell, on_sweep, ring, stopping
from records.dispatch import events_dispatched
from records.models import Event

# Looking through old records leaves the worker to others after so long; the sweep rings again.
WALK_BUDGET_S: Final = 1.0

on_bell("events")(tick_schedules)
on_bell("events")(fire_due_dates)


@on_bell("chores")
def look_through_records() -> None:
    deadline = time.monotonic() + WALK_BUDGET_S
    walk_records(is_over=lambda: stopping.is_set() or time.monotonic() > deadline)


@on_sweep
def ring_for_timers() -> None:
    now = shared_now()
    has_ticks = Schedule.objects.filter(next_tick_at__lte=now).exists()
    if has_ticks or DueDate.objects.due(now).exists():
        ring("events")
    if DueWatch.objects.filter(walked_at=None).exists():
        ring("chores")


@receiver(events_dispatched)
def keep_due_dates(sender: Any, events: Sequence[Event], **kwargs: Any) -> None:
    follow_events(events)
