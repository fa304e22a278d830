"""The history of webhook jobs, asked for so that a million rows cost no more than a thousand.

Newest first, page by page from a known job on (keyset paging), counted only up to a cap. Everything runs along an
index in the order of the ids. What no index answers (the text of a URL, two filters at once) is looked for in a
window of so many jobs; the page says how far back it looked, and the next look goes on from there.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final

from django.db.models import F, Q

from records.ids import decode, first_id_at
from webhooks.models import JobStatus, WebhookJob, WebhookJobQuerySet
from webhooks.models.jobs import OPEN_STATUSES

PAGE_SIZE: Final = 50
# How many jobs one look goes through for what no index answers: some 20 ms on PostgreSQL. Along the index of
# a filter the jobs lie scattered over the table, so the look is shorter.
WINDOW: Final = 20_000
SCATTERED_WINDOW: Final = 2_500
# Counts beyond are shown as "1,000+".
COUNT_CAP: Final = 1_000


class Tab(StrEnum):
    ALL = "all"
    FAILURES = "failures"
    PENDING = "pending"


@dataclass(frozen=True, slots=True)
class HistoryQuery:
    """What is looked for. Ids are the ids' texts; `status_class` is 2 for 200 to 299, and so on."""

    tab: Tab = Tab.ALL
    job_id: str = ""
    event_id: str = ""
    record_id: str = ""
    webhook_id: str = ""
    error_kind: str = ""
    status_class: int | None = None
    since: datetime | None = None
    until: datetime | None = None
    # A part of the URL, the webhook's name or the error.
    text: str = ""
    # No job newer than this one: what a person was asked about stays what is done.
    up_to: str = ""
    # An id that can't be: nothing is found.
    is_impossible: bool = False

    @property
    def is_filtered(self) -> bool:
        return replace(self, tab=Tab.ALL) != HistoryQuery()


@dataclass(frozen=True, slots=True)
class Count:
    """A number that is exact, or "this many and more"."""

    number: int
    more: bool = False

    def __str__(self) -> str:
        if self.more and not self.number:
            return "…"
        return f"{self.number:,}{'+' if self.more else ''}"


@dataclass(frozen=True, slots=True)
class Page:
    """Jobs, newest first. `newer` and `older`: the ids from which the next pages go on, where there are any.

    `looked_through` and `looked_back_to`: the window, when it ended before the page was full.
    """

    jobs: Sequence[WebhookJob]
    newer: str | None
    older: str | None
    looked_through: int = 0
    looked_back_to: datetime | None = None


def page_of(query: HistoryQuery, *, before: str = "", after: str = "") -> Page:
    """The newest page, the one older than `before`, or the one newer than `after`.

    A page of newer jobs that would not be full is the newest page.
    """
    if after:
        jobs = list(_newer(query, after)[: PAGE_SIZE + 1])
        if len(jobs) > PAGE_SIZE:
            jobs = jobs[PAGE_SIZE - 1 :: -1]
            return Page(jobs, newer=jobs[0].pk, older=jobs[-1].pk)
        before = ""
    found = _Look(query, before)
    jobs = list(found.jobs.defer("headers", "body")[: PAGE_SIZE + 1])
    newer = jobs[0].pk if before and jobs else before or None
    if len(jobs) > PAGE_SIZE:
        return Page(jobs[:PAGE_SIZE], newer=newer, older=jobs[PAGE_SIZE - 1].pk)
    if found.end_id is None:
        return Page(jobs, newer=newer, older=None)
    return Page(
        jobs,
        newer=newer,
        older=found.end_id,
        looked_through=found.window,
        looked_back_to=time_of(found.end_id),
    )


def count_tabs(query: HistoryQuery) -> Mapping[Tab, Count]:
    """How many jobs each tab shows under these filters.

    Without filters an index tells. With filters, one look at the newest that match tells for all tabs.
    """
    if not query.is_filtered:
        return {tab: _count_along_index(replace(query, tab=tab)) for tab in Tab}
    look = _Look(replace(query, tab=Tab.ALL))
    newest = look.jobs.values_list("status", flat=True)[: COUNT_CAP + 1]
    statuses = Counter(newest)
    more = look.end_id is not None or statuses.total() > COUNT_CAP
    open_jobs = sum(statuses[status] for status in OPEN_STATUSES)
    return {
        Tab.ALL: Count(min(statuses.total(), COUNT_CAP), more),
        Tab.FAILURES: Count(statuses[JobStatus.FAILED], more),
        Tab.PENDING: Count(open_jobs, more),
    }


