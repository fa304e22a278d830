"""What the bell “runs” sets in motion, and what the sweep looks after."""

import time
from typing import Final

from automations.batches import advance_ready_runs
from automations.broken import pause_broken
from automations.claims import free_lapsed_runs, wake_orphans, wake_waiting
from automations.failures import is_digest_due, tell_of_failures
from automations.models import Run
from config.clocks import ClockWatch, shared_now
from config.queues import on_bell, on_sweep, ring

on_bell("runs")(advance_ready_runs)
on_bell("chores")(tell_of_failures)

# Jobs are hardly ever deleted while a run waits for them, so this is looked for less often than each second.
_ORPHANS_S: Final = 30.0

_watch = ClockWatch()
_orphans_at = 0.0


@on_sweep
def look_after_runs() -> None:
    """Free what dead workers held, wake whose time has come, and ring for what is ready."""
    global _orphans_at
    now = shared_now()
    _watch.look(now)
    if _watch.is_steady:
        free_lapsed_runs()
    if Run.objects.waited_enough(now).exists():
        wake_waiting(now)
    if time.monotonic() - _orphans_at >= _ORPHANS_S:
        _orphans_at = time.monotonic()
        wake_orphans(now)
    pause_broken()
    if Run.objects.ready().exists():
        ring("runs")
    if is_digest_due(now):
        ring("chores")
