"""Bulk retries of runs: their list, how far each has come, and stopping one."""

from typing import TYPE_CHECKING, Any, Final

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from automations.admin.frame import framed
from automations.admin.run_filters import ERROR_KINDS, MODES
from automations.bulk_reruns import (
    MAX_READY,
    cancel_bulk_rerun,
    outcomes_of,
    query_of,
    ready_of,
)
from automations.models import Automation, BulkRerun, Run
from webhooks.admin.filters import clean_id
from webhooks.admin.live import live_part, part_response, wants_part

if TYPE_CHECKING:
    from automations.admin.runs import RunAdmin

_FOLDER: Final = "admin/automations/reruns"
# The list shows no more; older ones are of no use to anybody.
_SHOWN: Final = 100


class RetryBulkPages:
    def __init__(self, model_admin: "RunAdmin") -> None:
        self.admin = model_admin

    def urls(self) -> list[URLPattern]:
        wrap = self.admin.admin_site.admin_view
        return [
            path("retries/", wrap(self.list), name="automations_run_retries"),
            path("retries/<str:rerun_id>/", wrap(self.progress), name="automations_run_rerun"),
            path(
                "retries/<str:rerun_id>/cancel/",
                wrap(require_POST(self.cancel)),
                name="automations_run_rerun_cancel",
            ),
        ]

    def list(self, request: HttpRequest) -> HttpResponse:
        self.admin.require_view(request)
        bulks = BulkRerun.objects.select_related("created_by").order_by("-pk")[:_SHOWN]
        names = _names(bulks)
        rows = [{"bulk": bulk, "words": words_of(bulk, names), **_progress(bulk)} for bulk in bulks]
        return framed(
            self.admin, request, "reruns/list.html", title="Bulk retries of runs", rows=rows
        )

    def progress(self, request: HttpRequest, rerun_id: str) -> HttpResponse:
        self.admin.require_view(request)
        bulk = _bulk(rerun_id)
        context = _context(bulk) | {"may_change": self.admin.has_change_permission(request)}
        is_open = bulk.is_running or context["outcomes"].open > 0
        part = live_part(request, f"{_FOLDER}/_progress.html", context, is_open=is_open)
        if wants_part(request):
            return part_response(request, part)
        return framed(
            self.admin, request, "reruns/progress.html", title=str(bulk), **context, **part
        )

    def cancel(self, request: HttpRequest, rerun_id: str) -> HttpResponse:
        self.admin.require_change(request)
        bulk = _bulk(rerun_id)
        if cancel_bulk_rerun(bulk=bulk):
            bulk.refresh_from_db()
            words = f"Stopped. {bulk.done:,} runs were tried again; the others stay as they are."
            messages.success(request, words)
        else:
            messages.warning(request, "It had ended already.")
        return HttpResponseRedirect(rerun_url(bulk.pk))


def rerun_url(pk: str) -> str:
    return reverse("admin:automations_run_rerun", args=[pk])


def words_of(bulk: BulkRerun, names: dict[str, str]) -> str:
    """What failed: “Score leads · Expression · “timeout””."""
    query = query_of(bulk)
    parts = []
    if query.automation_id:
        parts.append(names.get(query.automation_id, query.automation_id))
    if query.error_kind:
        parts.append(ERROR_KINDS.get(query.error_kind, query.error_kind))
    if query.mode:
        parts.append(f"{MODES.get(query.mode, query.mode)} mode")
    parts += [each for each in (query.run_id, query.record_id, query.event_id) if each]
    if query.cause_id:
        parts.append(f"caused by {query.cause_id}")
    if query.text:
        parts.append(f"“{query.text}”")
    return " · ".join(parts) or "Everything that failed"


def _names(bulks: Any) -> dict[str, str]:
    ids = {bulk.which.get("automation_id") for bulk in bulks} - {None}
    return dict(Automation.objects.filter(pk__in=ids).values_list("pk", "name"))


def _bulk(rerun_id: str) -> BulkRerun:
    pk = clean_id(BulkRerun, rerun_id)
    found = BulkRerun.objects.select_related("created_by").filter(pk=pk).first() if pk else None
    if found is None:
        raise Http404("There is no such bulk retry; perhaps it was cleaned up.")
    return found


def _progress(bulk: BulkRerun) -> dict[str, Any]:
    """`percent` is None while it is not known how many there are."""
    percent = None
    if bulk.counted_at is not None:
        handled = bulk.done + bulk.left
        percent = min(100, handled * 100 // bulk.total) if bulk.total else 100
    return {"percent": percent}


def _context(bulk: BulkRerun) -> dict[str, Any]:
    end = bulk.finished_at or timezone.now()
    took_s = max(1.0, (end - (bulk.counted_at or bulk.created_at)).total_seconds())
    rate = bulk.done / took_s
    to_do = max(0, bulk.total - bulk.done - bulk.left)
    is_held = bulk.is_running and ready_of(bulk) >= MAX_READY
    outcomes = outcomes_of(bulk)
    runs = bulk.runs.select_related("automation").order_by("-pk")
    return {
        "bulk": bulk,
        "words": words_of(bulk, _names([bulk])),
        "query": query_of(bulk),
        **_progress(bulk),
        "rate": f"{rate:,.0f}" if rate >= 10 else f"{rate:.1f}",
        "left_words": _rough_time(to_do / rate) if rate and to_do and not is_held else "",
        "is_held": is_held,
        "max_ready": MAX_READY,
        "outcomes": outcomes,
        # There are more than are counted, or some were cleaned up since.
        "is_partly_known": outcomes.counted < bulk.done,
        "newest": _listed(runs),
    }


def _listed(runs: Any) -> list[dict[str, Any]]:
    """The newest of its runs, those that failed again before the others."""
    heavy = ("conditions", "cursor", "variables", "error", "answer", "automation__draft")
    found: list[Run] = list(runs.filter(status="failed").defer(*heavy)[:5])
    return [
        {"run": run, "url": reverse("admin:automations_run_change", args=[run.pk])} for run in found
    ]


def _rough_time(seconds: float) -> str:
    return f"{max(1, round(seconds))} s" if seconds < 90 else f"{round(seconds / 60)} min"
