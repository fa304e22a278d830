"""The history of runs, asked for so that a million rows cost no more than a thousand.

As `webhooks.history`: newest first, page by page from a known run on, counted only up to a cap, along an index in the
order of the ids. What no index answers is looked for in a window of so many runs; the page says how far back it
looked, and the next look goes on from there.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final

from django.db.models import Exists, OuterRef, Q

from automations.models import OPEN_STATUSES, Run, RunQuerySet, RunStatus
from records.ids import first_id_at, moment_of
from webhooks.history import Count

PAGE_SIZE: Final = 50
# How many runs one look goes through for what no index answers; along the index of a filter they lie scattered over
# the table, so the look is shorter.
WINDOW: Final = 20_000
SCATTERED_WINDOW: Final = 2_500
# Counts beyond are shown as "1,000+".
COUNT_CAP: Final = 1_000
# Large, and not on the list.
_HEAVY: Final = ("conditions", "cursor", "variables", "error", "answer")


class Tab(StrEnum):
    """What did not fire has a tab of its own: it would hide what did."""

    ALL = "all"
    FAILURES = "failures"
    WAITING = "waiting"
    NOT_FIRED = "not_fired"


_CONDITION_OF: Final = {
    Tab.ALL: ~Q(status=RunStatus.SKIPPED),
    Tab.FAILURES: Q(status=RunStatus.FAILED),
    Tab.WAITING: Q(status__in=OPEN_STATUSES),
    Tab.NOT_FIRED: Q(status=RunStatus.SKIPPED),
}
# The other statuses are found soon along the first tab, or looked for in a window of it.
_STATUSES_WITH_INDEX: Final = (RunStatus.FAILED, *OPEN_STATUSES)


@dataclass(frozen=True, slots=True)
class RunsQuery:
    """What is looked for. Ids are the ids' texts. A status stands for itself, whatever the tab."""

    tab: Tab = Tab.ALL
    run_id: str = ""
    event_id: str = ""
    record_id: str = ""
    automation_id: str = ""
    # The run that caused them.
    cause_id: str = ""
    status: str = ""
    mode: str = ""
    error_kind: str = ""
    since: datetime | None = None
    until: datetime | None = None
    # A part of the reason or the error.
    text: str = ""
    # An id that can't be: nothing is found.
    is_impossible: bool = False

    @property
    def is_filtered(self) -> bool:
        return replace(self, tab=Tab.ALL) != RunsQuery()


@dataclass(frozen=True, slots=True)
class RunsPage:
    """Runs, newest first. `newer` and `older`: the ids from which the next pages go on, where there are any.

    `looked_through` and `looked_back_to`: the window, when it ended before the page was full.
    """

    runs: Sequence[Run]
    newer: str | None
    older: str | None
    looked_through: int = 0
    looked_back_to: datetime | None = None


def page_of(query: RunsQuery, *, before: str = "", after: str = "") -> RunsPage:
    """The newest page, the one older than `before`, or the one newer than `after`.

    A page of newer runs that would not be full is the newest page.
    """
    if after:
        runs = list(_listed(_newer(query, after))[: PAGE_SIZE + 1])
        if len(runs) > PAGE_SIZE:
            runs = runs[PAGE_SIZE - 1 :: -1]
            return RunsPage(runs, newer=runs[0].pk, older=runs[-1].pk)
        before = ""
    look = _Look(query, before)
    runs = list(_listed(look.runs)[: PAGE_SIZE + 1])
    newer = runs[0].pk if before and runs else before or None
    if len(runs) > PAGE_SIZE:
        return RunsPage(runs[:PAGE_SIZE], newer=newer, older=runs[PAGE_SIZE - 1].pk)
    if look.end_id is None:
        return RunsPage(runs, newer=newer, older=None)
    return RunsPage(
        runs,
        newer=newer,
        older=look.end_id,
        looked_through=look.window,
        looked_back_to=moment_of(look.end_id),
    )


def count_tabs(query: RunsQuery) -> Mapping[Tab, Count]:
    """How many runs each tab shows under these filters.

    Each tab has an index, which tells. Of one record or event one look at the newest runs tells for all tabs.
    """
    if not _narrow(query):
        return {tab: _count_along_index(_in_tab(query, tab)) for tab in Tab}
    look = _Look(query, in_tab=False)
    statuses = Counter(look.runs.values_list("status", flat=True)[: COUNT_CAP + 1])
    more = look.end_id is not None or statuses.total() > COUNT_CAP
    skipped = statuses[RunStatus.SKIPPED]
    return {
        Tab.ALL: Count(min(statuses.total() - skipped, COUNT_CAP), more),
        Tab.FAILURES: Count(statuses[RunStatus.FAILED], more),
        Tab.WAITING: Count(sum(statuses[status] for status in OPEN_STATUSES), more),
        Tab.NOT_FIRED: Count(skipped, more),
    }


