"""The transaction that keeps a request: its delivery, its event with all that reacts to it, its row in the log.

Nothing is answered before it has committed. That its event is dispatched right here, and not by a worker, gives the
caller the run's id, and the run one hop less.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from django.db import DatabaseError, transaction
from django.utils import timezone

from records.actors import acting
from records.dispatch import events_dispatched
from records.events import capture, make_event
from records.ids import new_id
from records.models import Event
from webhooks.inbound.answers import Answer
from webhooks.inbound.deliveries import claim, delivery_of
from webhooks.inbound.files import kept_files
from webhooks.inbound.logbook import log_row
from webhooks.inbound.refusals import NotStored
from webhooks.inbound.requests import Incoming
from webhooks.inbound.runs import known_runs
from webhooks.intake.refusals import Refusal

logger = logging.getLogger(__name__)

WEBHOOK_RECEIVED: Final = "webhook.received"
# From the event's and the run's id to what the caller is answered; None when that is not known yet.
MakeAnswer = Callable[[str, str | None], Answer | None]


@dataclass(frozen=True, slots=True)
class Stored:
    """A request that is kept. A repeat has the event and the run of the first."""

    request_id: str
    event_id: str
    run_id: str | None
    is_repeat: bool = False


def store(incoming: Incoming, make_answer: MakeAnswer) -> Stored:
    """Keep a request, exactly once. Raises Refusal.

    Where what reacts to it fails, it is kept without: a worker's dispatcher tries again, and writes down what is wrong.
    """
    try:
        return _store(incoming, make_answer, dispatch=True)
    except Refusal:
        raise
    except Exception:
        logger.exception("A request at %s could not be dispatched at once", incoming.endpoint.pk)
    try:
        return _store(incoming, make_answer, dispatch=False)
    except (DatabaseError, OSError):
        logger.exception("A request at %s could not be stored", incoming.endpoint.pk)
        raise NotStored from None


@transaction.atomic
def _store(incoming: Incoming, make_answer: MakeAnswer, *, dispatch: bool) -> Stored:
    endpoint, event_id, request_id = incoming.endpoint, new_id("evt"), new_id("req")
    delivery = delivery_of(incoming)
    if delivery is not None:
        first = claim(delivery, endpoint=endpoint, request_id=request_id, event_id=event_id)
        if first is not None:
            known = str(first.event_id)
            run_id = known_runs().run_of_event(known)
            return Stored(first.request_id, known, run_id, is_repeat=True)
    with kept_files(incoming.parsed.files, incoming.parsed.value):
        event = event_of(incoming, event_id)
        run_id = None
        if dispatch:
            run_id = dispatch_event(event)
        else:
            capture(event)  # for a worker
        row = log_row(
            incoming, make_answer(event_id, run_id), id=request_id, event_id=event_id, run_id=run_id
        )
        row.save(force_insert=True)
    return Stored(request_id, event_id, run_id)


def event_of(incoming: Incoming, event_id: str) -> Event:
    """An unsaved event that is meant for the endpoint's automation alone."""
    endpoint = incoming.endpoint
    with acting(label=f"Webhook “{endpoint.name}”"):
        event = make_event(
            WEBHOOK_RECEIVED,
            after=incoming.context,
            subject_id=str(endpoint.pk),
            subject_label=endpoint.name,
            target=str(endpoint.automation_id or ""),
            depth=incoming.depth,
        )
    event.pk = event_id
    return event


def dispatch_event(event: Event) -> str | None:
    """The run that it has set off. Nobody else sees the event before all of this has committed."""
    event.dispatched_at = timezone.now()
    event.save(force_insert=True)
    return known_runs().run_among(events_dispatched.send(sender=Event, events=[event]))
