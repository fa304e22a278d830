"""What people do to runs: retry from the failed step or from the start, and cancel."""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, Literal

from django.db import transaction
from django.utils import timezone
from pydantic import ValidationError

from automations.compiled import CompiledStep, CompiledVersion, compiled_version, current_index
from automations.concurrency import key_of
from automations.cursors import Frame, start
from automations.exceptions import RunHasEnded, RunIsOpen, RunIsRunning, RunRefused
from automations.failures import settle_finished
from automations.models import OPEN_STATUSES, AutomationVersion, Run, RunStatus, StepRun, StepStatus
from automations.steps import ACTIONS
from config.queues import ring_on_commit
from records.models import User
from webhooks.exceptions import JobRefused
from webhooks.models import WebhookJob
from webhooks.services import cancel_job

From = Literal["failed_step", "start"]
On = Literal["same", "current"]
# So many runs are retried in one transaction.
CHUNK_SIZE = 200


@dataclass(frozen=True, slots=True)
class PlannedStep:
    """A step of a retry: `happened`: it was done by the earlier run; `again`: it will be done (again)."""

    id: str
    name: str
    type: str
    label: str
    words: str
    happened: bool
    again: bool
    # Reaches other systems or people: done twice, it is noticed.
    is_outside: bool


@dataclass(frozen=True, slots=True)
class RetryPlan:
    """What a retry would do, before it does it. `refusal`: why it can't be done; empty when it can."""

    run: Run
    version: AutomationVersion
    steps: Sequence[PlannedStep]
    refusal: str = ""

    @property
    def repeats_outside(self) -> list[PlannedStep]:
        """What has happened outside already, and would happen again."""
        return [step for step in self.steps if step.happened and step.again and step.is_outside]


def plan_retry(*, run: Run, begin: From = "failed_step", on: On = "same") -> RetryPlan:
    """What would run again, what has happened and is left out, and what may be noticed outside."""
    current_index()
    version = _version_for(run, on)
    compiled = compiled_version(version)
    try:
        cursor = _cursor_for(run, compiled, begin)
        refusal = ""
    except RunRefused as error:
        cursor, refusal = start(), str(error)
    happened = set(
        StepRun.objects.filter(run=run, status=StepStatus.SUCCEEDED).values_list(
            "step_id", flat=True
        )
    )
    again = _steps_from(compiled, cursor)
    steps = [
        PlannedStep(
            id=step.id,
            name=step.name,
            type=step.type,
            label=step.action.label if step.action else step.type,
            words=step.action.describe(step.config) if step.action else "",
            happened=step.id in happened,
            again=step.id in again and not step.disabled,
            is_outside=bool(step.action and step.action.effects == "outside"),
        )
        for step in _all_steps(compiled, "")
    ]
    return RetryPlan(run, version, steps, refusal)


@transaction.atomic
def retry_run(
    *,
    run: Run,
    actor: User | None,
    begin: From = "failed_step",
    on: On = "same",
    config: Mapping[str, Any] | None = None,
) -> Run:
    """A new run that does again what failed, or everything. Raises RunRefused.

    `config`: the failed step's configuration, changed for this once. A second click finds the retry that is
    under way, and gives that.
    """
    current_index()
    locked = (
        Run.objects.select_for_update(of=("self",))
        .select_related("automation", "version")
        .get(pk=run.pk)
    )
    if locked.status in OPEN_STATUSES:
        raise RunIsOpen
    if locked.status == RunStatus.SKIPPED:
        raise RunRefused(
            "The run did not fire, so there is nothing to retry. Run the automation by hand, or replay the event."
        )
    if (under_way := locked.retries.open().first()) is not None:
        return under_way
    version = _version_for(locked, on)
    compiled = compiled_version(version)
    cursor = _cursor_for(locked, compiled, begin)
    if config is not None:
        cursor[-1]["config"] = _checked(compiled, cursor, config)
    now = timezone.now()
    fresh = Run.objects.create(
        automation=locked.automation,
        version=version,
        event_id=locked.event_id,
        event_name=locked.event_name,
        record_id=locked.record_id,
        mode=locked.mode,
        caused_by_id=locked.caused_by_id,
        depth=locked.depth,
        retry_of=locked,
        started_by=actor,
        conditions=locked.conditions,
        cursor=cursor,
        variables=_variables_for(locked) if begin == "failed_step" else {},
        due_at=now,
        order_key=_order_key(locked, compiled),
        created_at=now,
    )
    ring_on_commit("runs")
    return fresh


def retry_runs(
    *, ids: Sequence[str], actor: User | None, begin: From = "failed_step", on: On = "same"
) -> tuple[list[Run], int]:
    """Retry many. The new runs, and how many could not be retried."""
    fresh: list[Run] = []
    refused = 0
    for run in Run.objects.filter(pk__in=ids).order_by("pk"):
        try:
            fresh.append(retry_run(run=run, actor=actor, begin=begin, on=on))
        except RunRefused:
            refused += 1
    return fresh, refused