def failed_of(query: RunsQuery) -> tuple[RunQuerySet, Q]:
    """The failed runs that the page would list, and that nobody has tried again yet: what an index answers in the
    order of the ids, and the rest."""
    retries = Run.objects.filter(retry_of=OuterRef("pk"))
    indexed, rest = _conditions(replace(query, tab=Tab.FAILURES, status=""))
    runs = _within(query, Run.objects.filter(indexed))
    return runs, rest & Q(~Exists(retries), status=RunStatus.FAILED)


def neighbours_of(run: Run) -> tuple[str | None, str | None]:
    """The runs of the same automation before and after this one: those that fired, or those that did not."""
    tab = Tab.NOT_FIRED if run.status == RunStatus.SKIPPED else Tab.ALL
    others = Run.objects.filter(_CONDITION_OF[tab], automation=run.automation_id)
    before = others.filter(pk__lt=run.pk).order_by("-pk").values_list("pk", flat=True).first()
    after = others.filter(pk__gt=run.pk).order_by("pk").values_list("pk", flat=True).first()
    return before, after


def _in_tab(query: RunsQuery, tab: Tab) -> RunsQuery:
    """A status is chosen in the first tab only."""
    return replace(query, tab=tab, status=query.status if tab == Tab.ALL else "")


def _count_along_index(query: RunsQuery) -> Count:
    look = _Look(query)
    number = look.runs[: COUNT_CAP + 1].count()
    return Count(min(number, COUNT_CAP), more=number > COUNT_CAP or look.end_id is not None)


def _listed(runs: RunQuerySet) -> RunQuerySet:
    return runs.select_related("automation").defer(*_HEAVY, "automation__draft")


class _Look:
    """The runs of a query, newest first, and where the look at them ends if it ends early."""

    def __init__(self, query: RunsQuery, before: str = "", *, in_tab: bool = True) -> None:
        indexed, rest = _conditions(query, in_tab=in_tab)
        runs = _within(query, Run.objects.filter(indexed)).order_by("-pk")
        if before:
            runs = runs.filter(pk__lt=before)
        self.window = _window(query)
        self.end_id: str | None = None
        if rest:
            self.end_id = _end_of_window(runs, self.window)
            runs = runs.filter(rest)
        self.runs: RunQuerySet = runs.filter(pk__gte=self.end_id) if self.end_id else runs


def _newer(query: RunsQuery, after: str) -> RunQuerySet:
    """The runs that come before `after` on the pages, nearest first."""
    indexed, rest = _conditions(query)
    runs = _within(query, Run.objects.filter(indexed, pk__gt=after)).order_by("pk")
    if rest:
        end = _end_of_window(runs, _window(query))
        runs = runs.filter(rest, pk__lte=end) if end else runs.filter(rest)
    return runs


def _window(query: RunsQuery) -> int:
    """Most runs fire: those of the first tab lie side by side."""
    is_dense = query.tab == Tab.ALL and not query.automation_id and not _narrow(query)
    return WINDOW if is_dense and query.status not in _STATUSES_WITH_INDEX else SCATTERED_WINDOW


def _end_of_window(runs: RunQuerySet, window: int) -> str | None:
    """The id at which the look ends, told by an index alone; None when there are not so many."""
    return runs.values_list("pk", flat=True)[window - 1 : window].first()


def _conditions(query: RunsQuery, *, in_tab: bool = True) -> tuple[Q, Q]:
    """What an index answers in the order of the ids, and the rest. A run that is asked for by its id is in any tab."""
    if query.is_impossible:
        return Q(pk__in=[]), Q()
    if query.run_id:
        return Q(pk=query.run_id), Q()
    tab = _CONDITION_OF[query.tab] if in_tab else Q()
    status = Q(status=query.status) if query.status else tab
    automation = Q(automation=query.automation_id) if query.automation_id else Q()
    rest = _unindexed(query)
    if narrow := _narrow(query):
        return narrow, automation & status & rest
    if automation:
        return automation & status, rest
    if not query.status or query.status in _STATUSES_WITH_INDEX:
        return status, rest
    return tab, status & rest


def _narrow(query: RunsQuery) -> Q:
    """The condition that leaves few runs, and has an index."""
    if query.run_id:
        return Q(pk=query.run_id)
    if query.event_id:
        return Q(event=query.event_id)
    if query.cause_id:
        return Q(caused_by=query.cause_id)
    return Q(record=query.record_id) if query.record_id else Q()


def _unindexed(query: RunsQuery) -> Q:
    condition = Q()
    if query.mode:
        condition &= Q(mode=query.mode)
    if query.error_kind:
        condition &= Q(error__kind=query.error_kind)
    if query.text:
        condition &= Q(reason__icontains=query.text)
    return condition


def _within(query: RunsQuery, runs: RunQuerySet) -> RunQuerySet:
    """Between two times: ids are sorted by time, so this is a range of the index at hand."""
    if query.since:
        runs = runs.filter(pk__gte=first_id_at("run", query.since))
    if query.until:
        runs = runs.filter(pk__lt=first_id_at("run", query.until))
    return runs
