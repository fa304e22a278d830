"""Advancing one run: step after step until it waits, ends, or has had its turn. Writes nothing but what actions
write; rows to be stored are handed to `Writes`, which the caller stores in the same transaction."""

import logging
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import InterfaceError, OperationalError, transaction
from django.utils import timezone

from automations.compiled import CompiledStep, CompiledVersion
from automations.cursors import Frame, enter, path_of, start, step_over
from automations.document.schema import FALLBACK
from automations.jsonvalues import kept
from automations.loopresults import add_result, outcome_of
from automations.matching import is_left_alone
from automations.models import Run, RunStatus, StepRun, StepStatus
from automations.names import names_of, refresh_names
from automations.steps import Done, End, Enter, Scene, StepFailed, WaitForJob, WaitUntil
from config.queues import TookTooLong
from records.actors import acting
from records.exceptions import RecordsError
from records.models import Event, Record
from webhooks.models import RequestLog, WebhookJob

logger = logging.getLogger(__name__)

# A run with more to do comes back with the next batch: no run keeps others waiting for long.
STEPS_AT_ONCE: Final = 50
# A loop in a loop can multiply; a run this long is a mistake.
MAX_STEPS_OF_A_RUN: Final = 10_000
# The reason of a run whose record is in quarantine; it looks again after so many seconds.
HELD: Final = "Waits: the record is in quarantine until a person releases it."
_LOOK_AGAIN_S: Final = 30
_MISTAKE: Final = "Signalbox made a mistake in this step; its log has the details."


@dataclass(slots=True)
class Writes:
    """What a batch has to store beside what actions store themselves."""

    steps: list[StepRun] = field(default_factory=list)
    # Steps that had waited, with what came of them.
    resumed: list[StepRun] = field(default_factory=list)
    jobs: list[WebhookJob] = field(default_factory=list)
    # How many steps have changed records so far: what was loaded before is not to be relied on.
    record_changes: int = 0


