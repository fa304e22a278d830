"""What the bell “deliveries” sets in motion, and what the sweep looks after."""

from django.utils import timezone

from config.queues import on_bell, on_sweep, ring
from config.worker import on_worker_stop
from webhooks.delivery import free_lapsed_jobs
from webhooks.engine import current_engine, stop_engine
from webhooks.models import WebhookJob


@on_bell("deliveries")
def wake_deliveries() -> None:
    current_engine().wake()


@on_sweep
def ring_for_due_jobs() -> None:
    free_lapsed_jobs()
    if WebhookJob.objects.due(timezone.now()).exists():
        ring("deliveries")


on_worker_stop(stop_engine)
