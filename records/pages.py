"""Paging by position: a page begins after a row, not after a number of rows.

A page far down costs what the first one costs, and rows that come or go meanwhile neither repeat nor hide others.
"""

import base64
import binascii
import json
import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, Literal

from django.db.models import F, Model, Q, QuerySet

from records.ids import decode

KEY: Final = "sort_key"
# Longer ones are no cursors of ours: a key has 100 characters, an id 30.
MAX_CURSOR_LENGTH: Final = 1500

Key = str | float | datetime | None


class BadCursorError(ValueError):
    """This link to a page is broken or belongs to a different order."""


@dataclass(frozen=True, slots=True)
class Order:
    """One way to sort. The id decides between equals and runs in the same direction; nulls come last."""

    name: str
    label: str
    # What to sort by: an expression or a column; None sorts by id, which is the order of creation.
    expression: Any = None
    kind: Literal["text", "number", "time"] = "text"
    descending: bool = False
    nullable: bool = False
    # Whether an index holds the rows in this order; otherwise all of them are read and sorted.
    indexed: bool = False

    @property
    def text(self) -> str:
        """As it stands in the query string."""
        return f"-{self.name}" if self.descending else self.name

    def turned(self, *, descending: bool) -> "Order":
        return replace(self, descending=descending)


@dataclass(frozen=True, slots=True)
class Cursor:
    """The row that a page lies behind (forward) or before."""

    pk: str
    key: Key
    forward: bool = True

    def encode(self) -> str:
        key = self.key.isoformat() if isinstance(self.key, datetime) else self.key
        raw = json.dumps([int(self.forward), self.pk, key], separators=(",", ":"))
        return base64.urlsafe_b64encode(raw.encode()).decode().rstrip("=")

    @classmethod
    def decode(cls, text: str, order: Order, *, prefix: str) -> "Cursor":
        """Raises BadCursorError for anything that `encode` did not make for this order."""
        if len(text) > MAX_CURSOR_LENGTH:
            raise BadCursorError
        try:
            raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
            forward, pk, key = json.loads(raw)
            decode(prefix, pk)
            return cls(pk, _READ_KEY[order.kind](key, order), forward == 1)
        except (ValueError, TypeError, AttributeError, RecursionError, binascii.Error):
            raise BadCursorError from None


def _read_text(key: Any, order: Order) -> Key:
    if order.expression is None or (key is None and order.nullable):
        return None
    if not isinstance(key, str) or "\0" in key:
        raise BadCursorError
    key.encode()  # a lone surrogate is a ValueError here rather than in the database
    return key


def _read_number(key: Any, order: Order) -> Key:
    if key is None and order.nullable:
        return None
    if isinstance(key, bool) or not isinstance(key, int | float):
        raise BadCursorError
    try:
        number = float(key)
    except OverflowError:
        raise BadCursorError from None
    if not math.isfinite(number):
        raise BadCursorError
    return number


def _read_time(key: Any, order: Order) -> Key:
    if key is None and order.nullable:
        return None
    moment = datetime.fromisoformat(key)
    if moment.tzinfo is None or not 1970 <= moment.year <= 9000:
        raise BadCursorError
    return moment


_READ_KEY: Final[dict[str, Callable[[Any, Order], Key]]] = {
    "text": _read_text,
    "number": _read_number,
    "time": _read_time,
}


@dataclass(frozen=True, slots=True)
class Page:
    """A page's rows, and the cursors of its neighbours (empty where there is none)."""

    rows: list[Any]
    next: str = ""
    previous: str = ""
    first: bool = True


def get_page(queryset: QuerySet[Any], order: Order, cursor: Cursor | None, size: int) -> Page:
    """The page of `size` rows that lies behind (or before) the cursor; the first one without a cursor."""
    if order.expression is not None:
        queryset = queryset.annotate(**{KEY: order.expression})
    if cursor is None:
        return _forward(queryset, order, None, size)
    if cursor.forward:
        page = _forward(queryset, order, cursor, size)
        # Everything behind the cursor may be gone by now; better the first page than an empty one.
        return page if page.rows else _forward(queryset, order, None, size)
    rows = list(_rows(queryset, order, cursor)[: size + 1])
    if len(rows) <= size:  # the top is reached: show it as the first page, full again
        return _forward(queryset, order, None, size)
    rows = rows[size - 1 :: -1]
    return Page(
        rows,
        next=_cursor_of(rows[-1], order, forward=True),
        previous=_cursor_of(rows[0], order, forward=False),
        first=False,
    )


def _forward(queryset: QuerySet[Any], order: Order, cursor: Cursor | None, size: int) -> Page:
    rows = list(_rows(queryset, order, cursor)[: size + 1])
    more, rows = len(rows) > size, rows[:size]
    return Page(
        rows,
        next=_cursor_of(rows[-1], order, forward=True) if more else "",
        previous=_cursor_of(rows[0], order, forward=False) if cursor and rows else "",
        first=cursor is None,
    )


def _cursor_of(row: Model, order: Order, *, forward: bool) -> str:
    key = getattr(row, KEY) if order.expression is not None else None
    return Cursor(str(row.pk), key, forward).encode()


def _rows(queryset: QuerySet[Any], order: Order, cursor: Cursor | None) -> QuerySet[Any]:
    backward = cursor is not None and not cursor.forward
    down = order.descending != backward
    if cursor is not None:
        queryset = queryset.filter(_beyond(order, cursor, down=down))
    by_pk = "-pk" if down else "pk"
    if order.expression is None:
        return queryset.order_by(by_pk)
    if not order.nullable:  # plain, so that an index serves it
        return queryset.order_by(f"-{KEY}" if down else KEY, by_pk)
    nulls = {"nulls_first": True} if backward else {"nulls_last": True}
    key = F(KEY).desc(**nulls) if down else F(KEY).asc(**nulls)
    return queryset.order_by(key, by_pk)


def _beyond(order: Order, cursor: Cursor, *, down: bool) -> Q:
    further = "lt" if down else "gt"
    pk_further = Q(**{f"pk__{further}": cursor.pk})
    if order.expression is None:
        return pk_further
    if cursor.key is None:
        among_nulls = Q(**{f"{KEY}__isnull": True}) & pk_further
        return among_nulls if cursor.forward else among_nulls | Q(**{f"{KEY}__isnull": False})
    key_further = Q(**{f"{KEY}__{further}": cursor.key})
    # The first half says nothing new; it lets the database start reading the index at the cursor.
    beyond = Q(**{f"{KEY}__{further}e": cursor.key}) & (key_further | pk_further)
    if order.nullable and cursor.forward:
        beyond |= Q(**{f"{KEY}__isnull": True})
    return beyond


def capped_count(queryset: QuerySet[Any], cap: int) -> int:
    """How many rows there are, counted no further than `cap + 1`."""
    return queryset.order_by()[: cap + 1].count()
