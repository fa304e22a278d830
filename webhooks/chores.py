"""What the bell “chores” sets in motion for webhooks: bulk retries, mails about failures, cleaning up."""

from contextlib import suppress

from redis.exceptions import RedisError

from config.clocks import shared_now
from config.queues import on_bell, on_sweep, queue_depths, ring
from webhooks.bulk_retries import go_on_with_bulk_retries
from webhooks.destinations import end_jobs_of_disabled
from webhooks.digests import is_digest_due, send_digests
from webhooks.inbound.deliveries import forget_old_deliveries, has_old_deliveries
from webhooks.models import BulkRetry
from webhooks.retention import is_retention_due, run_retention

on_bell("chores")(go_on_with_bulk_retries)
on_bell("chores")(send_digests)
on_bell("chores")(forget_old_deliveries)


@on_bell("chores")
def clean_up() -> None:
    run_retention(is_wanted=_rings_wait)


def _rings_wait() -> bool:
    """Whether a bell waits: nobody should have to wait for the cleaning."""
    with suppress(RedisError):
        return any(queue_depths().values())
    return False


on_sweep(end_jobs_of_disabled)  # type: ignore[arg-type]  # how many is not asked here


@on_sweep
def ring_for_chores() -> None:
    now = shared_now()
    if (
        BulkRetry.objects.due(now).exists()
        or is_digest_due(now)
        or is_retention_due(now)
        or has_old_deliveries()
    ):
        ring("chores")
