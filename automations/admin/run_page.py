"""A run's page: what fired it and why, what its steps did, what it waits for, and what it caused."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.http import HttpRequest
from django.urls import reverse

from automations.admin.run_edits import edit_view
from automations.admin.run_steps import error_view, steps_view
from automations.admin.run_values import view_value
from automations.admin.run_words import RunLook, look_of
from automations.document import Document
from automations.findings import finding_of
from automations.history import neighbours_of
from automations.models import OPEN_STATUSES, Automation, AutomationVersion, Run, RunStatus
from automations.names import WEBHOOK_RECEIVED
from automations.tracenodes import Node, duration_of
from automations.triggers import TRIGGERS
from records.differences import Difference, differences_of
from records.eventtypes import label_of
from records.models import Event, Record
from webhooks.admin.links import admin_url, page_url

# A chain is followed so far back; a run lists so many others.
_MAX_CHAIN: Final = 10
_MAX_LISTED: Final = 10
_RETRYABLE: Final = (
    RunStatus.SUCCEEDED,
    RunStatus.FAILED,
    RunStatus.HALTED,
    RunStatus.CANCELLED,
)
_CANCELLABLE: Final = (RunStatus.PENDING, RunStatus.WAITING)


@dataclass(frozen=True, slots=True)
class Other:
    """Another run, as this one's page names it."""

    run: Run
    look: RunLook
    url: str
    event: str


@dataclass(frozen=True, slots=True)
class Act:
    """A button. A retry is a page that first says what it would do."""

    label: str
    icon: str
    url: str
    is_main: bool = False


def load_run(pk: str) -> Run | None:
    """A run with all that its page names. One query."""
    related = (
        "automation",
        "version",
        "event__object",
        "event__actor",
        "record__object",
        "started_by",
        "waiting_job",
    )
    return Run.objects.select_related(*related).filter(pk=pk).first()


def run_context(request: HttpRequest, run: Run, *, may_change: bool) -> dict[str, Any]:
    document = Document.model_validate(run.version.document)
    labels = labels_of(run)
    steps = steps_view(request, run, document, labels=labels)
    return {
        "run": run,
        "look": look_of(run),
        "is_open": run.status in OPEN_STATUSES,
        "duration_ms": duration_of(run),
        "steps": steps,
        "edit": edit_view(run),
        "error": error_view(run.error),
        "error_url": _place_of(steps.failing),
        "conditions": finding_of(run.conditions, labels),
        "has_conditions": bool(document.conditions),
        "trigger": _trigger(document),
        "acts": _acts(run) if may_change else [],
        "may_cancel": may_change and run.status in _CANCELLABLE,
        **_event(request, run),
        **_links(request, run),
        **_relatives(run),
    }


def _place_of(failing: Node | None) -> str:
    return f"#{failing.anchor}" if failing else ""


def labels_of(run: Run) -> dict[str, str]:
    """What the fields of the run's object are called."""
    definition = run.record.object if run.record else run.event.object if run.event else None
    fields = definition.schema.fields if definition else ()
    labels = {field.slug: field.label for field in fields}
    return {**labels, "stage": "Stage", "state": "State", "owner": "Owner"}


def _trigger(document: Document) -> dict[str, str]:
    """The trigger in words; of one that is not installed any more, its name."""
    part = document.trigger
    trigger = TRIGGERS.get(part.type)
    if trigger is None:
        return {
            "label": part.type,
            "line": "It is not installed any more.",
            "icon": "extension_off",
        }
    line = trigger.describe(trigger.Config.model_validate(part.config))
    return {"label": trigger.label, "line": line, "icon": trigger.icon}


def _acts(run: Run) -> list[Act]:
    """As far as this installation has the page."""
    url = page_url("admin:automations_run_retry", run.pk)
    if not url or run.status not in _RETRYABLE:
        return []
    acts = [Act("Retry from the start", "replay", f"{url}?begin=start")]
    if (run.error or {}).get("cursor"):
        first = Act("Retry from the failed step", "resume", f"{url}?begin=failed_step", True)
        acts.insert(0, first)
    return acts


# --- what it comes from -----------------------------------------------------------------------


def _event(request: HttpRequest, run: Run) -> dict[str, Any]:
    event = run.event
    is_request = event is not None and event.type == WEBHOOK_RECEIVED
    differences = _differences(event) if event and not is_request else []
    return {
        "event": event,
        "event_label": label_of(run.event_name).removeprefix("Record · "),
        "event_url": admin_url(request, Event, run.event_id),
        "event_actor": _actor(event),
        "differences": differences,
        "is_new": not any(each.before for each in differences),
        "received": view_value(event.after) if event and is_request else None,
    }


def _differences(event: Event) -> list[Difference]:
    """Of a creation and a deletion, what there is."""
    return [each for each in differences_of(event) if each.before or each.after]


def _actor(event: Event | None) -> str:
    if event is None:
        return ""
    return str(event.actor) if event.actor else event.actor_label or "Signalbox"


def _links(request: HttpRequest, run: Run) -> dict[str, Any]:
    history = reverse("admin:automations_run_changelist")
    record = run.record
    before, after = neighbours_of(run)
    return {
        "automation_url": admin_url(request, Automation, run.automation_id),
        "version_url": admin_url(request, AutomationVersion, run.version_id),
        "record_url": admin_url(request, Record, run.record_id),
        "record_page_url": (
            page_url("record_detail", record.object.slug, record.pk) if record else ""
        ),
        "waiting_job_url": page_url("admin:webhooks_webhookjob_change", run.waiting_job_id)
        if run.waiting_job_id
        else "",
        "earlier_url": run_url(before) if before else "",
        "later_url": run_url(after) if after else "",
        "history_of_automation": f"{history}?automation={run.automation_id}",
        "history_of_record": f"{history}?q={run.record_id}" if run.record_id else "",
        "history_of_caused": f"{history}?cause={run.pk}",
    }


def _relatives(run: Run) -> dict[str, Any]:
    """The runs that led to this one, oldest first; those that it caused; its retries."""
    caused = _others(Run.objects.filter(caused_by=run.pk))
    return {
        "chain": _chain(run),
        "caused": caused[:_MAX_LISTED],
        "has_more_caused": len(caused) > _MAX_LISTED,
        "retry_of_url": run_url(run.retry_of_id) if run.retry_of_id else "",
        "retries": _others(Run.objects.filter(retry_of=run.pk))[:_MAX_LISTED],
    }


def _chain(run: Run) -> Sequence[Other]:
    """One query for each, up to a bound."""
    found: list[Other] = []
    pk = run.caused_by_id
    while pk is not None and len(found) < _MAX_CHAIN:
        other = _listed(Run.objects.filter(pk=pk)).first()
        if other is None:
            break
        found.insert(0, _other(other))
        pk = other.caused_by_id
    return found


def _others(runs: Any) -> list[Other]:
    return [_other(run) for run in _listed(runs.order_by("-pk"))[: _MAX_LISTED + 1]]


def _listed(runs: Any) -> Any:
    heavy = ("conditions", "cursor", "variables", "error", "answer", "automation__draft")
    return runs.select_related("automation").defer(*heavy)


def _other(run: Run) -> Other:
    return Other(run, look_of(run), run_url(run.pk), label_of(run.event_name))


def run_url(pk: str) -> str:
    return reverse("admin:automations_run_change", args=[pk])
