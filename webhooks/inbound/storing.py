"""The transaction that keeps a request: its delivery, its event with all that reacts to it, its row in the log.

Nothing is answered before it has committed. That its event is dispatched right here, and not by a worker, gives the
caller the run's id, and the run one hop less. Requests that come at the same moment share a transaction.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Final

from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from config.bulk import insert_rows
from config.groupcommit import GroupCommit
from records.actors import acting
from records.dispatch import events_dispatched
from records.events import capture, make_event
from records.ids import new_id
from records.models import Event
from webhooks.inbound.answers import Answer
from webhooks.inbound.deliveries import Delivery, claim, delivery_of
from webhooks.inbound.files import kept_files
from webhooks.inbound.logbook import log_row
from webhooks.inbound.refusals import NotStored
from webhooks.inbound.requests import Incoming
from webhooks.inbound.runs import known_runs
from webhooks.intake.refusals import Refusal
from webhooks.models import Arrival, RequestLog

logger = logging.getLogger(__name__)

WEBHOOK_RECEIVED: Final = "webhook.received"
# As many as are dispatched together at most: of so many, also those that set nothing off get a row that says why.
_AT_ONCE: Final = 8
# From the event's and the run's id to what the caller is answered; None when that is not known yet.
MakeAnswer = Callable[[str, str | None], Answer | None]


@dataclass(frozen=True, slots=True)
class Stored:
    """A request that is kept. A repeat has the event and the run of the first, and no answer of its own."""

    request_id: str
    event_id: str
    run_id: str | None
    answer: Answer | None
    is_repeat: bool = False


@dataclass(frozen=True, slots=True)
class _Request:
    """A request that is to be kept."""

    incoming: Incoming
    make_answer: MakeAnswer
    delivery: Delivery | None
    event: Event
    request_id: str

    @property
    def place(self) -> str:
        """All who claim deliveries do it in this order: nobody waits for one who waits for them."""
        return f"{self.incoming.endpoint.pk} {self.delivery.key}" if self.delivery else ""

    def claim(self) -> Arrival | None:
        """None for one that is new, or the one that it is a repeat of. Raises OtherBody."""
        if self.delivery is None:
            return None
        return claim(
            self.delivery,
            endpoint=self.incoming.endpoint,
            request_id=self.request_id,
            event_id=self.event.pk,
        )


def store(incoming: Incoming, make_answer: MakeAnswer) -> Stored:
    """Keep a request, exactly once. Raises Refusal."""
    event = event_of(incoming)
    return _together.do(
        _Request(incoming, make_answer, delivery_of(incoming), event, new_id("req"))
    )


def _store_all(requests: Sequence[_Request]) -> list[Stored | Exception]:
    """All in one transaction; each in one of its own if that does not work out."""
    # Not asked first whether it still answers, which would cost a statement: it is mended below.
    connection.health_check_done = True  # type: ignore[attr-defined]
    try:
        return _store(requests, dispatches=True)
    except Exception:
        logger.exception(
            "%d requests could not be stored at once; trying each alone", len(requests)
        )
    _mend_connection()
    return [_store_alone(request) for request in requests]


def _store_alone(request: _Request) -> Stored | Exception:
    """Where what reacts to it fails, it is kept without: a worker's dispatcher tries again, and writes down what is
    wrong."""
    endpoint = request.incoming.endpoint
    try:
        return _store([request], dispatches=True)[0]
    except Exception:
        logger.exception("A request at %s could not be dispatched at once", endpoint.pk)
    try:
        return _store([request], dispatches=False)[0]
    except (DatabaseError, OSError):
        logger.exception("A request at %s could not be stored", endpoint.pk)
        return NotStored()
    except Exception as error:  # noqa: BLE001  (this one's caller hears of it, and no other)
        return error


def _mend_connection() -> None:
    """One that the database has dropped meanwhile is made anew by the next statement."""
    if connection.errors_occurred and not connection.is_usable():
        connection.close()


_together: Final = GroupCommit[_Request, Stored](_store_all, limit=_AT_ONCE)


def _store(requests: Sequence[_Request], *, dispatches: bool) -> list[Stored | Exception]:
    """What came of each, in their order. One that is refused is a Refusal, and keeps no other from being stored."""
    outcomes: dict[str, Stored | Exception] = {}
    with transaction.atomic(), ExitStack() as files:
        fresh, repeats = _claimed(requests, outcomes)
        for parsed in (request.incoming.parsed for request in fresh):
            files.enter_context(kept_files(parsed.files, parsed.value))
        events = [request.event for request in fresh]
        runs = dispatch(events) if dispatches else _leave_to_a_worker(events)
        stored = [_stored(request, runs.get(str(request.event.pk))) for request in fresh]
        insert_rows([_row(request, told) for request, told in zip(fresh, stored, strict=True)])
        outcomes |= {each.request_id: each for each in stored}
        # Only now: the first may have come a moment ago, and be among these.
        outcomes |= {request_id: _repeat_of(first) for request_id, first in repeats}
    return [outcomes[request.request_id] for request in requests]


def _claimed(
    requests: Sequence[_Request], outcomes: dict[str, Stored | Exception]
) -> tuple[list[_Request], list[tuple[str, Arrival]]]:
    """Those that are new; and the ids of those that are repeats, each with its first. Refusals are written down."""
    fresh, repeats = [], []
    for request in sorted(requests, key=lambda each: each.place):
        try:
            first = request.claim()
        except Refusal as refusal:
            outcomes[request.request_id] = refusal
            continue
        if first is None:
            fresh.append(request)
        else:
            repeats.append((request.request_id, first))
    return fresh, repeats


def _repeat_of(first: Arrival) -> Stored:
    event_id = str(first.event_id)
    run_id = known_runs().run_of_event(event_id)
    return Stored(first.request_id, event_id, run_id, None, is_repeat=True)


def _stored(request: _Request, run_id: str | None) -> Stored:
    event_id = str(request.event.pk)
    return Stored(request.request_id, event_id, run_id, request.make_answer(event_id, run_id))


def _row(request: _Request, stored: Stored) -> RequestLog:
    return log_row(
        request.incoming,
        stored.answer,
        id=stored.request_id,
        event_id=stored.event_id,
        run_id=stored.run_id,
    )


def event_of(incoming: Incoming) -> Event:
    """An unsaved event that is meant for the endpoint's automation alone."""
    endpoint = incoming.endpoint
    with acting(label=f"Webhook “{endpoint.name}”"):
        return make_event(
            WEBHOOK_RECEIVED,
            after=incoming.context,
            subject_id=str(endpoint.pk),
            subject_label=endpoint.name,
            target=str(endpoint.automation_id or ""),
            depth=incoming.depth,
        )


def dispatch(events: Sequence[Event]) -> Mapping[str, str]:
    """Save events and let everybody react to them: the runs that they have set off, by the events' ids. Nobody else
    sees them before the transaction has committed."""
    if not events:
        return {}
    now = timezone.now()
    for event in events:
        event.dispatched_at = now
    insert_rows(events)
    return known_runs().runs_among(events_dispatched.send(sender=Event, events=list(events)))


def _leave_to_a_worker(events: Sequence[Event]) -> Mapping[str, str]:
    for event in events:
        event.dispatched_at = None
    capture(*events)
    return {}
