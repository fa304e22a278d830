"""What people do to runs: retry from the failed step or from the start, and cancel."""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any

from django.db import transaction
from django.utils import timezone

from automations.compiled import CompiledVersion, compiled_version, current_index
from automations.concurrency import key_of
from automations.cursors import Frame
from automations.exceptions import RunHasEnded, RunIsRunning, RunRefused
from automations.failures import settle_finished
from automations.models import (
    OPEN_STATUSES,
    AutomationVersion,
    BulkRerun,
    Run,
    RunStatus,
    StepRun,
    StepStatus,
)
from automations.services.retry_edits import (
    checked_config,
    config_of_run,
    edit_of,
    editable_config,
)
from automations.services.retry_plans import (
    From,
    On,
    cursor_for,
    refuse_in_bulk,
    refuse_to_retry,
    version_for,
)
from config.queues import ring_on_commit
from records.models import User
from webhooks.exceptions import JobRefused
from webhooks.models import WebhookJob
from webhooks.services import cancel_job


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

    `config`: the failed step's configuration, changed for this once; without one it is what the run had. A second
    click finds the retry that is under way, and gives that.
    """
    current_index()
    locked = (
        Run.objects.select_for_update(of=("self",))
        .select_related("automation", "version")
        .get(pk=run.pk)
    )
    refuse_to_retry(locked)
    if (under_way := locked.retries.open().first()) is not None:
        return under_way
    fresh = _retry_of(locked, actor, begin, on, config)
    fresh.save(force_insert=True)
    ring_on_commit("runs")
    return fresh


@transaction.atomic
def retry_runs(
    *,
    ids: Sequence[str],
    actor: User | None,
    begin: From = "failed_step",
    on: On = "same",
    bulk: BulkRerun | None = None,
) -> tuple[list[Run], int]:
    """Retry many, oldest first, in a fixed number of queries. The new runs, and how many were left alone; one that was
    retried before is."""
    current_index()
    found = (
        Run.objects.filter(pk__in=ids)
        .select_related("automation__published", "version")
        .order_by("pk")
        .select_for_update(of=("self",))
    )
    runs = list(found)
    # Asked once they are locked: whoever retries one of them by hand comes before, or finds the retry.
    retried = set(Run.objects.filter(retry_of__in=ids).values_list("retry_of_id", flat=True))
    fresh: list[Run] = []
    for run in runs:
        try:
            refuse_in_bulk(run, is_retried=run.pk in retried)
            fresh.append(_retry_of(run, actor, begin, on, None))
        except RunRefused:
            continue
    for run in fresh:
        run.bulk = bulk
    Run.objects.bulk_create(fresh)
    if fresh:
        ring_on_commit("runs")
    return fresh, len(set(ids)) - len(fresh)


def _retry_of(
    run: Run, actor: User | None, begin: From, on: On, config: Mapping[str, Any] | None
) -> Run:
    """The new run, not saved yet; the old one is locked. Raises RunRefused."""
    version = version_for(run, on)
    compiled = compiled_version(version)
    cursor = cursor_for(run, compiled, begin)
    edited = _edit(run, version, cursor, actor, config) if begin == "failed_step" else None
    now = timezone.now()
    return Run(
        automation=run.automation,
        version=version,
        event_id=run.event_id,
        event_name=run.event_name,
        record_id=run.record_id,
        mode=run.mode,
        caused_by_id=run.caused_by_id,
        depth=run.depth,
        retry_of=run,
        started_by=actor,
        edited=edited,
        conditions=run.conditions,
        cursor=cursor,
        variables=_variables_for(run) if begin == "failed_step" else {},
        due_at=now,
        order_key=_order_key(run, compiled),
        created_at=now,
    )


@transaction.atomic
def cancel_run(*, run: Run, actor: User | None) -> Run:
    """Give up a run that is pending or waits, with the request it waits for. Raises RunRefused."""
    # First the job: whoever sends it locks it before the run that it wakes.
    waiting_job = Run.objects.filter(pk=run.pk).values_list("waiting_job", flat=True).get()
    list(WebhookJob.objects.filter(pk=waiting_job).select_for_update().values("pk"))
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


def _edit(
    run: Run,
    version: AutomationVersion,
    cursor: list[Frame],
    actor: User | None,
    config: Mapping[str, Any] | None,
) -> dict[str, Any] | None:
    """Put the changed step into the cursor. What is kept with the retry: who changed what in it."""
    by = str(actor or "")
    if config is None:
        config = config_of_run(run, version)
        if config is None or config == editable_config(run, version):
            return None
        by = (run.edited or {}).get("by", "")
    checked = checked_config(run, version, config)
    edit = edit_of(run, version, checked, by)
    if edit is not None:
        cursor[-1]["config"] = checked
    return edit


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