@transaction.atomic
def cancel_run(*, run: Run, actor: User | None) -> Run:
    """Give up a run that is pending or waits, with the request it waits for. Raises RunRefused."""
    locked = (
        Run.objects.select_for_update(of=("self",))
        .select_related("automation", "version")
        .get(pk=run.pk)
    )
    if locked.status == RunStatus.RUNNING:
        raise RunIsRunning
    if locked.status not in OPEN_STATUSES:
        raise RunHasEnded
    job = locked.waiting_job_id
    who = f" by {actor}" if actor else ""
    locked.status, locked.reason = RunStatus.CANCELLED, f"Cancelled{who}."
    locked.cursor, locked.due_at, locked.waiting_job = [], None, None
    locked.finished_at = timezone.now()
    locked.save()
    StepRun.objects.filter(run=locked, status=StepStatus.WAITING).update(
        status=StepStatus.SKIPPED, note="Cancelled while it waited", finished_at=locked.finished_at
    )
    _cancel_waiting_job(job, actor)
    settle_finished([locked])
    return locked


def _cancel_waiting_job(job_id: str | None, actor: User | None) -> None:
    job = WebhookJob.objects.filter(pk=job_id).first() if job_id else None
    if job is None:
        return
    try:
        cancel_job(job=job, actor=actor)
    except JobRefused:  # it is on the wire or has ended: nobody waits for its answer any more
        return


def _version_for(run: Run, on: On) -> AutomationVersion:
    if on == "same":
        return run.version
    if run.automation.published is None:
        raise RunRefused("Nothing of this automation is published now.")
    return run.automation.published


def _cursor_for(run: Run, compiled: CompiledVersion, begin: From) -> list[Frame]:
    """Where the retry begins, in the places of that version."""
    if begin == "start":
        return start()
    places = deepcopy((run.error or {}).get("cursor") or [])
    if not places:
        raise RunRefused("No step of this run has failed; it can be retried from the start.")
    step_ids = _failed_ids(run)
    for frame, step_id in zip(places, step_ids, strict=True):
        block = compiled.blocks.get(frame["block"], ())
        found = next((n for n, step in enumerate(block) if step.id == step_id), None)
        if found is None:
            raise RunRefused(
                f"The current version has no step “{step_id}” at this place. Retry from the start, "
                "or on the version of the run."
            )
        frame["index"] = found
        frame.pop("waiting", None)
        frame.pop("attempt", None)
    return places


def _failed_ids(run: Run) -> list[str]:
    """The ids of the steps on the way to the failed one: "b/l[0]/w" → b, l, w."""
    return [part.partition("[")[0] for part in (run.error or {}).get("path", "").split("/")]


def _steps_from(compiled: CompiledVersion, cursor: Sequence[Frame]) -> set[str]:
    """What comes from a place on, whatever way branches take. Of a loop under way all steps."""
    ids: set[str] = set()
    for depth, frame in enumerate(cursor):
        is_last = depth == len(cursor) - 1
        block = compiled.blocks.get(frame["block"], ())
        begin = 0 if frame.get("items") is not None else frame["index"] + (0 if is_last else 1)
        for step in block[begin:]:
            ids.add(step.id)
            for child in _children(compiled, step):
                ids.update(inner.id for inner in _all_steps(compiled, child))
    return ids


def _all_steps(compiled: CompiledVersion, block: str) -> list[CompiledStep]:
    found: list[CompiledStep] = []
    for step in compiled.blocks.get(block, ()):
        found.append(step)
        for child in _children(compiled, step):
            found += _all_steps(compiled, child)
    return found


def _children(compiled: CompiledVersion, step: CompiledStep) -> list[str]:
    return [name for name in compiled.blocks if name == step.id or name.startswith(f"{step.id}/")]


def _checked(
    compiled: CompiledVersion, cursor: Sequence[Frame], config: Mapping[str, Any]
) -> dict[str, Any]:
    """A changed configuration, as it is kept. Raises RunRefused in words."""
    frame = cursor[-1]
    step = compiled.blocks[frame["block"]][frame["index"]]
    try:
        read = ACTIONS[step.type].Config.model_validate(dict(config))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise RunRefused(f"The changed step has a mistake: {place}: {first['msg']}.") from None
    return read.model_dump(mode="json", by_alias=True)


def _variables_for(run: Run) -> dict[str, Any]:
    """What the steps before had come to; the error is a matter of the earlier run."""
    return {
        name: deepcopy(value)
        for name, value in run.variables.items()
        if name not in ("error", "count")
    }


def _order_key(run: Run, compiled: CompiledVersion) -> str | None:
    if compiled.settings.concurrency.mode == "parallel":
        return None
    return key_of(run.automation_id, run.record_id or "")
