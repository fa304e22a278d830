"""Automations react to events: their runs are written in the transaction that marks the events dispatched."""

from collections.abc import Sequence
from typing import Any

from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver

from automations.compiled import current_index
from automations.generations import bump_generation
from automations.interpreter import HELD
from automations.matching import runs_for
from automations.models import Run, RunStatus
from automations.timers import DUE, follow_events
from config.bulk import insert_rows
from config.clocks import shared_now
from config.queues import ring_on_commit
from records import listeners
from records.dispatch import events_dispatched
from records.models import Event, FieldDefinition, ObjectDefinition
from webhooks.endings import jobs_ended


@receiver(events_dispatched)
def create_runs(sender: Any, events: Sequence[Event], **kwargs: Any) -> list[Run]:
    """The runs, also those that did not fire: whoever dispatched an event may want to know its run."""
    index = current_index()
    if not index.names:
        return []
    if DUE in index.names:
        follow_events(events)
    runs, crowd = runs_for(events, index)
    crowd.make_way()
    insert_rows(runs)
    if any(run.status == RunStatus.PENDING for run in runs):
        ring_on_commit("runs")
    return runs


@listeners.register
def automations_listen(event_name: str) -> bool:
    return event_name in current_index().names


@receiver(jobs_ended)
def wake_runs(sender: Any, ids: Sequence[str], **kwargs: Any) -> None:
    """A run that waits for a job goes on when it has ended; in the same transaction."""
    woken = Run.objects.filter(waiting_job__in=ids, status=RunStatus.WAITING).update(
        status=RunStatus.PENDING, due_at=shared_now()
    )
    if woken:
        ring_on_commit("runs")


@receiver(events_dispatched)
def wake_held_runs(sender: Any, events: Sequence[Event], **kwargs: Any) -> None:
    """What has waited for the end of a quarantine goes on when a person ends it."""
    released = [event.record_id for event in events if event.type == "record.released"]
    if not released:
        return
    held = Run.objects.filter(record__in=released, status=RunStatus.WAITING, reason=HELD)
    if held.update(status=RunStatus.PENDING, due_at=shared_now()):
        ring_on_commit("runs")


@receiver([post_save, post_delete], sender=ObjectDefinition)
@receiver([post_save, post_delete], sender=FieldDefinition)
def forget_compiled(sender: Any, **kwargs: Any) -> None:
    """Conditions compare by the kinds of fields."""
    bump_generation()
