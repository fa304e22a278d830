"""What the bell “deliveries” sets in motion, and what the sweep looks after."""

from config.clocks import ClockWatch, shared_now
from config.queues import on_bell, on_sweep, ring
from config.worker import on_worker_stop
from webhooks.claims import free_lapsed_jobs
from webhooks.duetimes import mend_due_times, mend_new_jobs
from webhooks.engine import current_engine, stop_engine
from webhooks.models import WebhookJob


@on_bell("deliveries")
def wake_deliveries() -> None:
    current_engine().wake()


_watch = ClockWatch()


@on_sweep
def look_after_jobs() -> None:
    """Free what dead workers held, and what a clock that was set wrong put off."""
    now, was_steady = shared_now(), _watch.is_steady
    _watch.look(now)
    mend_new_jobs(now)
    # Twice: what was being written when the clock jumped is there a moment later.
    if _watch.may_have_been_set or _watch.is_steady > was_steady:
        mend_due_times(now)
    if _watch.is_steady:
        free_lapsed_jobs()


@on_sweep
def ring_for_due_jobs() -> None:
    if WebhookJob.objects.due(shared_now()).exists():
        ring("deliveries")


on_worker_stop(stop_engine)
