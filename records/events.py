"""Writing events: in the transaction of the change they tell of, and the bell when it is committed."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.db import transaction
from django.utils import timezone

from config.bulk import insert_rows
from config.queues import ring_on_commit
from records.actors import current_cause
from records.models import Event, ObjectDefinition, Record


def make_event(
    change: str,
    *,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    changed: Iterable[str] = (),
    object_definition: ObjectDefinition | None = None,
    record: Record | None = None,
    subject_id: str = "",
    subject_label: str = "",
    target: str = "",
    depth: int | None = None,
) -> Event:
    """An unsaved event with the current actor and cause; `capture` writes it.

    `depth` overrides the cause's: for what comes back to us through another system.
    """
    cause = current_cause()
    return Event(
        type=change,
        object=object_definition,
        record=record,
        subject_id=subject_id or (record.pk if record else ""),
        subject_label=(subject_label or (str(record) if record else ""))[:200],
        actor=cause.user,
        actor_label=(cause.label or (str(cause.user) if cause.user else ""))[:150],
        before=before,
        after=after,
        changed=list(changed),
        run_id=cause.run_id,
        depth=cause.depth if depth is None else depth,
        target=target,
        created_at=timezone.now(),
    )


def capture(*events: Event) -> None:
    """Write events. Call it inside the transaction of the change; the bell rings when that commits."""
    if not transaction.get_connection().in_atomic_block:
        raise transaction.TransactionManagementError(
            "An event is written in the transaction of its change: wrap both in transaction.atomic()."
        )
    insert_rows(events)
    if events:
        ring_on_commit("events")
