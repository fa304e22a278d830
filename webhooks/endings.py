"""Jobs that have ended: told to the apps above, in the transaction that ends them."""

from collections.abc import Sequence
from typing import Final

from django.dispatch import Signal

from webhooks.models import WebhookJob

# Sent with `ids`, a list. Receivers write rows and ring on commit; they send nothing.
jobs_ended: Final = Signal()


def tell_of_ended(ids: Sequence[str]) -> None:
    """Call it for every job that succeeded, failed for good or was cancelled."""
    if ids:
        jobs_ended.send(sender=WebhookJob, ids=ids)
