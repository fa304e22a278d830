"""From events to runs: which automations react, whether their conditions hold, and why not."""

import logging
import random
from collections import deque
from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import cached_property
from typing import Any, Final, NamedTuple

from django.utils import timezone

from automations.compiled import Index, Listener
from automations.concurrency import Crowd, order_key_of
from automations.conditions import Facts
from automations.cursors import start
from automations.loops import Ancestor, ancestors, why_cut
from automations.models import Run, RunStatus
from automations.names import CALLED, CALLED_ALONE, WEBHOOK_RECEIVED
from records.eventtypes import names_of
from records.expressions import Namespace
from records.models import Event
from webhooks.payloads import context_of

logger = logging.getLogger(__name__)

# "Why not?" is answered by rows; a batch of events writes so many at most, the newest of each automation first.
MAX_SKIPPED_PER_BATCH: Final = 8
# Where more automations than that refuse, this many of them at least.
_FEWEST_SKIPPED: Final = 2
# Kept in memory until some are chosen: beyond so many, what would not be chosen is forgotten.
_MOST_REFUSALS: Final = 10_000
# What tells of the quarantine itself, and what a person wants.
GOES_ON_IN_QUARANTINE: Final = ("record.quarantined", "record.released", "record.clicked")
CONDITIONS_FALSE: Final = "The conditions were not met."
_MISTAKE: Final = "Signalbox made a mistake with these conditions; its log has the details."


class Occasion:
    """One event by one of its names. What conditions see is made once for all automations, when needed."""

    def __init__(self, event: Event, name: str) -> None:
        self.event = event
        self.name = name

    @cached_property
    def facts(self) -> Facts:
        moment = timezone.localtime(self.event.created_at)  # its days are the installation's
        return Facts(facts_context(self.event, self.name), moment)

    @cached_property
    def chain(self) -> Sequence[Ancestor]:
        return ancestors(self.event)


def facts_context(event: Event, name: str) -> dict[str, Any]:
    """What the conditions see: the event, and the record as the event tells of it."""
    context = context_of(event, name)
    if event.type == WEBHOOK_RECEIVED:
        context["webhook"] = Namespace(event.after or {}, label="`webhook`")
    return context


class Match(NamedTuple):
    """An automation whose trigger fits an event. `reason`: why it does not fire; empty when it does.

    A tuple, since a thousand of them may be made for one event.
    """

    listener: Listener
    occasion: Occasion
    reason: str = ""


def concerned(events: Sequence[Event], index: Index) -> Iterator[tuple[Listener, Occasion]]:
    """Every automation whose trigger fits, event by event."""
    for event in events:
        names = names_of(event.type, changed=event.changed, before=event.before, after=event.after)
        for name in sorted(names & index.names):
            occasion = Occasion(event, name)
            is_called = name in (CALLED, CALLED_ALONE)
            for listener in index.listeners(event, name):
                version = listener.version
                if is_called or version.trigger.matches(version.trigger_config, event, name):
                    yield listener, occasion


def why_not(listener: Listener, occasion: Occasion) -> str:
    """Why it does not fire, as far as the event and its record tell; empty when it does."""
    version, event = listener.version, occasion.event
    try:
        if not version.conditions.passes(occasion.facts):
            return CONDITIONS_FALSE
    except Exception:  # one automation's trouble must not keep the others from reacting
        logger.exception("The conditions of %s can't be judged", listener.automation_id)
        return _MISTAKE
    if is_left_alone(event):
        return "The record is in quarantine until a person releases it."
    if not event.depth:  # a person's own doing
        return ""
    max_depth = version.settings.max_depth
    return why_cut(event, occasion.chain, listener.automation_id, listener.name, max_depth)


