"""Failures by cause: what keeps failing in the same way, how often, and what to do about it."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final
from urllib.parse import urlencode

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone

from webhooks.admin.links import admin_url, page_url
from webhooks.admin.pages import JobPages
from webhooks.digests import what_to_do
from webhooks.failures import SCAN_CAP, Cause, causes_since
from webhooks.models import FailureGroup, Webhook
from webhooks.summaries import ERROR_NAMES, Summary, attempt_summary, status_words

WINDOWS: Final[dict[str, tuple[str, timedelta | None]]] = {
    "24h": ("Last 24 hours", timedelta(hours=24)),
    "7d": ("Last 7 days", timedelta(days=7)),
    "all": ("All that are kept", None),
}
# More kinds of failures on one page nobody would read.
_MAX_SHOWN: Final = 100


@dataclass(frozen=True, slots=True)
class Row:
    cause: Cause
    summary: Summary
    advice: str
    webhook_url: str
    job_url: str
    jobs_url: str
    retry_url: str


@admin.register(FailureGroup)
class FailureGroupAdmin(JobPages):
    """One page: the failed jobs of a window of time, grouped."""

    folder = "admin/webhooks/failures"

    # --- pages ---

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        self.require_view(request)
        window = request.GET.get("window", "")
        window = window if window in WINDOWS else "24h"
        span = WINDOWS[window][1]
        since = timezone.now() - span if span else None
        found = causes_since(since)
        return self.page(
            request,
            "list.html",
            title="Failures by cause",
            found=found,
            rows=[_row(request, cause, window) for cause in found.causes[:_MAX_SHOWN]],
            hidden=max(0, len(found.causes) - _MAX_SHOWN),
            cap=SCAN_CAP,
            window=window,
            windows=[(name, label) for name, (label, _) in WINDOWS.items()],
            window_words=WINDOWS[window][0].lower(),
            failures_url=f"{reverse('admin:webhooks_webhookjob_changelist')}?tab=failures",
        )

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """A group has no page of its own."""
        return self.changelist_view(request)


def _row(request: HttpRequest, cause: Cause, window: str) -> Row:
    return Row(
        cause=cause,
        summary=_summary(cause),
        advice=what_to_do(cause.error_kind, cause.status_code),
        webhook_url=admin_url(request, Webhook, cause.webhook_id),
        job_url=reverse("admin:webhooks_webhookjob_change", args=[cause.last_job_id]),
        jobs_url=_jobs_url(cause, window),
        retry_url=_retry_url(request, cause, window),
    )


def _summary(cause: Cause) -> Summary:
    summary = attempt_summary(
        is_success=False, status_code=cause.status_code, error_kind=cause.error_kind, error=""
    )
    if cause.error_kind:
        words = ERROR_NAMES.get(cause.error_kind, cause.error_kind)
    else:
        words = status_words(cause.status_code) if cause.status_code else "Failed"
    return Summary(summary.tone, summary.icon, words)


def _jobs_url(cause: Cause, window: str) -> str:
    """The tab Failures with the filters that come nearest."""
    values = {
        "tab": "failures",
        "webhook": cause.webhook_id or "",
        "error": cause.error_kind if cause.error_kind in ERROR_NAMES else "",
        "status": f"{cause.status_code // 100}xx" if cause.status_code else "",
        "time": window if WINDOWS[window][1] else "",
    }
    query = urlencode({name: value for name, value in values.items() if value})
    return f"{reverse('admin:webhooks_webhookjob_changelist')}?{query}"


def _retry_url(request: HttpRequest, cause: Cause, window: str) -> str:
    """The start of a bulk retry; not of a webhook that is gone, for which nothing could be told apart."""
    address = page_url("admin:webhooks_bulkretry_add")
    may_retry = request.user.has_perm("webhooks.change_webhookjob")
    if not (address and may_retry and cause.webhook_id):
        return ""
    values = {
        "webhook": cause.webhook_id,
        "error": cause.error_kind,
        "status": str(cause.status_code or ""),
        "time": window if WINDOWS[window][1] else "",
    }
    return f"{address}?{urlencode({name: value for name, value in values.items() if value})}"
