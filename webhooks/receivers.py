"""Webhooks react to events: their jobs are written in the transaction that marks the events dispatched."""

from collections.abc import Sequence
from typing import Any

from django.db.models import prefetch_related_objects
from django.dispatch import receiver

from config.queues import ring_on_commit
from records.dispatch import events_dispatched
from records.models import Event
from webhooks.models import Webhook, WebhookJob
from webhooks.subscriptions import jobs_for


@receiver(events_dispatched)
def create_jobs(sender: Any, events: Sequence[Event], **kwargs: Any) -> None:
    webhooks = list(Webhook.objects.active())
    if not webhooks:
        return
    prefetch_related_objects(list(events), "record", "object__fields", "actor")
    jobs = WebhookJob.objects.bulk_create(jobs_for(events, webhooks), batch_size=500)
    if jobs:
        ring_on_commit("deliveries")
