"""What an automation would do about an event: everything is done and undone again, nothing is sent.

The steps run for real inside a savepoint that is rolled back, so what they say is what would happen: values that do
not fit, stages that do not exist, the changes to records. Requests and mails are caught, waits are passed.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from django.db import transaction
from django.utils import timezone

from automations.compiled import CompiledVersion, compile_document, object_of
from automations.cursors import start
from automations.document import Document
from automations.interpreter import Play, Writes
from automations.matching import Occasion
from automations.models import Automation, Run, RunMode, RunStatus, StepRun
from records.eventtypes import names_of
from records.models import Event

# A person waits for it.
MAX_S: Final = 5.0


@dataclass(frozen=True, slots=True)
class DryRun:
    """`run` and `steps` are rows that were never written. `refusal`: why it would not fire; empty when it would."""

    run: Run
    steps: Sequence[StepRun] = field(default_factory=list)
    refusal: str = ""
    seconds: float = 0.0


def dry_run(
    *,
    automation: Automation,
    document: Mapping[str, Any],
    event: Event,
    event_name: str,
    ignore_conditions: bool = False,
) -> DryRun:
    """Try a document, which has been checked, on an event; the event may be made up and not saved.

    With `ignore_conditions` the steps are tried although the trigger or the conditions say no.
    """
    began = time.monotonic()
    with transaction.atomic():
        parsed = Document.model_validate(dict(document))
        version = compile_document(parsed, object_of(parsed))
        run = _run(automation, event, event_name)
        occasion = Occasion(event, event_name)
        if version.has_conditions:
            run.conditions = version.conditions.explain(occasion.facts)
        refusal = why_not(version, event, event_name, occasion)
        writes = Writes()
        if not refusal or ignore_conditions:
            _play(run, version, automation, event, writes, began)
        else:
            run.status, run.reason = RunStatus.SKIPPED, refusal
        transaction.set_rollback(True)
    return DryRun(run, writes.steps, refusal, time.monotonic() - began)


def why_not(version: CompiledVersion, event: Event, event_name: str, occasion: Occasion) -> str:
    """Why this event would not fire it; empty when it would."""
    trigger, config = version.trigger, version.trigger_config
    if trigger.is_targeted:
        return "" if version.conditions.passes(occasion.facts) else "The conditions are not met."
    names = names_of(event.type, changed=event.changed, before=event.before, after=event.after)
    if event_name not in names or event_name not in trigger.event_names(config):
        return f"The trigger is another: {trigger.describe(config)}."
    if version.object_id is not None and version.object_id != event.object_id:
        return "The trigger is for records of another object."
    if not trigger.matches(config, event, event_name):
        return f"The trigger does not fit this change: {trigger.describe(config)}."
    if not version.conditions.passes(occasion.facts):
        return "The conditions are not met."
    return ""


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
            run.status, run.reason = (
                RunStatus.CANCELLED,
                f"Stopped after {MAX_S:g} seconds: a dry run is a look, not the work.",
            )
            return
        run.status = RunStatus.RUNNING
        play.advance()
