"""The list of an object's records, as its query string asks for it.

    q=acme                 every word occurs somewhere in the record
    stage=new  state=draft  owner=user_…
    f.<field>…             see records.filters
    sort=-updated          a name from `ListQuery.orders`; with a minus, descending
    page=…                 a cursor (records.pages)

Parameters nobody knows are passed over; values that make no sense are told in `notices` and ignored. Nothing in a
query string makes a list fail.
"""

from collections.abc import Mapping
from typing import Final
from urllib.parse import urlencode
from uuid import UUID

from django.db.models import F, Q, QuerySet
from django.db.models.functions import Lower

from records.columns import JSONMoment, JSONNumber, JSONText, Rank, sortable_text
from records.filters import (
    MAX_VALUE_LENGTH,
    Choices,
    Control,
    ControlGroup,
    FieldFilter,
    Filter,
    Reading,
    field_filter,
    user_choices,
)
from records.ids import encode
from records.models import FieldDefinition, FieldKind, ObjectDefinition, Record, RecordState
from records.pages import (
    MAX_CURSOR_LENGTH,
    BadCursorError,
    Cursor,
    Order,
    Page,
    capped_count,
    get_page,
)

PAGE_SIZE: Final = 50
COUNT_CAP: Final = 1000
# Each word is one pass over a text; nobody types more.
MAX_WORDS: Final = 8

_LEAST_ID: Final = encode("rec", UUID(int=0))
_NUMBERS: Final = {FieldKind.NUMBER, FieldKind.DECIMAL, FieldKind.CURRENCY, FieldKind.BOOLEAN}
_MOMENTS: Final = {FieldKind.DATE, FieldKind.DATETIME}
_TEXTS: Final = {
    FieldKind.TEXT,
    FieldKind.LONG_TEXT,
    FieldKind.EMAIL,
    FieldKind.URL,
    FieldKind.PHONE,
}


