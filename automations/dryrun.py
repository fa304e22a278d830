"""What an automation would do about an event: everything is done and undone again, nothing is sent.

The steps run for real inside a savepoint that is rolled back, so what they say is what would happen: values that do
not fit, stages that do not exist, the changes to records. Requests and mails are caught, waits are passed.
"""

import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from django.db import DatabaseError, OperationalError, transaction
from django.utils import timezone

from automations.compiled import CompiledVersion, compile_document, current_index, object_of
from automations.cursors import start
from automations.document import Document
from automations.interpreter import advance
from automations.known_answers import with_known_answers
from automations.matching import CONDITIONS_FALSE, Occasion, concerned, is_left_alone
from automations.matching import why_not as why_not_fired
from automations.models import Automation, Run, RunMode, RunStatus, StepRun
from automations.plays import Play, Writes
from automations.timelimits import at_most
from records.eventtypes import names_of
from records.models import Event

logger = logging.getLogger(__name__)

# A person waits for it, and what it changes is locked as long.
MAX_S: Final = 5.0
# So many of the events that it makes are looked at for what else they would set off.
_MAX_EVENTS: Final = 500
_TOO_LONG: Final = f"Stopped after {MAX_S:g} seconds: a dry run is a look, not the work."
_BUSY: Final = "The database is busy with this just now. Try again in a moment."


@dataclass(frozen=True, slots=True)
class Consequence:
    """Another automation that the changes would set off; `event_name` by which it hears of them."""

    automation_id: str
    name: str
    event_name: str


@dataclass(frozen=True, slots=True)
class DryRun:
    """`run` and `steps` are rows that were never written. `refusal`: why it would not fire; empty when it would."""

    run: Run
    steps: Sequence[StepRun] = field(default_factory=list)
    refusal: str = ""
    seconds: float = 0.0
    sets_off: Sequence[Consequence] = ()


def dry_run(
    *,
    automation: Automation,
    document: Mapping[str, Any],
    event: Event,
    event_name: str,
    ignore_conditions: bool = False,
) -> DryRun:
    """Try a document, which has been checked, on an event; the event may be made up and not saved, its record too.

    With `ignore_conditions` the steps are tried although the trigger or the conditions say no.
    """
    began = time.monotonic()
    run, writes = _run(automation, event, event_name), Writes()
    refusal, sets_off = "", []
    filled, answers = with_known_answers(automation.pk, document)
    try:
        with transaction.atomic():
            with at_most(MAX_S):
                version = _compiled(filled)
                refusal = _judge(run, version, event, event_name)
                if not refusal or ignore_conditions:
                    _play(run, version, automation, event, writes, began)
                    sets_off = _consequences(run)
                else:
                    run.status, run.reason = RunStatus.SKIPPED, refusal
            transaction.set_rollback(True)
    except OperationalError as error:
        logger.info("A dry run of %s was cut off: %s", automation.pk, error)
        _end(run, _TOO_LONG if time.monotonic() - began >= MAX_S else _BUSY)
    for row in writes.steps:
        if row.note.startswith("Waits "):
            row.note = f"Would wait {row.note.removeprefix('Waits ')}"
        if row.output and row.step_id in answers:
            row.note = f"{row.note} {answers[row.step_id]}"[:500]
    return DryRun(run, writes.steps, refusal, time.monotonic() - began, sets_off)


def why_not(version: CompiledVersion, event: Event, event_name: str, occasion: Occasion) -> str:
    """Why this event would not fire it; empty when it would."""
    return why_unfit(version, event, event_name) or (
        "" if version.conditions.passes(occasion.facts) else CONDITIONS_FALSE
    )


def why_unfit(version: CompiledVersion, event: Event, event_name: str) -> str:
    """Why the trigger does not mean this event; empty when it does, and the conditions are asked."""
    trigger, config = version.trigger, version.trigger_config
    if event_name not in trigger.event_names(config) or event_name not in _names(event):
        return f"The trigger is another: {trigger.describe(config)}."
    if version.object_id is not None and version.object_id != event.object_id:
        return "The trigger is for records of another object."
    if not trigger.matches(config, event, event_name):
        return f"The trigger does not fit this change: {trigger.describe(config)}."
    return ""


def _names(event: Event) -> frozenset[str]:
    return names_of(event.type, changed=event.changed, before=event.before, after=event.after)


def _compiled(document: Mapping[str, Any]) -> CompiledVersion:
    parsed = Document.model_validate(document)
    return compile_document(parsed, object_of(parsed))


def _run(automation: Automation, event: Event, event_name: str) -> Run:
    now = timezone.now()
    return Run(
        automation=automation,
        event=event,
        event_name=event_name,
        record_id=event.record_id,
        mode=RunMode.TEST,
        depth=event.depth,
        status=RunStatus.RUNNING,
        cursor=start(),
        due_at=now,
        created_at=now,
    )


def _judge(run: Run, version: CompiledVersion, event: Event, event_name: str) -> str:
    """Why it would not fire. What the conditions come to is kept in the run."""
    if event.record is not None and event.record._state.adding:
        event.record.save(force_insert=True)  # a made-up one, for as long as this takes
    occasion = Occasion(event, event_name)
    if version.has_conditions:
        run.conditions = version.conditions.explain(occasion.facts)
    if is_left_alone(event):
        return "The record is in quarantine until a person releases it."
    return why_not(version, event, event_name, occasion)


def _play(
    run: Run,
    version: CompiledVersion,
    automation: Automation,
    event: Event,
    writes: Writes,
    began: float,
) -> None:
    play = Play(
        run=run,
        version=version,
        automation_name=automation.name,
        event=event,
        writes=writes,
        is_dry=True,
    )
    while run.status in (RunStatus.RUNNING, RunStatus.PENDING):
        if time.monotonic() - began > MAX_S:
            _end(run, _TOO_LONG)
            return
        run.status = RunStatus.RUNNING
        advance(play)


def _end(run: Run, words: str) -> None:
    run.status, run.reason, run.finished_at = RunStatus.CANCELLED, words, timezone.now()


def _consequences(run: Run) -> list[Consequence]:
    """Which automations would hear of what the steps have done. Before it is undone."""
    try:
        with transaction.atomic():
            made = Event.objects.filter(run_id=run.pk).select_related("object", "record", "actor")
            events = list(made.order_by("pk")[:_MAX_EVENTS])
            firing = [one for one in concerned(events, current_index()) if not why_not_fired(*one)]
    except OperationalError:
        raise
    except DatabaseError:  # a step has left the transaction so that nothing can be asked any more
        return []
    found: dict[str, Consequence] = {}
    for listener, occasion in firing:
        name = occasion.name
        found.setdefault(
            listener.automation_id, Consequence(listener.automation_id, listener.name, name)
        )
    return list(found.values())
