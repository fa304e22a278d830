"""The history of runs: the list, a run's page, and giving up a run."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.views.decorators.http import require_POST

from automations.admin.quarantine import QuarantinePages
from automations.admin.retry_bulk import RetryBulkPages
from automations.admin.retry_many import RetryMany
from automations.admin.retry_names import RetryNames
from automations.admin.retry_page import RetryPage
from automations.admin.run_list import filter_context, list_context
from automations.admin.run_page import load_run, run_context, run_url
from automations.admin.run_rounds import RunRounds
from automations.admin.run_steps import details_of
from automations.exceptions import RunRefused
from automations.history import Tab
from automations.models import Run, StepRun
from automations.services import cancel_run
from webhooks.admin.filters import clean_id
from webhooks.admin.live import live_part, part_response, wants_part
from webhooks.admin.pages import OwnPages


@admin.register(Run)
class RunAdmin(OwnPages):
    """Read-only. The pages are our own: Django's list counts and sorts in ways that a table of millions can't bear."""

    folder = "admin/automations/runs"

    def get_urls(self) -> list[URLPattern]:
        def page(route: str, view: Callable[..., HttpResponse], name: str) -> URLPattern:
            guarded: Callable[..., HttpResponse] = self.admin_site.admin_view(view)
            return path(route, guarded, name=f"automations_run_{name}")

        families = (QuarantinePages, RetryBulkPages, RetryMany, RetryNames, RetryPage, RunRounds)
        return [
            *[pattern for family in families for pattern in family(self).urls()],
            page("<str:object_id>/steps/<str:step_id>/", self.step_view, "step"),
            page("<str:object_id>/cancel/", require_POST(self.cancel_view), "cancel"),
            *super().get_urls(),
        ]

    # --- pages ---

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        self.require_view(request)
        context = list_context(request)
        # What did not fire can't be retried.
        is_fired = context["asked"].query.tab != Tab.NOT_FIRED
        context["may_tick"] = is_fired and self.has_change_permission(request)
        part = live_part(
            request,
            f"{self.folder}/_list.html",
            context,
            is_open=context["is_open"],
            beside={"tabs": "admin/webhooks/webhookjob/_tabs.html"},
        )
        if wants_part(request):
            return part_response(request, part)
        context |= filter_context(context["asked"]) | part
        return self.page(request, "list.html", title="Runs", **context)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        self.require_view(request)
        run = self._run(object_id)
        if run is None:
            return self.no_such_run(request, object_id)
        context = run_context(request, run, may_change=self.has_change_permission(request))
        part = live_part(request, f"{self.folder}/_run.html", context, is_open=context["is_open"])
        if wants_part(request):
            return part_response(request, part)
        return self.page(request, "run.html", title=str(run.automation), **context, **part)

    def step_view(self, request: HttpRequest, object_id: str, step_id: str) -> HttpResponse:
        """One execution of a step, for the page to show when it is opened."""
        self.require_view(request)
        run_pk, step_pk = clean_id(Run, object_id), clean_id(StepRun, step_id)
        if not run_pk or not step_pk:
            raise Http404("There is no such step.")
        row = get_object_or_404(StepRun, pk=step_pk, run=run_pk)
        detail = details_of(request, [row], is_whole="whole" in request.GET)[row.pk]
        return TemplateResponse(request, f"{self.folder}/_detail.html", {"detail": detail})

    # --- actions ---

    def cancel_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        self.require_change(request)
        run = self._run(object_id)
        if run is None:
            return self.no_such_run(request, object_id)
        try:
            cancel_run(run=run, actor=request.user)  # type: ignore[arg-type]  # the admin knows only our users
        except RunRefused as refusal:
            messages.error(request, str(refusal))
        else:
            messages.success(
                request, "The run is cancelled; none of its further steps will be done."
            )
        return HttpResponseRedirect(run_url(run.pk))

    def _run(self, object_id: str) -> Run | None:
        pk = clean_id(Run, object_id)
        return load_run(pk) if pk else None

    def no_such_run(self, request: HttpRequest, object_id: str) -> HttpResponse:
        messages.warning(request, f"There is no run “{object_id[:60]}”; perhaps it was cleaned up.")
        return HttpResponseRedirect(reverse("admin:automations_run_changelist"))
