"""The page before a run is retried: from where, on which version, what runs again, what is left out, what may be
noticed outside; and the failed step, to be changed for this once."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, cast

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from automations.admin.frame import framed
from automations.admin.releases import release_records
from automations.admin.retry_editor import NO_STATE, Editor, editor_of
from automations.admin.retry_steps import StepLine, lines_of
from automations.admin.run_page import load_run, run_url
from automations.admin.run_steps import error_view
from automations.admin.run_values import view_value
from automations.admin.run_words import look_of
from automations.exceptions import RunRefused
from automations.models import (
    OPEN_STATUSES,
    Automation,
    AutomationState,
    Run,
    RunStatus,
    StepRun,
    StepStatus,
)
from automations.services import RetryPlan, plan_retry, retry_run
from automations.services.retry_plans import From, On
from records.models import User
from records.permissions import can
from webhooks.admin.filters import clean_id
from webhooks.admin.links import can_view
from webhooks.admin.live import wants_part

if TYPE_CHECKING:
    from automations.admin.runs import RunAdmin

FOLDER: Final = "admin/automations/retry"


@dataclass(frozen=True, slots=True)
class Choice:
    """What a person has chosen; what an address or a form does not say, or says wrongly, is the careful choice."""

    begin: From
    on: On

    @classmethod
    def of(cls, values: QueryDict, *, has_failed: bool) -> "Choice":
        begin: From = "start" if values.get("begin") == "start" or not has_failed else "failed_step"
        on: On = "current" if values.get("on") == "current" else "same"
        return cls(begin, on)


class RetryPage:
    """One run is retried."""

    def __init__(self, model_admin: "RunAdmin") -> None:
        self.admin = model_admin

    def urls(self) -> list[URLPattern]:
        view = self.admin.admin_site.admin_view(self.view)
        return [path("<str:object_id>/retry/", view, name="automations_run_retry")]

    def view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        self.admin.require_change(request)
        pk = clean_id(Run, object_id)
        run = load_run(pk) if pk else None
        if run is None:
            return self.admin.no_such_run(request, object_id)
        if words := _why_not(run):
            messages.warning(request, words)
            return HttpResponseRedirect(run_url(run.pk))
        values = request.POST if request.method == "POST" else request.GET
        choice = Choice.of(values, has_failed=bool((run.error or {}).get("cursor")))
        plan = plan_retry(run=run, begin=choice.begin, on=choice.on)
        # Whoever may not see the automation does not see what is written in it.
        may_edit = can_view(request, Automation)
        editor = None
        if may_edit and choice.begin == "failed_step" and not plan.refusal:
            editor = editor_of(run, plan.version, choice.on, values, cast(User, request.user))
        problem = editor.problem if editor else ""
        if request.method == "POST" and "confirmed" in request.POST:
            try:
                return self._retry(request, run, choice, editor)
            except RunRefused as refusal:
                problem = str(refusal)
        context = {
            **_context(request, run, choice, plan),
            "editor": editor,
            "state_json": editor.state_json() if editor else NO_STATE,
            "problem": problem,
            "release": "release" in values,
        }
        if wants_part(request):
            return TemplateResponse(request, f"{FOLDER}/_part.html", context)
        return framed(
            self.admin, request, "retry/one.html", title=f"Retry: {run.automation}", **context
        )

    def _retry(
        self, request: HttpRequest, run: Run, choice: Choice, editor: Editor | None
    ) -> HttpResponse:
        user = cast(User, request.user)
        config = editor.chosen() if editor else None
        under_way = run.retries.open().exists()
        with transaction.atomic():  # no worker finds the retry before the record is released
            fresh = retry_run(run=run, actor=user, begin=choice.begin, on=choice.on, config=config)
            if "release" in request.POST and _may_release(request, run) and run.record:
                release_records(request, [run.record])
        if under_way:
            messages.info(request, "A retry of that run was under way already; this is it.")
        else:
            messages.success(request, "The run is tried again; this is the new run.")
        return HttpResponseRedirect(run_url(fresh.pk))


def _context(request: HttpRequest, run: Run, choice: Choice, plan: RetryPlan) -> dict[str, Any]:
    lines = lines_of(plan, choice.begin)
    return {
        "run": run,
        "run_url": run_url(run.pk),
        "look": look_of(run),
        "choice": choice,
        "plan": plan,
        "lines": lines,
        "counts": _counts(lines),
        "has_failed": bool((run.error or {}).get("cursor")),
        "error": error_view(run.error),
        "failed": _failed_step(run),
        "current": run.automation.published,
        "is_current": run.automation.published_id == run.version_id,
        "is_paused": run.automation.state == AutomationState.PAUSED,
        "under_way": run.retries.open().first(),
        "is_retried": run.retries.exists(),
        "in_quarantine": bool(run.record and run.record.quarantined_at),
        "may_release": _may_release(request, run),
        "quarantine_url": reverse("admin:automations_quarantine"),
    }


def _counts(lines: list[StepLine]) -> dict[str, int]:
    return {
        "left_out": sum(line.state == "done" for line in lines),
        "runs": sum(line.step.again for line in lines),
        # Which way branches take is not known before.
        "may": sum(line.step.again and line.step.depth > 0 and not line.is_first for line in lines),
        "repeats": sum(line.state == "again" and line.step.is_outside for line in lines),
        "outside": sum(line.step.again and line.step.is_outside for line in lines),
    }


def _failed_step(run: Run) -> dict[str, Any] | None:
    """What the failed step was given, as it was worked out."""
    where = (run.error or {}).get("path")
    if not where:
        return None
    rows = StepRun.objects.filter(run=run, path=where, status=StepStatus.FAILED)
    row = rows.order_by("-pk").first()
    return {"path": where, "input": view_value(row.input) if row else None}


def _why_not(run: Run) -> str:
    if run.status in OPEN_STATUSES:
        return "The run has not ended yet; it can be retried when it has."
    if run.status == RunStatus.SKIPPED:
        return "The run did not fire, so there is nothing to retry."
    return ""


def _may_release(request: HttpRequest, run: Run) -> bool:
    record = run.record
    return bool(
        record and record.quarantined_at and can(cast(User, request.user), "change", record.object)
    )