def _count_along_index(query: HistoryQuery) -> Count:
    number = _Look(query).jobs[: COUNT_CAP + 1].count()
    return Count(min(number, COUNT_CAP), more=number > COUNT_CAP)


def time_of(job_id: str) -> datetime:
    """When the job with this id was made."""
    return datetime.fromtimestamp((decode("job", job_id).int >> 80) / 1000, UTC)


def ids_of(query: HistoryQuery, statuses: Sequence[JobStatus], limit: int) -> list[str]:
    """The newest jobs that the page would list and that have one of these statuses."""
    jobs = _Look(query).jobs.filter(status__in=statuses)
    return list(jobs.values_list("pk", flat=True)[:limit])


class _Look:
    """The jobs of a query, newest first, and where the look at them ends if it ends early."""

    def __init__(self, query: HistoryQuery, before: str = "") -> None:
        indexed, rest = _conditions(query)
        jobs = _within(query, _all().filter(indexed)).order_by("-pk")
        if before:
            jobs = jobs.filter(pk__lt=before)
        self.window = SCATTERED_WINDOW if indexed else WINDOW
        self.end_id: str | None = None
        if rest:
            self.end_id = _end_of_window(jobs, self.window)
            jobs = jobs.filter(rest)
        self.jobs: WebhookJobQuerySet = jobs.filter(pk__gte=self.end_id) if self.end_id else jobs


def _newer(query: HistoryQuery, after: str) -> WebhookJobQuerySet:
    """The jobs that come before `after` on the pages, nearest first."""
    indexed, rest = _conditions(query)
    jobs = _within(query, _all().filter(indexed, pk__gt=after)).order_by("pk")
    if rest:
        end = _end_of_window(jobs, SCATTERED_WINDOW if indexed else WINDOW)
        jobs = jobs.filter(rest, pk__lte=end) if end else jobs.filter(rest)
    return jobs.defer("headers", "body")


def _end_of_window(jobs: WebhookJobQuerySet, window: int) -> str | None:
    """The id at which the look ends, told by an index alone; None when there are not so many."""
    return jobs.values_list("pk", flat=True)[window - 1 : window].first()


def _all() -> WebhookJobQuerySet:
    return WebhookJob.objects.alias(status_class=F("status_code") / 100)


def _conditions(query: HistoryQuery) -> tuple[Q, Q]:
    """What an index answers in the order of the ids, and the rest."""
    if query.is_impossible:
        return Q(pk__in=[]), Q()
    by_index = [condition for condition in _indexed(query) if condition]
    rest = Q()
    for condition in [*by_index[1:], *_unindexed(query)]:
        rest &= condition
    return by_index[0] if by_index else Q(), rest


def _indexed(query: HistoryQuery) -> list[Q]:
    """The conditions that an index answers, the one that leaves the fewest jobs first."""
    return [
        Q(pk=query.job_id) if query.job_id else Q(),
        Q(event=query.event_id) if query.event_id else Q(),
        Q(record=query.record_id) if query.record_id else Q(),
        {
            Tab.ALL: Q(),
            Tab.FAILURES: Q(status=JobStatus.FAILED),
            Tab.PENDING: Q(status__in=OPEN_STATUSES),
        }[query.tab],
        Q(error_kind=query.error_kind) & ~Q(error_kind="") if query.error_kind else Q(),
        # The index leaves out the successes, which are found soon without it.
        Q(status_class=query.status_class, status_code__gte=300)
        if query.status_class and query.status_class >= 3
        else Q(),
        Q(webhook=query.webhook_id) if query.webhook_id else Q(),
    ]


def _unindexed(query: HistoryQuery) -> list[Q]:
    conditions = []
    if query.status_class and query.status_class < 3:
        conditions.append(Q(status_class=query.status_class))
    if query.text:
        text = query.text
        conditions.append(
            Q(url__icontains=text) | Q(webhook_name__icontains=text) | Q(error__icontains=text)
        )
    return conditions


def _within(query: HistoryQuery, jobs: WebhookJobQuerySet) -> WebhookJobQuerySet:
    """Between two times: ids are sorted by time, so this is a range of the index at hand."""
    if query.since:
        jobs = jobs.filter(pk__gte=first_id_at("job", query.since))
    if query.until:
        jobs = jobs.filter(pk__lt=first_id_at("job", query.until))
    if query.up_to:
        jobs = jobs.filter(pk__lte=query.up_to)
    return jobs
