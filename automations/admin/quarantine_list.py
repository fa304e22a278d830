"""The list of records in quarantine: what its address asks for, page by page, and how each came there."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, cast

from django.db.models import Exists, OuterRef, Q, Subquery
from django.http import HttpRequest
from django.urls import reverse
from django.utils.dateparse import parse_datetime

from automations.admin.run_page import run_url
from automations.admin.run_words import RunLook, look_of
from automations.models import Automation, Run, RunStatus
from records.models import Event, ObjectDefinition, Record, User
from records.permissions import can, visible_objects
from webhooks.admin.filters import Address, asked_id, clean_id, clean_text
from webhooks.admin.links import can_view, page_url

PAGE_SIZE: Final = 50
EVENT: Final = "record.quarantined"
# The drop-down of automations names no more than this.
_MAX_AUTOMATIONS: Final = 300
_NAMES: Final = ("q", "object", "automation")


@dataclass(frozen=True, slots=True)
class Row:
    """A record in quarantine. `run`: the run that put it there; else `actor` did."""

    record: Record
    run: Run | None
    look: RunLook | None
    actor: str
    url: str
    run_url: str
    retry_url: str
    may_release: bool


@dataclass(frozen=True, slots=True)
class Page:
    """Records, last quarantined first. `newer` and `older`: where the next pages go on, if there are any."""

    records: Sequence[Record]
    newer: str = ""
    older: str = ""


@dataclass(slots=True)
class Asked(Address):
    """With the objects that the user may see, and the one that is chosen."""

    objects: Sequence[ObjectDefinition] = ()

    @property
    def is_filtered(self) -> bool:
        return any(self.values.values())


def read_address(request: HttpRequest) -> Asked:
    """Whatever it says, there is a page: mistakes are told, not raised."""
    given = {name: clean_text(request.GET.get(name, "")) for name in (*_NAMES, "before", "after")}
    asked = Asked({name: given[name] for name in _NAMES}, given["before"], given["after"])
    asked.objects = list(visible_objects(request.user))
    if asked.values["object"] not in {"", *(each.slug for each in asked.objects)}:
        asked.problems.append("There is no such object; these are the records of all.")
        asked.values["object"] = ""
    asked.values["automation"] = asked_id(asked, Automation, asked.values["automation"])
    return asked


def records_of(asked: Asked) -> Any:
    """All that match, last quarantined first: few rows, along an index of their own."""
    slug, text = asked.values["object"], asked.values["q"]
    objects = [each for each in asked.objects if slug in ("", each.slug)]
    found = Record.objects.exclude(quarantined_at=None)
    found = found.filter(deleted_at=None, object__in=objects)
    if text:
        pk = clean_id(Record, text)
        found = found.filter(pk=pk) if pk else found.filter(title__icontains=text)
    if automation := asked.values["automation"]:
        latest = Event.objects.filter(record=OuterRef("pk"), type=EVENT).order_by("-pk")
        found = found.annotate(cause=Subquery(latest.values("run_id")[:1]))
        found = found.filter(
            Exists(Run.objects.filter(pk=OuterRef("cause"), automation=automation))
        )
    return found.select_related("object").order_by("-quarantined_at", "-pk")


def page_of(asked: Asked) -> Page:
    """The newest page, the one older than `before`, or the one newer than `after`. A page of newer ones that would
    not be full is the newest page."""
    found = records_of(asked)
    if place := _read_place(asked.after):
        at, pk = place
        newer = found.filter(Q(quarantined_at__gt=at) | Q(quarantined_at=at, pk__gt=pk))
        records = list(newer.order_by("quarantined_at", "pk")[: PAGE_SIZE + 1])
        if len(records) > PAGE_SIZE:
            records = records[PAGE_SIZE - 1 :: -1]
            return Page(records, _place(records[0]), _place(records[-1]))
    elif place := _read_place(asked.before):
        at, pk = place
        older = found.filter(Q(quarantined_at__lt=at) | Q(quarantined_at=at, pk__lt=pk))
        records = list(older[: PAGE_SIZE + 1])
        newer_place = _place(records[0]) if records else asked.before
        return _page(records, newer_place)
    return _page(list(found[: PAGE_SIZE + 1]), "")


def _page(records: Sequence[Record], newer: str) -> Page:
    if len(records) > PAGE_SIZE:
        return Page(records[:PAGE_SIZE], newer, _place(records[PAGE_SIZE - 1]))
    return Page(records, newer)


def _place(record: Record) -> str:
    """Where a page goes on: also when this record has been released meanwhile."""
    at = cast(datetime, record.quarantined_at)
    return f"{at.isoformat()}~{record.pk}"


def _read_place(text: str) -> tuple[datetime, str] | None:
    moment, _, pk = text.partition("~")
    try:
        at = parse_datetime(moment)
    except ValueError:
        return None
    known = clean_id(Record, pk)
    return (at, known) if at and at.tzinfo and known else None


def list_context(request: HttpRequest, *, may_retry: bool) -> dict[str, Any]:
    asked = read_address(request)
    page = page_of(asked)
    rows = _rows(request, page.records, may_retry=may_retry)
    automations = Automation.objects.order_by("name").values_list("pk", "name")
    return {
        "asked": asked,
        "page": page,
        "rows": rows,
        "automation_choices": list(automations[:_MAX_AUTOMATIONS]),
        "newest_address": asked.address(),
        "newer_address": asked.address(after=page.newer),
        "older_address": asked.address(before=page.older),
        "may_release": any(row.may_release for row in rows),
        "may_retry": any(row.retry_url for row in rows),
    }


def _rows(request: HttpRequest, records: Sequence[Record], *, may_retry: bool) -> list[Row]:
    """Three queries: the records, how they came here, and by which runs."""
    causes = causes_of(records)
    ids = {event.run_id for event in causes.values() if event.run_id}
    runs = Run.objects.select_related("automation").in_bulk(ids)
    retried = retried_among(runs)
    sees_records = can_view(request, Record)
    user = cast(User, request.user)
    rows = []
    for record in records:
        event = causes.get(record.pk)
        run = runs.get(event.run_id or "") if event else None
        may_release = can(user, "change", record.object)
        can_retry = run is not None and is_retryable(run, retried) and may_retry and may_release
        rows.append(
            Row(
                record=record,
                run=run,
                look=look_of(run) if run else None,
                actor=_actor(event),
                url=page_url("admin:records_record_change", record.pk) if sees_records else "",
                run_url=run_url(run.pk) if run else "",
                retry_url=_retry_url(run) if run and can_retry else "",
                may_release=may_release,
            )
        )
    return rows


def causes_of(records: Iterable[Record]) -> Mapping[str, Event]:
    """The event that each record's quarantine is: the latest of its kind."""
    ids = [record.pk for record in records]
    events = Event.objects.filter(record__in=ids, type=EVENT).select_related("actor")
    return {str(event.record_id): event for event in events.order_by("pk")}


def retried_among(runs: Iterable[str]) -> set[str]:
    return set(Run.objects.filter(retry_of__in=list(runs)).values_list("retry_of_id", flat=True))


def is_retryable(run: Run, retried: set[str]) -> bool:
    return run.status == RunStatus.FAILED and run.pk not in retried


def _retry_url(run: Run) -> str:
    return reverse("admin:automations_run_retry", args=[run.pk]) + "?release=1"


def _actor(event: Event | None) -> str:
    if event is None:
        return ""
    return str(event.actor) if event.actor else event.actor_label
