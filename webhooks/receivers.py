"""Webhooks react to events: their jobs are written in the transaction that marks the events dispatched."""

from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.db.models import prefetch_related_objects
from django.dispatch import receiver

from records.dispatch import events_dispatched
from records.models import Event
from webhooks.engine import deliver_soon
from webhooks.models import WebhookJob
from webhooks.subscriptions import jobs_for, webhooks_for


@receiver(events_dispatched)
def create_jobs(sender: Any, events: Sequence[Event], **kwargs: Any) -> None:
    webhooks = webhooks_for(events)
    if not webhooks:
        return
    prefetch_related_objects(list(events), "object__fields")
    jobs = WebhookJob.objects.bulk_create(jobs_for(events, webhooks), batch_size=500)
    if jobs:
        transaction.on_commit(deliver_soon, robust=True)
