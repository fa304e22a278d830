"""The request log, asked for so that its length does not matter.

Newest first, page by page from a known row on (keyset paging), and never counted. What no index answers (a text, two
filters at once) is looked for in a window of so many rows; the page says how far back it looked, and the next look
goes on from there.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db.models import QuerySet

from records.ids import first_id_at, moment_of
from webhooks.logqueries import LogQuery, conditions_of, searchable_rows
from webhooks.models import RequestLog

PAGE_SIZE: Final = 50
# How many rows one look goes through for what no index answers: some 20 ms on PostgreSQL. Along the index of a filter
# the rows lie scattered over the table, and texts have to be read, so such looks are shorter.
WINDOW: Final = 20_000
SCATTERED_WINDOW: Final = 2_500
TEXT_WINDOW: Final = 2_000
# What a list does not show, and what makes rows large.
_HEAVY: Final = (
    *("request_headers", "request_body", "response_headers", "response_body"),
    *("job__headers", "job__body"),
)


@dataclass(frozen=True, slots=True)
class Page:
    """Rows, newest first. `newer` and `older`: the ids from which the next pages go on, where there are any.

    `looked_through` and `looked_back_to`: the window, when it ended before the page was full.
    """

    rows: Sequence[RequestLog]
    newer: str = ""
    older: str = ""
    looked_through: int = 0
    looked_back_to: datetime | None = None


def page_of(query: LogQuery, *, before: str = "", after: str = "") -> Page:
    """The newest page, the one older than `before`, or the one newer than `after`.

    A page of newer rows that would not be full is the newest page.
    """
    look = _Look(query)
    if after:
        rows = list(_listed(look.newer_than(after))[: PAGE_SIZE + 1])
        if len(rows) > PAGE_SIZE:
            rows = rows[PAGE_SIZE - 1 :: -1]
            return Page(rows, newer=rows[0].pk, older=rows[-1].pk)
        before = ""
    found, end = look.older_than(before)
    rows = list(_listed(found)[: PAGE_SIZE + 1])
    newer = rows[0].pk if before and rows else before
    if len(rows) > PAGE_SIZE:
        return Page(rows[:PAGE_SIZE], newer=newer, older=rows[PAGE_SIZE - 1].pk)
    if not end:
        return Page(rows, newer=newer)
    return Page(rows, newer, older=end, looked_through=look.window, looked_back_to=moment_of(end))


def neighbours_of(query: LogQuery, request_id: str) -> tuple[str, str]:
    """The ids of the next newer and the next older request that a query finds, "" where there is none near."""
    look = _Look(query)
    newer = look.newer_than(request_id).values_list("pk", flat=True).first()
    older = look.older_than(request_id)[0].values_list("pk", flat=True).first()
    return newer or "", older or ""


def _listed(rows: QuerySet[RequestLog]) -> QuerySet[RequestLog]:
    """Endpoints by a query of their own: joined to a filter by endpoint, a row whose endpoint is deleted would go."""
    return rows.select_related("job", "actor").prefetch_related("endpoint").defer(*_HEAVY)


class _Look:
    """The rows of a query along one index, and what is looked for among them."""

    def __init__(self, query: LogQuery) -> None:
        by_index, self.rest = conditions_of(query)
        self.window = SCATTERED_WINDOW if by_index else WINDOW
        if query.text:
            self.window = TEXT_WINDOW
        self.rows = _within(query, searchable_rows().filter(by_index))

    def older_than(self, pk: str) -> tuple[QuerySet[RequestLog], str]:
        """Newest first, and the id at which the look ends if it ends early. Without `pk`, from the newest on."""
        rows = self.rows.order_by("-pk")
        if pk:
            rows = rows.filter(pk__lt=pk)
        end = self._end_of_window(rows)
        rows = rows.filter(self.rest)
        return (rows.filter(pk__gte=end) if end else rows), end

    def newer_than(self, pk: str) -> QuerySet[RequestLog]:
        """Nearest first."""
        rows = self.rows.filter(pk__gt=pk).order_by("pk")
        end = self._end_of_window(rows)
        rows = rows.filter(self.rest)
        return rows.filter(pk__lte=end) if end else rows

    def _end_of_window(self, rows: QuerySet[RequestLog]) -> str:
        """Told by an index alone; "" where the look need not end early."""
        if not self.rest:
            return ""
        ids = rows.values_list("pk", flat=True)
        return ids[self.window - 1 : self.window].first() or ""


def _within(query: LogQuery, rows: QuerySet[RequestLog]) -> QuerySet[RequestLog]:
    """Between two times: ids are sorted by time, so this is a range of the index at hand."""
    if query.since:
        rows = rows.filter(pk__gte=first_id_at("req", query.since))
    if query.until:
        rows = rows.filter(pk__lt=first_id_at("req", query.until))
    return rows
