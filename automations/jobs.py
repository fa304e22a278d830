"""What the bell “runs” sets in motion, and what the sweep looks after."""

from automations.batches import advance_ready_runs
from automations.claims import free_lapsed_runs, wake_waiting
from automations.failures import is_digest_due, tell_of_failures
from automations.models import Run
from config.clocks import ClockWatch, shared_now
from config.queues import on_bell, on_sweep, ring

on_bell("runs")(advance_ready_runs)
on_bell("chores")(tell_of_failures)

_watch = ClockWatch()


@on_sweep
def look_after_runs() -> None:
    """Free what dead workers held, wake whose time has come, and ring for what is ready."""
    now = shared_now()
    _watch.look(now)
    if _watch.is_steady:
        free_lapsed_runs()
    if Run.objects.waited_enough(now).exists():
        wake_waiting(now)
    if Run.objects.ready().exists():
        ring("runs")
    if is_digest_due(now):
        ring("chores")