def runs_for(events: Sequence[Event], index: Index) -> tuple[list[Run], Crowd]:
    """Unsaved runs for everything that fires, and for some of what does not; and what else that changes."""
    now = timezone.now()
    crowd = Crowd()
    fired: list[Run] = []
    refused = Refusals()
    fitting: list[Match] = []
    for listener, occasion in concerned(events, index):
        if reason := why_not(listener, occasion):
            refused.add(Match(listener, occasion, reason))
        else:
            fitting.append(Match(listener, occasion))
    crowd.look((match.listener, match.occasion.event) for match in fitting)
    for match in fitting:
        if reason := crowd.refuses(match.listener, match.occasion.event):
            refused.add(match._replace(reason=reason))
            continue
        run = _run(match, now)
        crowd.admit(match.listener, run)
        fired.append(run)
    return fired + [_skipped(match, now) for match in refused.some()], crowd


class Refusals:
    """What does not fire: of each automation the newest, and the latest of all others."""

    def __init__(self) -> None:
        # In the order in which they came. A plain list: a thousand may come of one event.
        self._all: list[Match] = []

    def add(self, match: Match) -> None:
        self._all.append(match)
        if len(self._all) > _MOST_REFUSALS:
            newest, others = self._sorted_out()
            self._all = [*others, *newest]

    def some(self) -> list[Match]:
        """The newest of each automation first, then the latest others, up to the limit; in the order of the events.

        Where there are more automations than that, chance decides, so that each gets its turn.
        """
        chosen, others = self._sorted_out()
        if len(chosen) > MAX_SKIPPED_PER_BATCH:
            chosen, others = random.sample(chosen, sample_size(len(chosen))), []
        chosen = chosen + others[::-1][: MAX_SKIPPED_PER_BATCH - len(chosen)]
        return sorted(chosen, key=lambda match: match.occasion.event.pk)

    def _sorted_out(self) -> tuple[list[Match], list[Match]]:
        """The newest of each automation; and the latest of the others, oldest first."""
        newest = {match.listener.automation_id: match for match in self._all}
        if len(newest) == len(self._all):
            return self._all, []
        first = {id(match) for match in newest.values()}
        others = deque(
            (match for match in self._all if id(match) not in first), maxlen=MAX_SKIPPED_PER_BATCH
        )
        return list(newest.values()), list(others)


def sample_size(automations: int) -> int:
    """Of how many automations a refusal is kept, when so many refuse that not all fit. The more, the fewer: a thousand
    tell of one event much the same, and a row costs as much as the conditions of a hundred of them."""
    return max(_FEWEST_SKIPPED, MAX_SKIPPED_PER_BATCH**2 // automations)


def is_left_alone(event: Event) -> bool:
    """Whether the event's record is in quarantine, and this is nothing that goes on then."""
    record = event.record
    if record is None or record.quarantined_at is None:
        return False
    return event.type not in GOES_ON_IN_QUARANTINE


def _run(match: Match, now: datetime) -> Run:
    """A run that fires: pending, at the beginning."""
    listener, event = match.listener, match.occasion.event
    return Run(
        automation_id=listener.automation_id,
        version_id=listener.version.id,
        event=event,
        event_name=match.occasion.name,
        record_id=event.record_id,
        mode=listener.mode,
        caused_by_id=event.run_id,
        depth=event.depth,
        started_by=event.actor if event.target else None,
        status=RunStatus.PENDING,
        conditions=_explained(match),
        cursor=start(),
        due_at=now,
        order_key=order_key_of(listener, event),
        created_at=now,
    )


def _skipped(match: Match, now: datetime) -> Run:
    run = _run(match, now)
    run.status = RunStatus.SKIPPED
    run.reason = match.reason[:500]
    run.cursor, run.due_at, run.order_key, run.finished_at = [], None, None, now
    return run


def _explained(match: Match) -> dict[str, Any] | None:
    """What each rule came to, for the trace."""
    conditions = match.listener.version.conditions
    if not match.listener.version.has_conditions:
        return None
    try:
        return conditions.explain(match.occasion.facts)
    except Exception:
        logger.exception("The conditions of %s can't be explained", match.listener.automation_id)
        return None
