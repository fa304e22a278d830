"""Handing events to whoever reacts to them: exactly once, because the reaction and the mark commit together."""

import logging
from collections.abc import Sequence

from django.db import IntegrityError, OperationalError, connection, transaction
from django.dispatch import Signal
from django.utils import timezone

from config.queues import TookTooLong
from records.models import Event

logger = logging.getLogger(__name__)

# Sent with `events`, a list in order, inside the transaction that marks them dispatched. Receivers write rows
# (webhook jobs, runs) and ring on commit; they send nothing.
events_dispatched = Signal()

BATCH_SIZE = 200
# A deadlock, or a webhook that is deleted at the same moment: the next look finds it settled.
TRIES = 3


def dispatch_events(limit: int = BATCH_SIZE) -> int:
    """Dispatch up to `limit` waiting events, oldest first. The number of events taken."""
    try:
        return _dispatch(limit)
    except TookTooLong:
        raise
    except Exception:
        logger.exception("A batch of events could not be dispatched; trying them one by one")
    taken = 0
    while taken < limit and _dispatch_alone():
        taken += 1
    return taken


def _dispatch(limit: int) -> int:
    with transaction.atomic():
        events = _claim(limit)
        if events:
            events_dispatched.send(sender=Event, events=events)
            _mark(events)
    return len(events)


def _dispatch_alone() -> bool:
    """One event that nothing else suffers from: what goes wrong with it is written to it."""
    with transaction.atomic():
        events = _claim(1)
        if not events:
            return False
        if error := _react(events):
            events[0].dispatch_error = error
            events[0].save(update_fields=["dispatch_error"])
        _mark(events)
    return True


def _react(events: Sequence[Event]) -> str:
    """Let the receivers react to one event. What went wrong, in words."""
    words = ""
    for _ in range(TRIES):
        try:
            with transaction.atomic():
                events_dispatched.send(sender=Event, events=events)
        except TookTooLong:
            raise
        except Exception as error:  # one event's trouble must not stop the others
            logger.exception("Event %s could not be dispatched", events[0].pk)
            words = _text_of(error)
            if not isinstance(error, IntegrityError | OperationalError):
                break
        else:
            return ""
    return words


def _text_of(error: Exception) -> str:
    """As any database takes it: without what is no text."""
    words = f"{type(error).__name__}: {error}".replace("\0", "")
    return words.encode(errors="replace").decode()


def _claim(limit: int) -> list[Event]:
    """Locked events with what receivers ask of them: one query."""
    events = Event.objects.undispatched().select_related("object", "record", "actor")
    return list(events.select_for_update(skip_locked=True, of=("self",))[:limit])


def _mark(events: Sequence[Event]) -> None:
    """Written out: building this statement anew each time would cost more than running it."""
    meta = Event._meta
    written = [meta.pk.get_db_prep_value(event.pk, connection) for event in events]
    places = ", ".join(["%s"] * len(written))
    moment = connection.ops.adapt_datetimefield_value(timezone.now())
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {meta.db_table} SET dispatched_at = %s WHERE id IN ({places})",  # noqa: S608
            [moment, *written],
        )
