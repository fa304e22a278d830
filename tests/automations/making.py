"""Short ways to make what the tests of automations are about."""

from collections.abc import Sequence
from typing import Any

from django.utils import timezone

from automations.batches import advance_ready_runs
from automations.models import Automation, AutomationState, AutomationVersion, Run, StepRun
from automations.services import create_automation, publish, set_state
from records.dispatch import dispatch_events
from records.models import ObjectDefinition, Record
from records.services import create_record
from tests.records.making import make_object
from webhooks.endings import tell_of_ended
from webhooks.models import Direction, JobStatus, RequestLog, WebhookJob

ON_CREATED = {"type": "event", "config": {"event": "record.created", "object": "leads"}}


def make_leads() -> ObjectDefinition:
    """Leads with a link to companies, a user, and fields of several kinds; stages New → Contacted → Won."""
    make_object("companies", {"slug": "name"}, {"slug": "city"}, stages="")
    return make_object(
        "leads",
        {"slug": "name", "required": True},
        {"slug": "email", "kind": "email"},
        {"slug": "amount", "kind": "currency", "options": {"currency": "EUR"}},
        {"slug": "status"},
        {"slug": "follow_up_count", "kind": "number"},
        {"slug": "last_contacted_at", "kind": "datetime"},
        {"slug": "tags", "kind": "json"},
        {"slug": "company", "kind": "link", "options": {"object": "companies"}},
        {"slug": "manager", "kind": "user"},
        stages="new contacted won",
    )


def make_company(**data: Any) -> Record:
    companies = ObjectDefinition.objects.get(slug="companies")
    return create_record(object_definition=companies, data={"name": "Acme", **data})


def make_lead(**data: Any) -> Record:
    """A lead; `stage`, `state` and `owner` go to the record, the rest to its fields."""
    leads = ObjectDefinition.objects.get(slug="leads")
    attributes = {key: data.pop(key) for key in ("stage", "state", "owner") if key in data}
    return create_record(object_definition=leads, data={"name": "Ada", **data}, **attributes)


def step(kind: str, step_id: str = "s1", /, **config: Any) -> dict[str, Any]:
    """A step; `on_error`, `retry_delays_s` (but not of a webhook), `disabled` and `name_` are the step's own."""
    names = ["on_error", "disabled", *(["retry_delays_s"] if kind != "webhook" else [])]
    own = {name: config.pop(name) for name in names if name in config}
    if "name_" in config:
        own["name"] = config.pop("name_")
    return {"id": step_id, "type": kind, "config": config, **own}


def make_automation(
    *steps: dict[str, Any],
    trigger: dict[str, Any] | None = None,
    conditions: dict[str, Any] | None = None,
    settings: dict[str, Any] | None = None,
    name: str = "Welcome",
    state: str = AutomationState.ACTIVE,
    checked: bool = True,
) -> Automation:
    """Published and active: it reacts to new leads unless told otherwise.

    Without `checked` it may have mistakes, as if objects and people had changed since it was published.
    """
    document = {
        "trigger": trigger or ON_CREATED,
        "conditions": conditions,
        "steps": list(steps),
        "settings": settings or {},
    }
    if checked:
        automation = create_automation(name=name, draft=document)
        publish(automation=automation)
    else:
        automation = create_automation(name=name)
        automation.published = AutomationVersion.objects.create(
            automation=automation, number=1, document=document, published_at=timezone.now()
        )
        automation.save()
    return set_state(automation=automation, state=state)


def work() -> None:
    """What workers do until nothing is left for now: events are dispatched, runs advanced. Nothing is sent."""
    while dispatch_events() + advance_ready_runs():
        pass


def run_of(automation: Automation) -> Run:
    """Its only run that fired."""
    return Run.objects.exclude(status="skipped").get(automation=automation)


def run_once(*steps: dict[str, Any], record: dict[str, Any] | None = None, **values: Any) -> Run:
    """Make an automation of these steps and a lead that fires it, and go as far as it goes now."""
    if not ObjectDefinition.objects.filter(slug="leads").exists():
        make_leads()
    automation = make_automation(*steps, **values)
    make_lead(**(record or {}))
    work()
    return run_of(automation)


def steps_of(run: Run) -> list[StepRun]:
    return list(run.steps.order_by("id"))


def step_of(run: Run, path: str = "s1") -> StepRun:
    """The latest execution of the step at a path."""
    found = run.steps.filter(path=path).order_by("-id").first()
    assert found is not None, [each.path for each in steps_of(run)]
    return found


def end_job(
    job: WebhookJob,
    *,
    status_code: int | None = 200,
    body: str = "{}",
    headers: Sequence[tuple[str, str]] = (("Content-Type", "application/json"),),
    error_kind: str = "",
    error: str = "",
    truncated: bool = False,
    status: str = "",
) -> None:
    """As if the job had been sent, with its last attempt's answer; then whoever waits for it is told."""
    now = timezone.now()
    job.status = status or (
        JobStatus.SUCCEEDED
        if status_code is not None and 200 <= status_code < 300 and not error_kind
        else JobStatus.FAILED
    )
    job.attempts += 1
    job.status_code, job.error_kind, job.error = status_code, error_kind, error
    job.next_attempt_at, job.finished_at = None, now
    job.save()
    RequestLog.objects.create(
        direction=Direction.OUT,
        job=job,
        attempt=job.attempts,
        method=job.method,
        url=job.url,
        status_code=status_code,
        response_headers=[list(pair) for pair in headers],
        response_body=body,
        response_truncated=truncated,
        error_kind=error_kind,
        error=error,
        started_at=now,
    )
    tell_of_ended([job.pk])
