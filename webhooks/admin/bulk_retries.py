"""Bulk retries: which jobs, how many that are, and how far it has come."""

from datetime import datetime
from typing import Any

from django.contrib import admin, messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from webhooks.admin.bulk_retry_form import BulkRetryForm, form_choices
from webhooks.admin.bulk_retry_page import progress_context, progress_of, words_of
from webhooks.admin.filters import clean_id
from webhooks.admin.live import live_part, part_response, wants_part
from webhooks.admin.pages import JobPages
from webhooks.bulk_retries import (
    BATCH_SIZE,
    MAX_WAITING,
    cancel_bulk_retry,
    start_bulk_retry,
)
from webhooks.models import BulkRetry
from webhooks.retry_filters import preview_of

# The list shows no more; older ones are of no use to anybody.
_SHOWN = 100


@admin.register(BulkRetry)
class BulkRetryAdmin(JobPages):
    folder = "admin/webhooks/bulkretry"

    # --- pages ---

    def get_urls(self) -> list[URLPattern]:
        cancel = self.admin_site.admin_view(require_POST(self.cancel_view))
        return [
            path("<str:object_id>/cancel/", cancel, name="webhooks_bulkretry_cancel"),
            *super().get_urls(),
        ]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        self.require_view(request)
        bulks = BulkRetry.objects.select_related("created_by").order_by("-pk")[:_SHOWN]
        return self.page(
            request,
            "list.html",
            title="Bulk retries",
            rows=[{"bulk": bulk, "words": words_of(bulk), **progress_of(bulk)} for bulk in bulks],
            may_change=self.has_change_permission(request),
        )

    def add_view(
        self,
        request: HttpRequest,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Choose, see how many; a POST starts it."""
        self.require_change(request)
        data = request.POST if request.method == "POST" else request.GET
        form = BulkRetryForm(data or None)
        now = timezone.now()
        which = form.retry_filter(now) if form.is_bound and form.is_valid() else None
        if which is not None and request.method == "POST":
            bulk = start_bulk_retry(which=which, actor=request.user)  # type: ignore[arg-type]
            messages.success(request, "The bulk retry has begun.")
            return HttpResponseRedirect(reverse("admin:webhooks_bulkretry_change", args=[bulk.pk]))
        return self.page(
            request,
            "new.html",
            title="Retry what failed",
            form=form,
            choices=form_choices(form),
            which=which,
            preview=preview_of(which) if which is not None else None,
            since=_minute(which.since) if which and which.since and not data.get("time") else "",
            until=(which.until if which and which.until else now).isoformat(),
            per_second=BATCH_SIZE,
            max_waiting=MAX_WAITING,
        )

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        self.require_view(request)
        bulk = self._bulk(object_id)
        may_change = self.has_change_permission(request)
        context = progress_context(bulk) | {"may_change": may_change}
        part = live_part(
            request,
            f"{self.folder}/_progress.html",
            context,
            is_open=bulk.is_running or context["outcomes"].waiting > 0,
        )
        if wants_part(request):
            return part_response(request, part)
        return self.page(request, "progress.html", title=str(bulk), **context, **part)

    # --- actions ---

    def cancel_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        self.require_change(request)
        bulk = self._bulk(object_id)
        if cancel_bulk_retry(bulk=bulk):
            bulk.refresh_from_db()
            messages.success(
                request,
                f"Cancelled. {bulk.done:,} jobs were put back; the others stay as they are.",
            )
        else:
            messages.warning(request, "It had ended already.")
        return HttpResponseRedirect(reverse("admin:webhooks_bulkretry_change", args=[bulk.pk]))

    def _bulk(self, object_id: str) -> BulkRetry:
        pk = clean_id(BulkRetry, object_id)
        found = BulkRetry.objects.select_related("created_by").filter(pk=pk).first() if pk else None
        if found is None:
            raise Http404("There is no such bulk retry; perhaps it was cleaned up.")
        return found


def _minute(moment: datetime) -> str:
    """As a field for a date and a time takes it."""
    return f"{timezone.localtime(moment):%Y-%m-%dT%H:%M}"
