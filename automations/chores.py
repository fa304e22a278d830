"""What fires by time is looked for every second; the bell “timers” takes it, and its events go on at once. Looking
through old records and bulk retries go on beside, with the bell “chores”."""

import time
from typing import Final

from automations.bulk_reruns import go_on_with_bulk_reruns
from automations.models import BulkRerun, DueDate, DueWatch, Schedule
from automations.timers import fire_due_dates, tick_schedules, walk_records
from config.clocks import shared_now
from config.queues import on_bell, on_sweep, ring, stopping

# Looking through old records leaves the worker to others after so long; the sweep rings again.
WALK_BUDGET_S: Final = 1.0

on_bell("timers")(tick_schedules)
on_bell("timers")(fire_due_dates)
on_bell("chores")(go_on_with_bulk_reruns)


@on_bell("chores")
def look_through_records() -> None:
    deadline = time.monotonic() + WALK_BUDGET_S
    walk_records(is_over=lambda: stopping.is_set() or time.monotonic() > deadline)


@on_sweep
def ring_for_timers() -> None:
    now = shared_now()
    has_ticks = Schedule.objects.filter(next_tick_at__lte=now).exists()
    if has_ticks or DueDate.objects.due(now).exists():
        ring("timers")
    if DueWatch.objects.filter(walked_at=None).exists() or BulkRerun.objects.due(now).exists():
        ring("chores")