class ListQuery:
    """One question to the list of an object: read from a query string, asked of the database."""

    def __init__(
        self,
        object_definition: ObjectDefinition,
        params: Mapping[str, str],
        *,
        deleted: bool = False,
    ) -> None:
        self.object = object_definition
        self.params = {name: _clean(name, value) for name, value in params.items() if value}
        self.stages = object_definition.schema.stages
        self.fields = object_definition.schema.fields
        self.deleted = deleted
        self.users: Choices = user_choices()
        self.attributes: list[tuple[str, str, Choices]] = [
            ("stage", "Stage", [(stage.slug, stage.label) for stage in self.stages]),
            ("state", "State", [(str(value), str(label)) for value, label in RecordState.choices]),
            ("owner", "Owner", self.users),
        ]
        self.reading = Reading()
        self.orders = self._orders()
        self.order = self._read_order()
        self.field_filters: list[FieldFilter] = [field_filter(f, self.users) for f in self.fields]
        self._read_filters()
        self.cursor = self._read_cursor()

    # --- what was read ----------------------------------------------------------------------

    @property
    def search(self) -> str:
        return self.params.get("q", "")

    @property
    def notices(self) -> list[str]:
        return self.reading.notices

    @property
    def filters(self) -> list[Filter]:
        """The filters that are set, without the search."""
        return self.reading.filters

    @property
    def is_narrowed(self) -> bool:
        return bool(self.filters or self.search)

    def controls(self) -> list[ControlGroup]:
        """The inputs of the filter form, those of the record's own attributes first."""
        groups = [
            ControlGroup(
                label, (Control(name, "is", "select", self.params.get(name, ""), choices),)
            )
            for name, label, choices in self.attributes
            if choices
        ]
        return groups + [made.controls(self.params) for made in self.field_filters]

    # --- answers ----------------------------------------------------------------------------

    def queryset(self) -> QuerySet[Record]:
        """All records that the question is about, in no order."""
        records = Record.objects.of(self.object).filter(deleted_at__isnull=not self.deleted)
        for word in self.search.lower().split()[:MAX_WORDS]:
            records = records.filter(search_text__contains=word)
        for found in self.filters:
            records = records.filter(found.condition)
        return records

    def page(self, size: int = PAGE_SIZE) -> Page:
        # Not joined: all rows would be, before they are sorted.
        rows = self.queryset().prefetch_related("owner").defer("search_text")
        if not self.order.indexed:
            # Says nothing, but makes SQLite read the rows as they lie on the disk: in half the time.
            rows = rows.filter(pk__gte=_LEAST_ID)
        return get_page(rows, self.order, self.cursor, size)

    def count(self, page: Page) -> int:
        """How many there are; COUNT_CAP + 1 stands for “more than COUNT_CAP”."""
        if page.first and not page.next:
            return len(page.rows)
        return capped_count(self.queryset(), COUNT_CAP)

    # --- addresses --------------------------------------------------------------------------

    def link(self, **changes: str | None) -> str:
        """The query string with some parameters changed; the page is kept only when it is among them."""
        params = {**self.params, "page": None, **changes}
        return "?" + urlencode({name: value for name, value in params.items() if value})

    def without(self, name: str) -> str:
        return self.link(**{name: None})

    def sort_link(self, order: Order) -> str:
        """What a click on a column's head does: sort by it, then turn around."""
        same = order.name == self.order.name
        return self.link(
            sort=order.turned(descending=not self.order.descending).text if same else order.text
        )

    # --- reading ----------------------------------------------------------------------------

    def _orders(self) -> dict[str, Order]:
        orders = [
            Order("created", "Created", descending=True, indexed=True),
            Order("updated", "Last change", F("updated_at"), "time", descending=True, indexed=True),
            Order("title", "Title", Lower("title"), indexed=True),
        ]
        if self.deleted:
            by_deletion = F("deleted_at")
            orders.insert(
                0, Order("deleted", "Deleted", by_deletion, "time", descending=True, indexed=True)
            )
        if self.stages:
            slugs = [stage.slug for stage in self.stages]
            orders.append(Order("stage", "Stage", Rank(F("stage"), slugs), "number", nullable=True))
        orders.extend(order for f in self.fields if (order := _order_of(f)))
        return {order.name: order for order in orders}

    def _read_order(self) -> Order:
        default = next(iter(self.orders.values()))
        text = self.params.get("sort", "")
        if not text:
            return default
        order = self.orders.get(text.removeprefix("-"))
        if order is None:
            self.notices.append("This list cannot be sorted like that; it is in its usual order.")
            return default
        return order.turned(descending=text.startswith("-"))

    def _read_filters(self) -> None:
        for name, label, choices in self.attributes:
            value = self.params.get(name)
            if not value:
                continue
            shown = dict(choices).get(value)
            if shown is None:
                self.notices.append(f"The filter on {label} was ignored: there is no “{value}”.")
                continue
            self.filters.append(Filter(name, f"{label} is {shown}", Q(**{name: value})))
        for made in self.field_filters:
            made.read(self.params, self.reading)

    def _read_cursor(self) -> Cursor | None:
        text = self.params.get("page", "")
        if not text:
            return None
        try:
            return Cursor.decode(text, self.order, prefix="rec")
        except BadCursorError:
            self.notices.append("That page could not be found; this is the first one.")
            return None


def _order_of(definition: FieldDefinition) -> Order | None:
    name, label, slug = f"f.{definition.slug}", definition.label, definition.slug
    kind = FieldKind(definition.kind)
    if kind in _NUMBERS:
        return Order(name, label, JSONNumber(slug), "number", nullable=True)
    if kind in _MOMENTS:
        return Order(name, label, JSONMoment(slug), nullable=True)
    if kind in _TEXTS:
        return Order(name, label, sortable_text(JSONText(slug)), nullable=True)
    if kind is FieldKind.CHOICE:
        values = [str(choice.get("value")) for choice in definition.options.get("choices", ())]
        return Order(name, label, Rank(JSONText(slug), values), "number", nullable=True)
    return None


def _clean(name: str, value: str) -> str:
    """Without what no database takes (NUL, halves of surrogate pairs), and no longer than sensible."""
    longest = MAX_CURSOR_LENGTH if name == "page" else MAX_VALUE_LENGTH
    return value[:longest].replace("\0", "").encode("utf-8", "ignore").decode().strip()
