"""What a record's page says of automations: what they did to it and why, and what of it fired them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from django.http import HttpRequest
from django.urls import reverse

from automations.models import Run, RunStatus
from automations.runlinks import may_see_runs, run_page
from records.eventtypes import label_of
from records.models import Event, Record
from records.panels import Panel, register
from records.views.history import Change, entries_of

_MAX_RUNS: Final = 10
# Changes by runs are looked for among so many of the record's latest events.
_EVENTS: Final = 200


@dataclass(slots=True)
class PanelRun:
    """One run: what it changed in this record, in sentences and values."""

    run_id: str
    automation: str
    when: datetime
    status: str
    status_words: str
    reason: str
    # What fired it, in words.
    cause: str
    url: str
    is_test: bool
    deeds: list[str] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)


@register
def runs_of_record(request: HttpRequest, record: Record) -> Panel | None:
    """The latest runs that it fired or that changed it. Staff who may see runs see all of them, with links; others
    what was done to the record. Nothing where there is nothing. Four queries, and one for each field that refers."""
    may_see = may_see_runs(request)
    events = _events_by_runs(record)
    rows = _rows(request, _runs(record, {str(event.run_id) for event in events}))
    entries = entries_of(record.object, events)
    for event, entry in zip(events, entries, strict=True):
        if (row := rows.get(str(event.run_id))) is not None:
            row.deeds.insert(0, entry.what)
            row.changes[:0] = entry.changes
    shown = [row for row in rows.values() if may_see or row.deeds][:_MAX_RUNS]
    if not shown:
        return None
    more = f"{reverse('admin:automations_run_changelist')}?q={record.pk}" if may_see else ""
    context = {"runs": shown, "may_see": may_see, "more": more if len(rows) > len(shown) else ""}
    return Panel("automations/_record_panel.html", context, title="Automations", icon="bolt")


def _events_by_runs(record: Record) -> Sequence[Event]:
    """What runs did to the record, newest first."""
    latest = Event.objects.filter(record=record.pk).order_by("-pk").values("pk")[:_EVENTS]
    events = Event.objects.filter(pk__in=latest, run_id__isnull=False).select_related("actor")
    return list(events.order_by("-pk")[: 3 * _MAX_RUNS])


def _runs(record: Record, ids: set[str]) -> list[Run]:
    """Those that it fired and those that changed it, newest first. Two queries."""
    light = (
        Run.objects.exclude(status=RunStatus.SKIPPED)
        .select_related("automation")
        .defer("conditions", "cursor", "variables", "error", "answer", "automation__draft")
    )
    fired = light.filter(record=record.pk).order_by("-pk")[: _MAX_RUNS + 1]
    changed = light.filter(pk__in=ids) if ids else ()
    found = {run.pk: run for run in (*fired, *changed)}
    return [found[pk] for pk in sorted(found, reverse=True)]


def _rows(request: HttpRequest, runs: Sequence[Run]) -> dict[str, PanelRun]:
    return {
        run.pk: PanelRun(
            run_id=run.pk,
            automation=run.automation.name,
            when=run.created_at,
            status=run.status,
            status_words=RunStatus(run.status).label,
            reason=run.reason,
            cause=label_of(run.event_name).removeprefix("Record · "),
            url=run_page(request, run.pk),
            is_test=run.mode == "test",
        )
        for run in runs
    }
