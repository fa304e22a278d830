"""The list of runs: tabs, filters, rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.db.models import Count as CountOf
from django.db.models import F
from django.http import HttpRequest
from django.utils import timezone

from automations.admin.run_filters import ERROR_KINDS, MODES, STATUSES, Asked, read_address
from automations.admin.run_page import run_url
from automations.admin.run_words import RunLook, look_of, result_of
from automations.history import RunsPage, Tab, count_tabs, page_of
from automations.models import OPEN_STATUSES, Automation, Run, RunStatus, StepRun
from automations.tracenodes import duration_of
from records.eventtypes import label_of
from records.models import Event, Record
from webhooks.admin.filters import PERIODS
from webhooks.admin.links import can_view, page_url
from webhooks.admin.tabs import TabLink
from webhooks.history import Count

TAB_LABELS: Final = {
    Tab.ALL: ("All runs", "history"),
    Tab.FAILURES: ("Failures", "error"),
    Tab.WAITING: ("Waiting", "hourglass_top"),
    Tab.NOT_FIRED: ("Not fired", "do_not_disturb_on"),
}
# The drop-down of automations names no more than this.
_MAX_AUTOMATIONS: Final = 300
# The steps of a longer run are not counted.
STEPS_CAP: Final = 500


@dataclass(frozen=True, slots=True)
class Row:
    run: Run
    look: RunLook
    result: str
    steps: Count | None
    duration_ms: int | None
    url: str
    automation_url: str
    event_label: str
    event_url: str
    subject: str
    record_url: str


def list_context(request: HttpRequest) -> dict[str, Any]:
    """Everything the list shows, with a number of queries that does not depend on how much there is."""
    asked = read_address(request.GET, timezone.now())
    page = page_of(asked.query, before=asked.before, after=asked.after)
    counts = count_tabs(asked.query)
    return {
        "asked": asked,
        "tabs": _tabs(asked, counts),
        "rows": _rows(request, page),
        "page": page,
        "newer_address": asked.address(after=page.newer or ""),
        "older_address": asked.address(before=page.older or ""),
        "newest_address": asked.address(),
        "is_open": bool(counts[Tab.WAITING].number)
        or any(run.status in OPEN_STATUSES for run in page.runs),
        "empty": _empty_words(asked),
    }


def filter_context(asked: Asked) -> dict[str, Any]:
    """The drop-downs. Not needed when only the rows are asked for."""
    automations = list(
        Automation.objects.order_by("name").values_list("pk", "name")[:_MAX_AUTOMATIONS]
    )
    chosen = asked.values["automation"]
    if chosen and chosen not in {pk for pk, _ in automations}:
        automations.append((chosen, chosen))
    return {
        "automation_choices": automations,
        "status_choices": list(STATUSES.items()) if asked.query.tab == Tab.ALL else [],
        "mode_choices": list(MODES.items()),
        "error_choices": list(ERROR_KINDS.items()),
        "period_choices": [(name, label) for name, (label, _) in PERIODS.items()],
        "unfiltered_address": "?tab=" + asked.query.tab,
    }


def _tabs(asked: Asked, counts: Mapping[Tab, Count]) -> list[TabLink]:
    return [
        TabLink(
            tab=tab,
            label=label,
            icon=icon,
            address=asked.address(tab=tab),
            count=counts[tab],
            is_active=tab == asked.query.tab,
        )
        for tab, (label, icon) in TAB_LABELS.items()
    ]


def _rows(request: HttpRequest, page: RunsPage) -> list[Row]:
    subjects, steps = _subjects(page.runs), _steps(page.runs)
    sees = {model: can_view(request, model) for model in (Automation, Event, Record)}

    def address(model: type[Any], pk: str | None) -> str:
        if pk is None or not sees[model]:
            return ""
        return page_url(f"admin:{model._meta.app_label}_{model._meta.model_name}_change", pk)

    return [
        Row(
            run=run,
            look=look_of(run),
            result=result_of(run),
            steps=steps.get(run.pk),
            duration_ms=duration_of(run),
            url=run_url(run.pk),
            automation_url=address(Automation, run.automation_id),
            event_label=label_of(run.event_name).removeprefix("Record · "),
            event_url=address(Event, run.event_id),
            subject=subjects.get(run.pk, ""),
            record_url=address(Record, run.record_id),
        )
        for run in page.runs
    ]


def _subjects(runs: Sequence[Run]) -> dict[str, str]:
    """What each is about: the record's title, else what its event names. Two queries."""
    ids = {run.record_id for run in runs if run.record_id}
    titles = dict(Record.objects.filter(pk__in=ids).values_list("pk", "title"))
    events = {run.event_id for run in runs if run.event_id and not run.record_id}
    labels = dict(Event.objects.filter(pk__in=events).values_list("pk", "subject_label"))
    return {
        run.pk: (titles.get(run.record_id) or run.record_id)
        if run.record_id
        else labels.get(run.event_id or "", "")
        for run in runs
    }


def _steps(runs: Sequence[Run]) -> dict[str, Count]:
    """How many steps were executed: counted where that is cheap, else how many turns the run has had."""
    fired = [run.pk for run in runs if run.status != RunStatus.SKIPPED]
    turns = dict(
        Run.objects.filter(pk__in=fired)
        .annotate(turns=F("variables__count"))
        .values_list("pk", "turns")
    )
    short = [pk for pk in fired if (turns.get(pk) or 0) <= STEPS_CAP]
    counted = dict(
        StepRun.objects.filter(run__in=short)
        .order_by()
        .values_list("run")
        .annotate(number=CountOf("pk"))
        .values_list("run", "number")
    )
    return {
        pk: Count(counted.get(pk, 0)) if pk in set(short) else Count(STEPS_CAP, more=True)
        for pk in fired
    }


def _empty_words(asked: Asked) -> tuple[str, str, str]:
    """Icon, title and advice for a list without rows."""
    if asked.query.is_filtered:
        return (
            "search_off",
            "No run matches",
            "Nothing in this tab fits the search and the filters. Take some of them away.",
        )
    return {
        Tab.ALL: (
            "bolt",
            "Nothing has run yet",
            "Each time an automation fires, its run appears here. Switch one on, and change a record.",
        ),
        Tab.FAILURES: (
            "check_circle",
            "No failures",
            "Every run has done what it should, or is still at it.",
        ),
        Tab.WAITING: (
            "done_all",
            "Nothing is waiting",
            "Runs are here while they wait: for a moment, for an answer, or for their turn.",
        ),
        Tab.NOT_FIRED: (
            "rule",
            "Nothing was held back",
            "What an automation looks at, and does not act on, is here: each rule with the value that it found.",
        ),
    }[asked.query.tab]
