"""Walking through a table of any size: row by row along the primary key, a bounded look at a time."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Q, QuerySet


@dataclass(frozen=True, slots=True)
class Look:
    """What one look found. `cursor`: where the next one goes on, None when everything has been looked at."""

    found: Sequence[Any]
    cursor: str | None


def look_on(
    rows: QuerySet[Any],
    which: Q,
    *,
    after: str | None,
    limit: int,
    window: int,
    columns: Sequence[str],
) -> Look:
    """Up to `limit` rows that are as `which` says, among the next `window` behind the row `after`.

    `rows` is what an index answers in the order of the primary key. A row is a tuple: its key, then `columns`.
    """
    ahead = rows.order_by("pk")
    if after:
        ahead = ahead.filter(pk__gt=after)
    end = ahead.values_list("pk", flat=True)[window - 1 : window].first()
    if end is not None:
        ahead = ahead.filter(pk__lte=end)
    found = list(ahead.filter(which).values_list("pk", *columns)[:limit])
    return Look(found, found[-1][0] if len(found) == limit else end)
