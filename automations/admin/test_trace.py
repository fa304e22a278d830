"""A dry run as its page shows it: like a run, without what the person may not see, and without pages of its own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from django.http import HttpRequest

from automations.admin.run_steps import Detail, ErrorView, StepsView, details_of, error_view
from automations.admin.run_values import RecordChanges
from automations.admin.run_words import RunLook, look_of
from automations.admin.test_sight import looks_behind
from automations.backtests import labels_of
from automations.document import Document
from automations.dryrun import Consequence, DryRun
from automations.findings import Finding, finding_of
from automations.models import Automation, Run, RunStatus, StepRun
from automations.samples import Sample
from automations.traces import trace_of
from records.eventtypes import label_of
from records.models import Record, User
from records.permissions import visible_objects
from webhooks.admin.links import admin_url

# Of a longer trace some is shown.
MAX_ROWS: Final = 300
_MAY_NOT_SEE: Final = "What it did is not shown: you may not see the records that it changes."


@dataclass(frozen=True, slots=True)
class SetOff:
    """Another automation that would fire; `url` is empty for who may not open it."""

    name: str
    event: str
    url: str
    is_itself: bool


@dataclass(frozen=True, slots=True)
class Trial:
    """`steps` has what the templates of runs want; `refusal` is why it would not have fired."""

    run: Run
    sample: Sample
    look: RunLook
    refusal: str
    is_forced: bool
    conditions: Finding | None
    steps: StepsView
    error: ErrorView | None
    sets_off: Sequence[SetOff]
    # Whether values are left out, because they may be of records that the person may not see.
    is_veiled: bool
    duration_ms: int
    event_label: str


def trial_of(
    request: HttpRequest, tried: DryRun, document: Mapping[str, Any], sample: Sample, user: User
) -> Trial:
    labels = labels_of(sample.event.object)
    is_veiled = looks_behind(document, sample.event.object, user)
    rows = _shown(tried.steps)
    if is_veiled:
        _veil(tried.run, rows)
    trace = trace_of(
        tried.run,
        Document.model_validate(dict(document)),
        rows,
        shown_items=MAX_ROWS,
        labels=labels,
    )
    failing = next((node for node in trace.all_nodes() if node.is_failing), None)
    return Trial(
        run=tried.run,
        sample=sample,
        look=_look(tried.run),
        refusal=tried.refusal,
        is_forced=bool(tried.refusal) and tried.run.status != RunStatus.SKIPPED,
        conditions=None if is_veiled else finding_of(tried.run.conditions, labels),
        steps=StepsView(
            trace=trace,
            details=_details(request, rows, user),
            failing=failing,
            count=len(tried.steps),
            is_cut=len(tried.steps) > MAX_ROWS,
            shown=MAX_ROWS,
        ),
        error=error_view(tried.run.error),
        sets_off=[_set_off(request, each, tried.run) for each in tried.sets_off],
        is_veiled=is_veiled,
        duration_ms=round(tried.seconds * 1000),
        event_label=label_of(tried.run.event_name),
    )


def _shown(rows: Sequence[StepRun]) -> list[StepRun]:
    """Of many, what stands outside of loops and what failed; then those that were first."""
    outside = [row.pk for row in rows if "[" not in row.path]
    failed = [row.pk for row in rows if row.error]
    chosen = set([*dict.fromkeys([*outside, *failed, *(row.pk for row in rows)])][:MAX_ROWS])
    return [row for row in rows if row.pk in chosen]


def _veil(run: Run, rows: Sequence[StepRun]) -> None:
    """Take out all that may tell a value; where it failed is still told."""
    words = "The reason is not shown."
    for row in rows:
        row.input, row.note, row.changes = None, "", []
        row.output = _arm_taken(row)
        row.error = {"message": words} if row.error else None
    if run.error:
        run.error, run.reason = {**run.error, "message": words, "expression": ""}, words


def _arm_taken(row: StepRun) -> dict[str, Any] | None:
    """Of a branch, without what it asked."""
    is_branch = row.type == "branch" and isinstance(row.output, dict)
    return {"arm": row.output.get("arm")} if is_branch and row.output else None


def _look(run: Run) -> RunLook:
    """What it would have come to."""
    words = {
        RunStatus.SUCCEEDED: "Would succeed",
        RunStatus.FAILED: "Would fail",
        RunStatus.HALTED: "Would be halted",
        RunStatus.SKIPPED: "Would not fire",
        RunStatus.CANCELLED: "Cut off",
    }
    look = look_of(run)
    return RunLook(look.tone, look.icon, words.get(RunStatus(run.status), look.text))


def _details(request: HttpRequest, rows: Sequence[StepRun], user: User) -> dict[str, Detail]:
    """Without links to pages that there are none of: those of the steps, and of records that were made and unmade."""
    visible = set(visible_objects(user).values_list("slug", flat=True))
    touched = {str(change["record"]) for row in rows for change in row.changes}
    real = set(Record.objects.filter(pk__in=touched).values_list("pk", flat=True))
    details = {}
    for pk, detail in details_of(request, rows).items():
        shown = replace(detail, url="", answer=None)
        if any(change["object"] not in visible for change in detail.row.changes):
            shown = replace(shown, input=None, output=None, records=[_hidden()])
        else:
            shown = replace(shown, records=[_linked(each, real) for each in detail.records])
        details[pk] = shown
    return details


def _hidden() -> RecordChanges:
    return RecordChanges(_MAY_NOT_SEE, "", "", [])


def _linked(changes: RecordChanges, real: set[str]) -> RecordChanges:
    is_real = any(pk in changes.url for pk in real)
    return changes if is_real else replace(changes, url="")


def _set_off(request: HttpRequest, each: Consequence, run: Run) -> SetOff:
    is_itself = each.automation_id == run.automation_id
    url = "" if is_itself else admin_url(request, Automation, each.automation_id)
    return SetOff(each.name, label_of(each.event_name), url, is_itself)
