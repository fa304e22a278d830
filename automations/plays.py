"""One run being advanced: what its steps see, the record it is about, and what is to be stored of it."""

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from django.utils import timezone

from automations.compiled import CompiledStep, CompiledVersion
from automations.cursors import Frame, path_of
from automations.jsonvalues import kept
from automations.models import Run, RunStatus, StepRun, StepStatus
from automations.names import names_of, with_progress
from automations.steps import Scene, StepFailed
from records.models import Event, Record
from webhooks.models import RequestLog, WebhookJob

# Outputs, variables and the entries of loops of one run: they are written each time it waits.
MAX_CARRIED: Final = 2 * 1024 * 1024  # characters of JSON


@dataclass(slots=True)
class Writes:
    """What a batch has to store beside what actions store themselves."""

    steps: list[StepRun] = field(default_factory=list)
    # Steps that had waited, with what came of them.
    resumed: list[StepRun] = field(default_factory=list)
    jobs: list[WebhookJob] = field(default_factory=list)
    # How many steps have changed records so far: what was loaded before is not to be relied on.
    record_changes: int = 0


@dataclass(frozen=True, slots=True)
class Turn:
    """One step being executed. `waited`: the row of what it has waited for, if it has."""

    step: CompiledStep
    frame: Frame
    scene: Scene
    waited: StepRun | None = None


@dataclass(slots=True)
class Play:
    """One run being advanced. `automations.interpreter` goes from step to step."""

    run: Run
    version: CompiledVersion
    automation_name: str
    event: Event | None
    writes: Writes
    # What the run waited for, by the StepRun's id.
    waited: Mapping[str, StepRun] = field(default_factory=dict)
    # The last attempt of each job that runs of the batch have waited for, by the job's id.
    answers: Mapping[str, RequestLog] = field(default_factory=dict)
    # A dry run: nothing is sent, waits are passed, everything is rolled back by the caller.
    is_dry: bool = False
    # What time it is, by the clock that wakes runs.
    clock: Callable[[], datetime] = timezone.now
    # By `time.monotonic()`: then the run comes back with another batch.
    deadline: float = math.inf
    names: Mapping[str, Any] = field(default_factory=dict)
    _lasting_names: dict[str, Any] = field(default_factory=dict)
    _record: Record | None = None
    # At how many changes of records it was loaded; None: not yet.
    _loaded_at: int | None = None

    # --- what steps see ---

    def look(self) -> None:
        """Make the names that expressions see, before the first step of a turn."""
        self._lasting_names = names_of(
            self.run, self.automation_name, self.event, self.load_record, self.clock()
        )
        self.refresh_names()

    def refresh_names(self) -> None:
        self.names = with_progress(self._lasting_names, self.run)

    def scene(self, step: CompiledStep, frame: Frame) -> Scene:
        run, now = self.run, self.clock()
        self._lasting_names["now"] = now
        self.refresh_names()
        return Scene(
            run=run,
            automation_name=self.automation_name,
            step_id=step.id,
            step_name=step.name,
            path=path_of(run.cursor, [self.step_at(each).id for each in run.cursor]),
            names=self.names,
            now=now,
            load_record=self.load_record,
            lock_record=self.lock_record,
            sends_nothing=self.is_dry or run.mode == "test",
            is_dry=self.is_dry,
            attempt=frame.get("attempt", 1),
            forget_record=self.forget_record,
            answer=self._answer_to(frame),
        )

    def step_at(self, frame: Frame) -> CompiledStep:
        return self.version.blocks[frame["block"]][frame["index"]]

    def waited_for(self, frame: Frame) -> StepRun | None:
        return self.waited.get(frame.get("waiting") or "")

    def _answer_to(self, frame: Frame) -> RequestLog | None:
        waited = self.waited_for(frame)
        return self.answers.get(waited.job_id) if waited and waited.job_id else None

    # --- what steps leave behind ---

    def log(
        self,
        turn: Turn,
        status: StepStatus,
        *,
        output: Any = None,
        note: str = "",
        error: StepFailed | None = None,
        changes: Any = (),
        job: WebhookJob | None = None,
    ) -> StepRun:
        """The row of this execution; one that waited is completed."""
        row = turn.waited
        if row is None:
            row = StepRun(
                run=self.run,
                path=turn.scene.path[:200],
                step_id=turn.step.id,
                type=turn.step.type,
                attempt=turn.scene.attempt,
                input=kept(turn.scene.input),
                started_at=turn.scene.now,
            )
            self.writes.steps.append(row)
        else:
            self.writes.resumed.append(row)
        row.status = status
        row.output = kept(output)
        row.note = (note or row.note)[:500]
        row.error = error.to_json() if error else None
        row.changes = kept(list(changes))
        row.job = job or row.job
        row.finished_at = self.clock()
        return row

    def remember(self, step: CompiledStep, output: Any) -> None:
        """What later steps see of it."""
        if output is not None:
            self.run.variables.setdefault("steps", {})[step.id] = kept(output)

    def carries_too_much(self) -> bool:
        run = self.run
        return len(json.dumps([run.cursor, run.variables])) > MAX_CARRIED

    def wait(self, until: datetime | None) -> None:
        """`until` is None when a job's end wakes the run."""
        self.run.status = RunStatus.WAITING
        self.run.due_at = until

    def finish(self, status: RunStatus, reason: str = "") -> None:
        run = self.run
        run.status = status
        run.reason = reason[:500]
        if status == RunStatus.FAILED and run.error is None:
            run.error = {"message": reason, "step": "", "path": "", "field": "", "kind": "run"}
        run.cursor = []
        run.due_at = None
        run.finished_at = self.clock()

    # --- the record ---

    def load_record(self) -> Record | None:
        """The run's record as it is now; loaded once, until a step changes it."""
        if self._loaded_at is None:
            self._take_from_event()
        if self._loaded_at != self.writes.record_changes:
            self._record = (
                Record.objects.select_related("object").filter(pk=self.run.record_id).first()
                if self.run.record_id
                else None
            )
            self._loaded_at = self.writes.record_changes
        return self._record

    def _take_from_event(self) -> None:
        """The batch has just read the record together with its event; that saves a query for each run."""
        event = self.event
        if event is None or event.record is None or event.record_id != self.run.record_id:
            return
        if event.object is None or event.record.object_id != event.object_id:
            return
        if "record" in event._state.fields_cache and not event._state.adding:
            event.record.object = event.object
            self._record, self._loaded_at = event.record, 0

    def lock_record(self) -> Record | None:
        """The run's record as it is now, locked: who is going to change it reads it like this."""
        records = Record.objects.select_related("object").select_for_update(of=("self",))
        self._record = records.filter(pk=self.run.record_id).first() if self.run.record_id else None
        self._loaded_at = self.writes.record_changes
        return self._record

    def forget_record(self) -> None:
        """A step has changed records: for all runs of the batch, what was loaded before is old."""
        self.writes.record_changes += 1
