"""Records in quarantine: automations leave them alone until a person releases them here, or on the record's page."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse

from automations.admin.frame import framed
from automations.admin.releases import release_records
from automations.admin.retry_many import RetryMany
from automations.admin.run_page import run_url
from automations.admin.run_words import RunLook, look_of
from automations.models import Run, RunStatus
from records.models import Event, ObjectDefinition, Record, User
from records.permissions import can, visible_objects
from webhooks.admin.filters import clean_id
from webhooks.admin.links import can_view, page_url

if TYPE_CHECKING:
    from automations.admin.runs import RunAdmin

# The page shows no more; those before them follow as soon as some are released.
_SHOWN: Final = 100
_EVENT: Final = "record.quarantined"


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


class QuarantinePages:
    def __init__(self, model_admin: "RunAdmin") -> None:
        self.admin = model_admin

    def urls(self) -> list[URLPattern]:
        view = self.admin.admin_site.admin_view(self.view)
        return [path("quarantine/", view, name="automations_quarantine")]

    def view(self, request: HttpRequest) -> HttpResponse:
        self.admin.require_view(request)
        if request.method == "POST":
            return self._act(request)
        objects = list(visible_objects(request.user))
        slug = request.GET.get("object", "")
        wanted = [each for each in objects if each.slug == slug] or objects
        records = _in_quarantine(wanted)[: _SHOWN + 1]
        rows = self._rows(request, list(records))
        return framed(
            self.admin,
            request,
            "quarantine/list.html",
            title="Quarantine",
            rows=rows[:_SHOWN],
            is_cut=len(rows) > _SHOWN,
            shown=_SHOWN,
            objects=objects,
            chosen_slug=slug if len(wanted) == 1 else "",
            may_release=any(row.may_release for row in rows),
            may_retry=any(row.retry_url for row in rows),
        )

    def _rows(self, request: HttpRequest, records: Sequence[Record]) -> list[Row]:
        """Three queries: the records, how they came here, and by which runs."""
        causes = _causes(records)
        ids = {event.run_id for event in causes.values() if event.run_id}
        runs = Run.objects.select_related("automation").in_bulk(ids)
        retried = _retried(runs)
        sees_records = can_view(request, Record)
        may_retry = self.admin.has_change_permission(request)
        user = cast(User, request.user)
        rows = []
        for record in records:
            event = causes.get(record.pk)
            run = runs.get(event.run_id or "") if event else None
            may_release = can(user, "change", record.object)
            is_retryable = run is not None and _is_retryable(run, retried) and may_retry
            rows.append(
                Row(
                    record=record,
                    run=run,
                    look=look_of(run) if run else None,
                    actor=_actor(event),
                    url=page_url("admin:records_record_change", record.pk) if sees_records else "",
                    run_url=run_url(run.pk) if run else "",
                    retry_url=_retry_url(run) if run and is_retryable and may_release else "",
                    may_release=may_release,
                )
            )
        return rows

    def _act(self, request: HttpRequest) -> HttpResponse:
        """Release what was ticked, or the one whose button it was."""
        one = request.POST.get("one")
        texts = [one] if one else request.POST.getlist("ids")
        ids = {pk for text in texts if (pk := clean_id(Record, text))}
        here = HttpResponseRedirect(request.get_full_path())
        if not ids:
            messages.error(request, "No record was chosen. Tick the records you mean first.")
            return here
        found = Record.objects.filter(pk__in=ids).exclude(quarantined_at=None)
        records = list(found.select_related("object")[:_SHOWN])
        if request.POST.get("action") == "retry" and not one:
            self.admin.require_change(request)
            return self._retry(request, records) or here
        release_records(request, records)
        return here

    def _retry(self, request: HttpRequest, records: Sequence[Record]) -> HttpResponse | None:
        """On to the page that says what retrying their runs would do; it releases them, too."""
        ids = [event.run_id for event in _causes(records).values() if event.run_id]
        runs = Run.objects.in_bulk(ids)
        retried = _retried(runs)
        chosen = [run.pk for run in runs.values() if _is_retryable(run, retried)]
        if not chosen:
            words = "None of these records came here by a run that can be retried; release them instead."
            messages.warning(request, words)
            return None
        return RetryMany(self.admin).ask(request, chosen, release=True)


def _in_quarantine(objects: Sequence[ObjectDefinition]) -> Any:
    found = Record.objects.exclude(quarantined_at=None).filter(deleted_at=None, object__in=objects)
    return found.select_related("object").order_by("-quarantined_at", "-pk")


def _causes(records: Iterable[Record]) -> dict[str, Event]:
    """The event that each record's quarantine is: the latest of its kind."""
    ids = [record.pk for record in records]
    events = Event.objects.filter(record__in=ids, type=_EVENT).select_related("actor")
    return {str(event.record_id): event for event in events.order_by("pk")}


def _retried(runs: Iterable[str]) -> set[str]:
    return set(Run.objects.filter(retry_of__in=list(runs)).values_list("retry_of_id", flat=True))


def _is_retryable(run: Run, retried: set[str]) -> bool:
    return run.status == RunStatus.FAILED and run.pk not in retried


def _retry_url(run: Run) -> str:
    return reverse("admin:automations_run_retry", args=[run.pk]) + "?release=1"


def _actor(event: Event | None) -> str:
    if event is None:
        return ""
    return str(event.actor) if event.actor else event.actor_label
