"""A record's page: values, stages, actions, tasks, discussion, history, and the panels of other apps."""

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from records.commands import commands_for
from records.models import ObjectDefinition, Record, RecordState, Stage
from records.panels import panels_for
from records.permissions import Action, visible_objects
from records.views.comments import Discussion, people_of
from records.views.history import History
from records.views.layout import allowed_actions, object_for, record_for, render_page
from records.views.tasks import RecordTasks
from records.views.values import Shower


@login_required
@require_safe
def record_detail(request: HttpRequest, slug: str, record_id: str) -> HttpResponse:
    object_definition = object_for(request, slug)
    record = record_for(object_definition, record_id)
    objects = list(visible_objects(request.user))
    shower = Shower(object_definition, [record.data], visible={item.slug for item in objects})
    may = _possible(record, allowed_actions(request, object_definition))
    people = people_of(record)
    context: dict[str, Any] = {
        "objects": objects,
        "object": object_definition,
        "record": record,
        "values": shower.values(record),
        "steps": _steps(object_definition, record),
        "stage": next((s for s in object_definition.schema.stages if s.slug == record.stage), None),
        "may": may,
        "tasks": RecordTasks(request, record, people, may_change="change" in may),
        "discussion": Discussion(request, record, people),
        "history": History(record),
        "panels": panels_for(request, record),
        "commands": [] if record.deleted_at else commands_for(request.user, object_definition),
    }
    return render_page(request, "records/record.html", context, section=slug)


@login_required
@require_safe
def record_history(request: HttpRequest, slug: str, record_id: str) -> HttpResponse:
    """A further page of the history; the record's page takes it in where scripts run."""
    object_definition = object_for(request, slug)
    record = record_for(object_definition, record_id)
    context = {
        "object": object_definition,
        "record": record,
        "history": History(record, request.GET.get("page", "")),
    }
    return render_page(request, "records/history.html", context, section=slug)


def _steps(object_definition: ObjectDefinition, record: Record) -> list[tuple[Stage, bool, bool]]:
    """Stage, whether the record is there, whether it lies behind it."""
    slugs = [stage.slug for stage in object_definition.schema.stages]
    here = slugs.index(record.stage) if record.stage in slugs else -1
    return [
        (stage, position == here, position < here)
        for position, stage in enumerate(object_definition.schema.stages)
    ]


def _possible(record: Record, actions: set[Action]) -> set[str]:
    """What the user may do and the record's state lets happen."""
    allowed: set[str] = {*actions}
    if record.deleted_at is not None:
        return {"restore"} if "delete" in allowed else set()
    possible = allowed & {"delete"}
    if record.quarantined_at is not None and "change" in allowed:
        possible |= {"release"}
    if record.state == RecordState.CLOSED:
        return possible | ({"reopen"} if "close" in allowed else set())
    possible |= allowed & {"change", "move"}
    if record.state == RecordState.DRAFT:
        return possible | ({"submit"} if "change" in allowed else set())
    return possible | (allowed & {"close"})
