"""Requests that had arrived, once more: into their automation as a new event, or on its draft, where nothing is done.

A person answers for them, so nobody verifies them again, and a delivery that is known is no repeat.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import DatabaseError, transaction
from django.utils import timezone

from records.actors import acting
from records.events import capture, make_event
from records.ids import new_id
from records.models import Event, User
from webhooks.inbound.runs import known_runs
from webhooks.inbound.storing import WEBHOOK_RECEIVED, dispatch
from webhooks.intake.context import webhook_context
from webhooks.intake.parsing import DEFAULT_LIMITS, parse
from webhooks.intake.query import parse_query
from webhooks.intake.refusals import Refusal
from webhooks.models import Direction, EndpointKind, InboundEndpoint, RequestLog

logger = logging.getLogger(__name__)


class ReplayRefused(Exception):
    """A request can't be replayed; in words."""


@dataclass(frozen=True, slots=True)
class Replayed:
    """The new row in the log, its event, and the run that it has set off, if there is one at once."""

    request_id: str
    event_id: str
    run_id: str | None


def replay_request(*, row: RequestLog, user: User) -> Replayed:
    """Let a request arrive at its automation once more, as a new event by this person. Raises ReplayRefused.

    Where what reacts to it fails, it is kept without: a worker's dispatcher tries again, and writes down what is wrong.
    """
    endpoint = _endpoint_of(row)
    if not endpoint.is_active:
        raise ReplayRefused(
            f"“{endpoint.name}” takes no requests now: switch its automation on first, or try the draft."
        )
    received = received_of(row)
    try:
        return _replay(row, endpoint, received, user, at_once=True)
    except Exception:
        logger.exception("The replay of %s could not be dispatched at once", row.pk)
    try:
        return _replay(row, endpoint, received, user, at_once=False)
    except DatabaseError:
        logger.exception("The replay of %s could not be stored", row.pk)
        raise ReplayRefused(
            "The database did not take the replay. Try again in a moment."
        ) from None


def try_on_draft(*, row: RequestLog, user: User) -> Mapping[str, Any] | None:
    """What the automation's draft would do about a request: nothing is changed or sent. Raises ReplayRefused.

    None: there is no draft any more.
    """
    endpoint = _endpoint_of(row)
    event = _event(row, endpoint, received_of(row), user)
    return known_runs().try_draft(str(endpoint.automation_id), event)


def why_not_replayed(row: RequestLog) -> str:
    """Why a request can't be replayed, as far as can be told without trying; "" where it can."""
    if row.direction != Direction.IN:
        return "Only requests that came in can be replayed; what was sent is retried on its job's page."
    if row.endpoint_id and row.endpoint is None:
        return "Its endpoint was deleted, so there is nothing left to replay it into."
    if row.endpoint is None or row.endpoint.kind != EndpointKind.AUTOMATION:
        return "Only requests to automations can be replayed."
    if _kept_by_event(row) is not None:
        return ""
    if row.bodies_removed:
        return "Its body was too old to keep, so it can't be replayed."
    if row.request_truncated:
        return "Only the beginning of its body was kept, so it can't be replayed."
    return ""


def received_of(row: RequestLog) -> dict[str, Any]:
    """What expressions see of a request: as its event has it, else as the log has kept it. Raises ReplayRefused."""
    if words := why_not_replayed(row):
        raise ReplayRefused(words)
    kept = _kept_by_event(row)
    if kept is not None:
        return kept
    content_type = next((v for n, v in row.request_headers if n.lower() == "content-type"), "")
    try:
        parsed = parse(row.request_body.encode(errors="replace"), content_type)
        query = parse_query(row.url.partition("?")[2], DEFAULT_LIMITS)
    except Refusal as refusal:
        raise ReplayRefused(f"It can't be read: {refusal.words}") from None
    pairs = [(str(name), str(value)) for name, value in row.request_headers]
    return webhook_context(row.method, pairs, query, parsed)


def replays_of(row: RequestLog, limit: int) -> list[RequestLog]:
    """What a request was replayed as, newest first. One query, of an index."""
    replays = RequestLog.objects.filter(replay_of=row.pk).select_related("actor")
    return list(replays.only("started_at", "run_id", "actor").order_by("-pk")[:limit])


def _kept_by_event(row: RequestLog) -> dict[str, Any] | None:
    after = row.event.after if row.event else None
    return dict(after) if isinstance(after, dict) else None


def _endpoint_of(row: RequestLog) -> InboundEndpoint:
    if words := why_not_replayed(row):
        raise ReplayRefused(words)
    assert row.endpoint
    return row.endpoint


@transaction.atomic
def _replay(
    row: RequestLog,
    endpoint: InboundEndpoint,
    received: Mapping[str, Any],
    user: User,
    *,
    at_once: bool,
) -> Replayed:
    event, run_id = _event(row, endpoint, received, user), None
    if at_once:
        run_id = dispatch([event]).get(event.pk)
    else:
        capture(event)  # for a worker
    again = RequestLog.objects.create(
        direction=Direction.IN,
        endpoint=endpoint,
        event=event,
        run_id=run_id,
        replay_of=row.pk,
        actor=user,
        method=row.method,
        url=row.url,
        request_headers=row.request_headers,
        request_body=row.request_body,
        request_truncated=row.request_truncated,
        bodies_removed=row.bodies_removed,
        started_at=timezone.now(),
    )
    return Replayed(again.pk, event.pk, run_id)


def _event(
    row: RequestLog, endpoint: InboundEndpoint, received: Mapping[str, Any], user: User
) -> Event:
    """An unsaved event for the endpoint's automation alone, by this person."""
    with acting(user):
        event = make_event(
            WEBHOOK_RECEIVED,
            after=received,
            subject_id=str(endpoint.pk),
            subject_label=f"{endpoint.name} · Replay of {row.pk}",
            target=str(endpoint.automation_id),
        )
    event.pk = new_id("evt")
    return event