@dataclass(slots=True)
class Play:
    """One run being advanced."""

    run: Run
    version: CompiledVersion
    automation_name: str
    event: Event | None
    writes: Writes
    # What the run waited for, by the StepRun's id.
    waited: dict[str, StepRun] = field(default_factory=dict)
    # The last attempt of each job that runs of the batch have waited for, by the job's id.
    answers: Mapping[str, RequestLog] = field(default_factory=dict)
    # A dry run: nothing is sent, waits are passed, everything is rolled back by the caller.
    is_dry: bool = False
    names: dict[str, Any] = field(default_factory=dict)
    _record: Record | None = None
    # At how many changes of records it was loaded; None: not yet.
    _loaded_at: int | None = None

    # --- going on ---

    def advance(self) -> None:
        """Go on until the run waits, ends, or has had its turn (then it stays pending)."""
        run = self.run
        run.started_at = run.started_at or timezone.now()
        if self._is_held():
            return
        self.names = names_of(
            run, self.automation_name, self.event, self.load_record, timezone.now()
        )
        if run.reason == HELD:
            run.reason = ""
        if not run.cursor:
            run.cursor = start()
        with acting(
            label=f"Automation “{self.automation_name}”", run_id=run.pk, depth=run.depth + 1
        ):
            for _ in range(STEPS_AT_ONCE):
                self._turn()
                if run.status != RunStatus.RUNNING:
                    return
        run.status = RunStatus.PENDING
        run.due_at = timezone.now()

    def _is_held(self) -> bool:
        """A run whose record a person has to look at first waits for that; the fallback goes on."""
        run, event = self.run, self.event
        if self.is_dry or run.error is not None or run.variables.get("quarantined"):
            return False
        if event is None or event.record_id != run.record_id or not is_left_alone(event):
            return False
        run.status = RunStatus.WAITING
        run.reason = HELD
        run.due_at = timezone.now() + timedelta(seconds=_LOOK_AGAIN_S)
        return True

    def _turn(self) -> None:
        run = self.run
        frame = run.cursor[-1]
        steps = self.version.blocks.get(frame["block"], ())
        if frame["index"] >= len(steps):
            self._leave(frame)
            return
        count = run.variables.get("count", 0) + 1
        run.variables["count"] = count
        if count > MAX_STEPS_OF_A_RUN:
            self._finish(
                RunStatus.FAILED,
                f"More than {MAX_STEPS_OF_A_RUN:,} steps: a loop goes round too often.",
            )
            return
        step = steps[frame["index"]]
        if step.disabled:
            now = timezone.now()
            scene = self._scene(step, frame, now)
            self._log(step, StepStatus.SKIPPED, now, scene, note="Switched off")
            step_over(frame)
            return
        self._execute(step, frame)

    def _leave(self, frame: Frame) -> None:
        """A block has come to its end: the next item of a loop, the step after the block, or the end of the run."""
        run = self.run
        if frame.get("items") is not None:
            self._end_item(frame)
            if self._next_item(frame):
                return
        run.cursor.pop()
        if frame["block"] == FALLBACK or not run.cursor:
            self._finish(RunStatus.FAILED if run.error else RunStatus.SUCCEEDED, run.reason)
            return
        self._close_loop(frame)
        step_over(run.cursor[-1])

    def _end_item(self, frame: Frame, error: str = "") -> None:
        """Keep what came of this round of a loop."""
        outputs = self.run.variables.get("steps", {})
        ids = self._ids_within(frame["block"])
        add_result(frame, {each: outputs[each] for each in ids if each in outputs}, error)

    def _next_item(self, frame: Frame) -> bool:
        if frame["n"] + 1 >= len(frame["items"]):
            return False
        for each in self._ids_within(
            frame["block"]
        ):  # nobody takes the last round's for this one's
            self.run.variables.get("steps", {}).pop(each, None)
        frame["n"] += 1
        frame["index"] = 0
        frame.pop("attempt", None)
        frame.pop("waiting", None)
        refresh_names(self.names, self.run)
        return True

    def _close_loop(self, frame: Frame) -> None:
        """What a loop has come to is its output."""
        if frame.get("items") is None:
            return
        outer = self.run.cursor[-1]
        step = self.version.blocks[outer["block"]][outer["index"]]
        self._remember(step, outcome_of(frame))

    def _ids_within(self, block: str) -> list[str]:
        """The steps of a block and of the blocks in it."""
        ids = []
        for step in self.version.blocks.get(block, ()):
            ids.append(step.id)
            if step.type in ("branch", "for_each"):
                inner = [
                    name
                    for name in self.version.blocks
                    if name == step.id or name.startswith(f"{step.id}/")
                ]
                ids += [each for name in inner for each in self._ids_within(name)]
        return ids

    # --- one step ---

    def _execute(self, step: CompiledStep, frame: Frame) -> None:
        started_at = timezone.now()
        scene = self._scene(step, frame, started_at)
        waited = self.waited.get(frame.get("waiting") or "")
        try:
            if step.action is None:
                raise StepFailed(
                    f"The action “{step.type}” is not installed (any more).", kind="missing"
                )
            config = self._config_of(step, frame)
            with transaction.atomic() if step.action.effects == "records" else nullcontext():
                if waited is not None:
                    answer = step.action.resume(config, scene, waited, step.prepared)
                else:
                    answer = step.action.execute(config, scene, step.prepared)
        except StepFailed as failure:
            self._failed(step, frame, scene, failure, started_at, waited)
        except RecordsError as error:
            self._failed(
                step, frame, scene, StepFailed(str(error), kind="record"), started_at, waited
            )
        except (OperationalError, InterfaceError, TookTooLong):
            raise  # the database's trouble, not the step's: the batch is undone and claimed again
        except Exception:  # one step's trouble must not stop the other runs
            logger.exception("Step %s of run %s failed", scene.path, self.run.pk)
            self._failed(
                step, frame, scene, StepFailed(_MISTAKE, kind="internal"), started_at, waited
            )
        else:
            self._take(step, frame, scene, answer, started_at, waited)

    @staticmethod
    def _config_of(step: CompiledStep, frame: Frame) -> Any:
        """What the step is told; a person who retried a run may have changed that for this once."""
        assert step.action is not None
        return (
            step.action.Config.model_validate(frame["config"]) if "config" in frame else step.config
        )

    def _take(
        self,
        step: CompiledStep,
        frame: Frame,
        scene: Scene,
        answer: Any,
        started_at: datetime,
        waited: StepRun | None,
    ) -> None:
        """Go where the action's answer leads."""
        if isinstance(answer, Done):
            if answer.job is not None and not self.is_dry:
                self.writes.jobs.append(answer.job)
            self._log(
                step, StepStatus.SUCCEEDED, started_at, scene, waited,
                output=answer.output, note=answer.note, changes=answer.changes, job=answer.job,
            )  # fmt: skip
            self._remember(step, answer.output)
            step_over(frame)
        elif isinstance(answer, Enter):
            self._log(
                step,
                StepStatus.SUCCEEDED,
                started_at,
                scene,
                output=answer.output,
                note=answer.note,
            )
            if answer.items is not None and not answer.items:
                self._remember(step, {"count": 0, "failed": 0, "results": []})
                step_over(frame)
                return
            self.run.cursor.append(enter(answer.block, answer.items, answer.as_name))
            refresh_names(self.names, self.run)
        elif isinstance(answer, End):
            self._log(
                step,
                StepStatus.ENDED,
                started_at,
                scene,
                waited,
                output=answer.output,
                note=answer.message,
            )
            if answer.status == "failed":
                self._stop_for(
                    step, scene, StepFailed(answer.message or "The step says: failed.", kind="stop")
                )
            else:
                self._finish(RunStatus(answer.status), answer.message)
        else:
            self._wait(step, frame, scene, answer, started_at)

    def _wait(
        self,
        step: CompiledStep,
        frame: Frame,
        scene: Scene,
        answer: WaitUntil | WaitForJob,
        started_at: datetime,
    ) -> None:
        run = self.run
        row = self._log(step, StepStatus.WAITING, started_at, scene, note=answer.note)
        row.finished_at = None
        if self.is_dry:  # time passes at once; nothing is ever sent
            row.status, row.finished_at = StepStatus.SUCCEEDED, timezone.now()
            step_over(frame)
            return
        frame["waiting"] = row.pk
        run.status = RunStatus.WAITING
        if isinstance(answer, WaitForJob):
            self.writes.jobs.append(answer.job)
            row.job = run.waiting_job = answer.job
            run.due_at = None
        else:
            run.due_at = answer.moment

    # --- failures ---

    def _failed(
        self,
        step: CompiledStep,
        frame: Frame,
        scene: Scene,
        failure: StepFailed,
        started_at: datetime,
        waited: StepRun | None,
    ) -> None:
        """Try the step again later, go on without it, or stop the run."""
        attempt = frame.get("attempt", 1)
        if attempt <= len(step.retry_delays_s) and not self.is_dry:
            delay_s = step.retry_delays_s[attempt - 1]
            note = f"Tried again after {delay_s} s"
            self._log(
                step, StepStatus.TRIED_AGAIN, started_at, scene, waited, error=failure, note=note
            )
            frame["attempt"] = attempt + 1
            frame.pop("waiting", None)
            self.run.status = RunStatus.WAITING
            self.run.due_at = timezone.now() + timedelta(seconds=delay_s)
            return
        if step.on_error == "continue":
            self._log(step, StepStatus.CONTINUED, started_at, scene, waited, error=failure)
            self._remember(step, {"error": failure.message})
            step_over(frame)
            return
        self._log(step, StepStatus.FAILED, started_at, scene, waited, error=failure)
        if not self._give_up_item(failure):
            self._stop_for(step, scene, failure)

    def _give_up_item(self, failure: StepFailed) -> bool:
        """A loop may go on with the next item when a step of one fails."""
        cursor = self.run.cursor
        for place in range(len(cursor) - 1, 0, -1):
            frame, outer = cursor[place], cursor[place - 1]
            if frame.get("items") is None:
                continue
            loop = self.version.blocks[outer["block"]][outer["index"]]
            if loop.config.on_item_error != "continue":
                continue
            del cursor[place + 1 :]
            self._end_item(frame, failure.message)
            if not self._next_item(frame):
                cursor.pop()
                self._close_loop(frame)
                step_over(outer)
            return True
        return False

    def _stop_for(self, step: CompiledStep, scene: Scene, failure: StepFailed) -> None:
        """The run fails here. Where there is a fallback it comes first, and knows the error."""
        run = self.run
        is_first = run.error is None
        if is_first:
            error = {
                **failure.to_json(),
                "step": step.id,
                "path": scene.path,
                # Where a retry from here begins.
                "cursor": [dict(frame) for frame in run.cursor],
            }
            run.error = error
            run.reason = self._words_for(step, failure)
        if is_first and self.version.blocks.get(FALLBACK):
            names = ("message", "step", "path", "field", "kind")
            run.variables["error"] = {name: error[name] for name in names}
            run.cursor = start(FALLBACK)
            refresh_names(self.names, run)
            return
        self._finish(RunStatus.FAILED, run.reason)

    @staticmethod
    def _words_for(step: CompiledStep, failure: StepFailed) -> str:
        where = f"{step.name or step.id}"
        part = f", {failure.field}" if failure.field else ""
        return f"{where}{part}: {failure.message}"[:500]

    def _finish(self, status: RunStatus, reason: str = "") -> None:
        run = self.run
        run.status = status
        run.reason = reason[:500]
        if status == RunStatus.FAILED and run.error is None:
            run.error = {"message": reason, "step": "", "path": "", "field": "", "kind": "run"}
        run.cursor = []
        run.due_at = None
        run.finished_at = timezone.now()

    # --- what steps see and leave behind ---

    def _scene(self, step: CompiledStep, frame: Frame, now: datetime) -> Scene:
        run = self.run
        self.names["now"] = now
        path = path_of(
            run.cursor,
            [self.version.blocks[each["block"]][each["index"]].id for each in run.cursor],
        )
        return Scene(
            run=run,
            automation_name=self.automation_name,
            step_id=step.id,
            step_name=step.name,
            path=path,
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

    def _answer_to(self, frame: Frame) -> RequestLog | None:
        waited = self.waited.get(frame.get("waiting") or "")
        return self.answers.get(waited.job_id) if waited and waited.job_id else None

    def _log(
        self,
        step: CompiledStep,
        status: StepStatus,
        started_at: datetime,
        scene: Scene,
        waited: StepRun | None = None,
        *,
        output: Any = None,
        note: str = "",
        error: StepFailed | None = None,
        changes: Any = (),
        job: WebhookJob | None = None,
    ) -> StepRun:
        """The row of this execution; one that waited is completed."""
        row = waited
        if row is None:
            row = StepRun(
                run=self.run,
                path=scene.path[:200],
                step_id=step.id,
                type=step.type,
                started_at=started_at,
            )
            row.attempt = scene.attempt
            row.input = kept(scene.input)
            self.writes.steps.append(row)
        else:
            self.writes.resumed.append(row)
        row.status = status
        row.output = kept(output)
        row.note = (note or row.note)[:500]
        row.error = error.to_json() if error else None
        row.changes = kept(list(changes))
        row.job = job or row.job
        row.finished_at = timezone.now()
        return row

    def _remember(self, step: CompiledStep, output: Any) -> None:
        """What later steps see of it."""
        if output is not None:
            self.run.variables.setdefault("steps", {})[step.id] = kept(output)
        refresh_names(self.names, self.run)

    def load_record(self) -> Record | None:
        """The run's record as it is now; loaded once, until a step changes it."""
        if self._loaded_at is None and self.writes.record_changes == 0:
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
