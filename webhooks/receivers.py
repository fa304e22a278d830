"""Webhooks react to events: their jobs are written in the transaction that marks the events dispatched."""

from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.dispatch import receiver
from django.utils import timezone

from config.bulk import insert_rows
from records import listeners
from records.dispatch import events_dispatched
from records.models import Event
from webhooks.engine import deliver_soon
from webhooks.failures import note_failed_jobs
from webhooks.models import JobStatus, Webhook
from webhooks.subscriptions import jobs_for, webhooks_for


@receiver(events_dispatched)
def create_jobs(sender: Any, events: Sequence[Event], **kwargs: Any) -> None:
    webhooks = webhooks_for(events)
    if not webhooks:
        return
    jobs = jobs_for(events, webhooks)
    insert_rows(jobs)
    # A mistake in a webhook shows at once, before anything is sent.
    failed = [job.pk for job in jobs if job.status == JobStatus.FAILED]
    if failed:
        note_failed_jobs(failed, timezone.now())
    if jobs:
        transaction.on_commit(deliver_soon, robust=True)


@listeners.register
def is_any_webhook_listening(event_name: str) -> bool:
    return Webhook.objects.active().filter(event=event_name).exists()
