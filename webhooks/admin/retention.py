"""Retention: what is kept for how long, and how far the cleaning has come."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from records.ids import moment_of
from webhooks.admin.live import live_part, part_response, wants_part
from webhooks.admin.pages import OwnPages
from webhooks.models import RetentionState
from webhooks.retention import begin_retention
from webhooks.retention_rules import RULES, Rule


@dataclass(frozen=True, slots=True)
class Row:
    """A rule and its state; the state is None until the rule has run. `reached`: how far a run under way is."""

    rule: Rule
    state: RetentionState | None
    reached: datetime | None
    today: int
    # Its time has come, and it has not begun.
    is_due: bool = False

    @property
    def is_running(self) -> bool:
        return self.state is not None and self.state.started_at is not None


@admin.register(RetentionState)
class RetentionAdmin(OwnPages):
    folder = "admin/webhooks/retention"

    # --- pages ---

    def get_urls(self) -> list[URLPattern]:
        run = self.admin_site.admin_view(require_POST(self.run_view))
        return [path("run/", run, name="webhooks_retentionstate_run"), *super().get_urls()]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        self.require_view(request)
        rows = retention_rows()
        context = {
            "rows": rows,
            "is_running": any(row.is_running or row.is_due for row in rows),
            "today": sum(row.today for row in rows),
            "may_change": self.has_change_permission(request),
        }
        part = live_part(
            request, f"{self.folder}/_rules.html", context, is_open=context["is_running"]
        )
        if wants_part(request):
            return part_response(request, part)
        return self.page(request, "list.html", title="Retention", **context, **part)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """A rule has no page of its own."""
        return self.changelist_view(request)

    # --- actions ---

    def run_view(self, request: HttpRequest) -> HttpResponse:
        self.require_change(request)
        begin_retention()
        messages.success(request, "Cleaning up begins within a second, a little at a time.")
        return HttpResponseRedirect(reverse("admin:webhooks_retentionstate_changelist"))


def retention_rows() -> list[Row]:
    states = {state.name: state for state in RetentionState.objects.all()}
    return [_row(rule, states.get(rule.name), timezone.now()) for rule in RULES.values()]


def _row(rule: Rule, state: RetentionState | None, now: datetime) -> Row:
    if state is None:
        return Row(rule, None, None, 0, is_due=True)
    return Row(
        rule=rule,
        state=state,
        reached=moment_of(state.cursor) if state.started_at and state.cursor else None,
        today=state.today_count if state.today == timezone.localdate(now) else 0,
        is_due=state.started_at is None and state.next_run_at <= now,
    )
