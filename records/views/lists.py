"""The list of an object's records, and the list of the deleted ones."""

from dataclasses import dataclass
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from records.commands import commands_for
from records.fieldkinds import kind_of
from records.lists import COUNT_CAP, ListQuery
from records.models import FieldDefinition, FieldKind, ObjectDefinition
from records.pages import Order
from records.permissions import visible_objects
from records.views.layout import allowed_actions, object_for, render_page
from records.views.values import Shower

# Columns of an object for which nobody has chosen any.
USUAL_COLUMNS = 4


@dataclass(frozen=True, slots=True)
class Column:
    """The head of a column: what a click does, and how the list is sorted by it now."""

    label: str
    href: str = ""
    aria_sort: str = ""
    is_numeric: bool = False


@login_required
@require_safe
def record_list(request: HttpRequest, slug: str) -> HttpResponse:
    return _render(request, object_for(request, slug), deleted=False)


@login_required
@require_safe
def record_deleted(request: HttpRequest, slug: str) -> HttpResponse:
    return _render(request, object_for(request, slug), deleted=True)


def _render(
    request: HttpRequest, object_definition: ObjectDefinition, *, deleted: bool
) -> HttpResponse:
    query = ListQuery(object_definition, request.GET.dict(), deleted=deleted)
    page = query.page()
    count = query.count(page)
    # Among the deleted, what matters is which one it is, and the way back.
    fields = _shown_fields(object_definition)[: 2 if deleted else None]
    objects = list(visible_objects(request.user))
    shower = Shower(
        object_definition,
        [record.data for record in page.rows],
        visible={item.slug for item in objects},
        fields=fields,
    )
    orders = list(query.orders.values())
    usual = orders[0]
    stages = {stage.slug: stage for stage in object_definition.schema.stages}
    context: dict[str, Any] = {
        "objects": objects,
        "object": object_definition,
        "deleted": deleted,
        "here": True,
        "query": query,
        "notices": query.notices,
        "page": page,
        "count": f"{COUNT_CAP:,}+" if count > COUNT_CAP else f"{count:,}",
        "count_is_one": count == 1,
        "columns": _columns(query, fields),
        "rows": [(record, stages.get(record.stage), shower.values(record)) for record in page.rows],
        "sorts": [("" if order is usual else order.text, order.label) for order in orders],
        "sort": "" if query.order.text == usual.text else query.order.text,
        "stage_tabs": _stage_tabs(query),
        "chips": [(found.text, query.without(found.name)) for found in query.filters],
        "next_link": query.link(page=page.next) if page.next else "",
        "previous_link": query.link(page=page.previous) if page.previous else "",
        "clear_link": query.link(**{found.name: None for found in query.filters}, q=None),
        "may": allowed_actions(request, object_definition),
        "commands": [] if deleted else commands_for(request.user, object_definition),
    }
    template = "records/deleted.html" if deleted else "records/list.html"
    return render_page(request, template, context, section=object_definition.slug)


def _shown_fields(object_definition: ObjectDefinition) -> list[FieldDefinition]:
    """The fields that have a column: those chosen for lists, without the one that is the title anyway."""
    fields = object_definition.schema.fields
    title = next((field for field in fields if kind_of(field).makes_title), None)
    others = [field for field in fields if field is not title]
    chosen = [field for field in others if field.in_list]
    if chosen or any(field.in_list for field in fields):
        return chosen
    long = (FieldKind.LONG_TEXT, FieldKind.JSON)
    return [field for field in others if field.kind not in long][:USUAL_COLUMNS]


def _columns(query: ListQuery, fields: list[FieldDefinition]) -> list[Column]:
    names = ["title", *(["stage"] if query.stages else [])]
    columns = [_column(query, query.orders[name]) for name in names]
    for field in fields:
        order = query.orders.get(f"f.{field.slug}")
        numeric = field.kind in (FieldKind.NUMBER, FieldKind.DECIMAL, FieldKind.CURRENCY)
        columns.append(
            _column(query, order, is_numeric=numeric)
            if order
            else Column(field.label, is_numeric=numeric)
        )
    if not query.deleted:
        columns.append(Column("Owner"))
    columns.append(_column(query, query.orders["deleted" if query.deleted else "updated"]))
    return columns


def _column(query: ListQuery, order: Order, *, is_numeric: bool = False) -> Column:
    sorted_by_it = query.order.name == order.name
    direction = "descending" if query.order.descending else "ascending"
    label = query.object.name if order.name == "title" else order.label
    return Column(label, query.sort_link(order), direction if sorted_by_it else "", is_numeric)


def _stage_tabs(query: ListQuery) -> list[tuple[str, str, bool]]:
    """Label, link, whether it is the one that is shown."""
    if not query.stages:
        return []
    current = query.params.get("stage", "")
    tabs = [("All", query.without("stage"), not current)]
    return tabs + [
        (stage.label, query.link(stage=stage.slug), current == stage.slug) for stage in query.stages
    ]
