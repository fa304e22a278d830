"""The steps of a run on its page: which of their rows are read, and what is shown of each."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.http import HttpRequest
from django.urls import reverse
from django.utils.safestring import SafeString

from automations.admin.run_values import ChangeTeller, RecordChanges, ValueView, view_value
from automations.document import Document
from automations.models import Run, StepRun, StepStatus
from automations.tracenodes import Node, Trace
from automations.traces import trace_of
from webhooks.admin.bodies import with_code
from webhooks.admin.links import can_view, page_url
from webhooks.models import RequestLog, WebhookJob
from webhooks.summaries import Summary, hint_of, summary_of

# A run has at most 10,000 steps; the page is made of the first of them.
MAX_ROWS: Final = 2_000
# So many steps have what they were given and left on the page; of the others it is fetched when they are opened.
MAX_FULL: Final = 30
# Attempts of failed jobs whose answers are read.
_MAX_LOGS: Final = 200
_HEAVY: Final = ("input", "output", "error", "changes")
_WITH_BLOCKS: Final = ("branch", "for_each")


@dataclass(frozen=True, slots=True)
class JobView:
    job: WebhookJob
    summary: Summary
    url: str
    hint: str


@dataclass(frozen=True, slots=True)
class ErrorView:
    """Why a step failed: the field and the expression, and where in it."""

    words: SafeString
    field: str
    expression: str
    column: int

    @property
    def pointer(self) -> str:
        """Blanks up to the column, under a short expression of one line."""
        is_short = "\n" not in self.expression and 0 < self.column <= len(self.expression) <= 100
        return " " * (self.column - 1) if is_short else ""


@dataclass(frozen=True, slots=True)
class Detail:
    """One execution of a step, opened."""

    row: StepRun
    input: ValueView | None
    output: ValueView | None
    records: Sequence[RecordChanges]
    error: ErrorView | None
    job: JobView | None
    # Of a request that failed, what came back; else it is in the output.
    answer: ValueView | None
    url: str


@dataclass(frozen=True, slots=True)
class StepsView:
    """`details` are those of the executions that are shown in full, by the row's id."""

    trace: Trace
    details: Mapping[str, Detail]
    failing: Node | None
    # Steps that were executed, and whether there are more than the page is made of: `shown` at most.
    count: int
    is_cut: bool
    shown: int = MAX_ROWS


def steps_view(
    request: HttpRequest,
    run: Run,
    document: Document,
    *,
    within: str = "",
    labels: Mapping[str, str] | None = None,
) -> StepsView:
    """Five queries at most, whatever the run's length. `within`: only those of one item of a loop, such as "l[12]"."""
    found = StepRun.objects.filter(run=run)
    if within:
        found = found.filter(path__startswith=f"{within}/")
    rows = list(found.defer(*_HEAVY).order_by("pk")[: MAX_ROWS + 1])
    is_cut = len(rows) > MAX_ROWS
    rows = rows[:MAX_ROWS]
    full = _full_rows(rows)
    shown = [full.get(row.pk) or _emptied(row) for row in rows]
    trace = trace_of(run, document, shown, labels=labels)
    details = details_of(request, list(full.values()))
    failing = next((node for node in trace.all_nodes() if node.is_failing), None)
    return StepsView(trace, details, failing, len(rows), is_cut)


def _full_rows(rows: Sequence[StepRun]) -> dict[str, StepRun]:
    """What is shown in full: what failed or waits, what has steps inside, and the first ones."""
    notable = (StepStatus.FAILED, StepStatus.WAITING, StepStatus.ENDED)
    chosen = [row.pk for row in rows if row.status in notable][: MAX_FULL // 2]
    chosen += [row.pk for row in rows if row.type in _WITH_BLOCKS][:MAX_ROWS]
    chosen += [row.pk for row in rows][:MAX_FULL]
    return {row.pk: row for row in StepRun.objects.filter(pk__in=set(chosen)).order_by("pk")}


def _emptied(row: StepRun) -> StepRun:
    """Nothing of it is read one by one."""
    row.input = row.output = row.error = None
    row.changes = []
    return row


def details_of(
    request: HttpRequest, rows: Iterable[StepRun], *, is_whole: bool = False
) -> dict[str, Detail]:
    """Three queries: the jobs, the answers of those that failed, and the objects whose records were changed."""
    rows = list(rows)
    jobs = _jobs(request, {row.job_id for row in rows if row.job_id})
    answers = _answers({row.job_id for row in rows if row.job_id and row.error})
    teller = ChangeTeller(request, [row.changes for row in rows])
    return {
        row.pk: Detail(
            row=row,
            input=view_value(row.input, is_whole=is_whole),
            output=view_value(_shown_output(row), is_whole=is_whole),
            records=teller.records(row.changes),
            error=error_view(row.error),
            job=jobs.get(row.job_id or ""),
            answer=view_value(answers.get(row.job_id or ""), is_whole=is_whole),
            url=reverse("admin:automations_run_step", args=[row.run_id, row.pk]),
        )
        for row in rows
    }


def error_view(error: Mapping[str, Any] | None) -> ErrorView | None:
    if not error:
        return None
    return ErrorView(
        words=with_code(str(error.get("message", ""))),
        field=str(error.get("field") or ""),
        expression=str(error.get("expression") or ""),
        column=int(error.get("column") or 0),
    )


def _shown_output(row: StepRun) -> Any:
    """What a branch asked is shown as a tree, beside its arms."""
    if row.type == "branch" and isinstance(row.output, dict):
        return None
    return row.output


def _answers(job_ids: set[str]) -> dict[str, str]:
    """The body of each job's latest answer."""
    logs = (
        RequestLog.objects.filter(job__in=job_ids)
        .order_by("pk")
        .only("job", "response_body")[:_MAX_LOGS]
    )
    return {str(log.job_id): log.response_body for log in logs} if job_ids else {}


def _jobs(request: HttpRequest, ids: set[str]) -> dict[str, JobView]:
    may_open = can_view(request, WebhookJob)
    found = WebhookJob.objects.filter(pk__in=ids).defer("body", "headers") if ids else ()
    return {job.pk: _job_view(job, may_open=may_open) for job in found}


def _job_view(job: WebhookJob, *, may_open: bool) -> JobView:
    result = {"status_code": job.status_code, "error_kind": job.error_kind}
    return JobView(
        job=job,
        summary=summary_of(status=job.status, error=job.error, **result),  # type: ignore[arg-type]
        url=page_url("admin:webhooks_webhookjob_change", job.pk) if may_open else "",
        hint=hint_of(is_success=job.status == "succeeded", **result),  # type: ignore[arg-type]
    )
