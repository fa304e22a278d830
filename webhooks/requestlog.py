"""The request log, asked for so that its length does not matter.

Newest first, page by page from a known row on (keyset paging), and never counted. What no index answers is
looked for in a window of so many rows; the page says how far back it looked.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db.models import Q, QuerySet

from records.ids import first_id_at
from webhooks.models import RequestLog

PAGE_SIZE: Final = 50
# How many rows one look goes through for what no index answers: some 20 ms on PostgreSQL.
WINDOW: Final = 20_000
# What a list does not show, and what makes rows large.
HEAVY: Final = ("request_headers", "request_body", "response_headers", "response_body")


@dataclass(frozen=True, slots=True)
class LogQuery:
    """`outcome` is "2" for 200 to 299 and so on, or "error" for requests that got no answer."""

    direction: str = ""
    outcome: str = ""
    since: datetime | None = None
    endpoint_id: str = ""

    @property
    def is_filtered(self) -> bool:
        return self != LogQuery()


@dataclass(frozen=True, slots=True)
class Page:
    """`older` is the id from which the next page goes on. `looked_back_to`: where the window ended."""

    rows: Sequence[RequestLog]
    older: str
    looked_back_to: datetime | None = None


def page_of(query: LogQuery, *, before: str = "") -> Page:
    """The newest page, or the one that is older than `before`."""
    rows = _indexed(query).order_by("-pk")
    if before:
        rows = rows.filter(pk__lt=before)
    rest = _rest(query)
    end: tuple[Any, datetime] | None = None
    if rest:
        end = rows.values_list("pk", "started_at")[WINDOW - 1 : WINDOW].first()
        rows = rows.filter(rest, pk__gte=end[0]) if end else rows.filter(rest)
    found = list(rows.select_related("job", "endpoint").defer(*HEAVY, *_JOB_HEAVY)[: PAGE_SIZE + 1])
    if len(found) > PAGE_SIZE:
        return Page(found[:PAGE_SIZE], older=found[PAGE_SIZE - 1].pk)
    return Page(found, older=end[0] if end else "", looked_back_to=end[1] if end else None)


_JOB_HEAVY: Final = ("job__headers", "job__body")


def _indexed(query: LogQuery) -> QuerySet[RequestLog]:
    rows = RequestLog.objects.all()
    if query.endpoint_id:
        rows = rows.filter(endpoint__pk=query.endpoint_id)
    if query.since:
        rows = rows.filter(pk__gte=first_id_at("req", query.since))
    return rows


def _rest(query: LogQuery) -> Q:
    rest = Q()
    if query.direction:
        rest &= Q(direction=query.direction)
    if query.outcome == "error":
        rest &= Q(status_code=None)
    elif query.outcome:
        low = int(query.outcome) * 100
        rest &= Q(status_code__gte=low, status_code__lt=low + 100)
    return rest
