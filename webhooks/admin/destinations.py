"""Destinations: how each is doing, its limits, and what can be done when it is in trouble."""

from collections.abc import Callable
from typing import Any, ClassVar, Final
from urllib.parse import urlencode

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST
from unfold.admin import ModelAdmin
from unfold.views import ChangeList

from records.admin.empty import EmptyState
from webhooks.admin.destination_page import destination_context
from webhooks.admin.filters import clean_id
from webhooks.admin.links import page_url
from webhooks.admin.live import live_part, part_response, wants_part
from webhooks.destinations import (
    COUNT_CAP,
    close_circuit,
    disable_destination,
    enable_destination,
    pending_counts,
    probe_now,
)
from webhooks.exceptions import DestinationRefused
from webhooks.models import Destination
from webhooks.rendering import lane_of
from webhooks.retry_filters import RetryFilter, preview_of

_FOLDER: Final = "admin/webhooks/destination"


class DestinationForm(forms.ModelForm):  # type: ignore[type-arg]
    """The limits; for a new row also the origin, which may be given as any URL of it."""

    class Meta:
        model = Destination
        fields = ("lane", "concurrency", "rate_per_s")
        labels: ClassVar = {"concurrency": "Requests at once", "rate_per_s": "Requests per second"}

    def clean_lane(self) -> str:
        lane = lane_of(self.cleaned_data["lane"].strip())
        if "://" not in lane:
            raise forms.ValidationError("This is no origin such as https://api.example.com.")
        return lane


class DestinationChangeList(ChangeList):  # type: ignore[misc]
    result_list: Any

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        self.result_list = list(self.result_list)
        pending = pending_counts([row.lane for row in self.result_list])
        for row in self.result_list:
            row.pending = pending.get(row.lane, 0)


@admin.register(Destination)
class DestinationAdmin(ModelAdmin):  # type: ignore[misc]
    list_display = ("lane", "show_state", "show_failures", "show_pending", "show_limits")
    list_display_links = ("lane",)
    list_select_related = ("disabled_by",)
    list_per_page = 50
    ordering = ("lane",)

    list_filter = ("circuit",)
    search_fields = ("lane",)
    search_help_text = "A part of the origin"

    empty_state = EmptyState(
        "dns",
        "No destinations yet",
        "Every origin that is sent to, such as https://api.example.com, appears here by itself with its first request: "
        "whether it answers, and how much may be sent to it at once. Make a webhook, or an automation with a request.",
        "",
    )

    form = DestinationForm
    warn_unsaved_form = True
    compressed_fields = False
    change_form_outer_before_template = f"{_FOLDER}/_circuit.html"

    class Media:
        css: ClassVar = {"all": ["webhooks/jobs.css", "webhooks/operations.css"]}
        js = ("webhooks/jobs.js",)

    # --- pages ---

    def get_urls(self) -> list[URLPattern]:
        def page(route: str, view: Callable[..., HttpResponse], name: str) -> URLPattern:
            view = self.admin_site.admin_view(view)
            return path(route, view, name=f"webhooks_destination_{name}")

        return [
            page("of/", self.of_view, "of"),
            page("<str:object_id>/probe/", require_POST(self.probe_view), "probe"),
            page("<str:object_id>/close/", require_POST(self.close_view), "close"),
            page("<str:object_id>/enable/", require_POST(self.enable_view), "enable"),
            page("<str:object_id>/disable/", self.disable_view, "disable"),
            *super().get_urls(),
        ]

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[DestinationChangeList]:
        return DestinationChangeList

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> Destination | None:
        """Whatever stands in an address, it is an id or there is no such destination."""
        pk = clean_id(Destination, object_id)
        return super().get_object(request, pk, from_field) if pk else None

    def get_fieldsets(self, request: HttpRequest, obj: Destination | None = None) -> Any:
        """The origin stands above the form, once it is known."""
        limits = ("concurrency", "rate_per_s")
        return (("Limits", {"fields": limits if obj else ("lane", *limits)}),)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        context = dict(extra_context or {}) | {"show_save_and_add_another": False}
        destination = self.get_object(request, object_id)
        if destination is not None and self.has_view_or_change_permission(request, destination):
            may_change = self.has_change_permission(request, destination)
            card = destination_context(request, destination, may_change=may_change)
            part = live_part(request, f"{_FOLDER}/_card.html", card, is_open=card["is_live"])
            if wants_part(request):
                return part_response(request, part)
            context |= card | part
        response: HttpResponse = super().change_view(request, object_id, form_url, context)
        return response

    def of_view(self, request: HttpRequest) -> HttpResponse:
        """The page of an origin, `?lane=…`. Without a row there is no trouble; the form offers to set limits."""
        if not self.has_view_or_change_permission(request):
            raise PermissionDenied
        lane = request.GET.get("lane", "").replace("\0", "")[:270]
        found = Destination.objects.filter(lane=lane).first()
        if found is not None:
            return _to(found)
        if "://" not in lane or not self.has_add_permission(request):
            messages.info(request, f"{lane or 'It'} has neither limits nor trouble so far.")
            return HttpResponseRedirect(reverse("admin:webhooks_destination_changelist"))
        messages.info(request, f"{lane} works: it has had no trouble. Here it can be given limits.")
        query = urlencode({"lane": lane})
        return HttpResponseRedirect(f"{reverse('admin:webhooks_destination_add')}?{query}")

    # --- actions ---

    def probe_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        def probe(destination: Destination) -> str:
            if probe_now(destination=destination):
                return "A waiting job is sent now, to see whether it works again."
            return "Nothing waits for it. The next job that comes is sent at once, to see whether it works."

        return self._act(request, object_id, probe)

    def close_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        def close(destination: Destination) -> str:
            waiting = self._waiting(destination)
            close_circuit(destination=destination)
            return f"The pause is over: {waiting}."

        return self._act(request, object_id, close)

    def enable_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Then on to retrying what has failed meanwhile, if something has."""
        destination = self._changeable(request, object_id)
        try:
            since = enable_destination(destination=destination)
        except DestinationRefused as refusal:
            messages.error(request, str(refusal))
            return _to(destination)
        self.log_change(request, destination, "Enabled.")
        messages.success(request, f"{destination.lane} is enabled: requests go there again.")
        missed = preview_of(RetryFilter(lane=destination.lane, since=since))
        retry = page_url("admin:webhooks_bulkretry_add")
        if not missed.count or not retry:
            return _to(destination)
        values = {"destination": destination.lane, "since": since.isoformat() if since else ""}
        return HttpResponseRedirect(f"{retry}?{urlencode(values)}")

    def disable_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """First what it means and how many jobs wait, then, when that is confirmed, doing it."""
        if request.method != "POST":
            return self._disable_page(request, object_id)

        def disable(destination: Destination) -> str:
            disable_destination(destination=destination, actor=request.user)  # type: ignore[arg-type]
            self.log_change(request, destination, "Disabled.")
            return "It is disabled. What waits for it is ended as failed, and can be retried together later."

        return self._act(request, object_id, disable)

    def _disable_page(self, request: HttpRequest, object_id: str) -> HttpResponse:
        destination = self._changeable(request, object_id)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "media": self.media,
            "title": "Disable a destination",
            "destination": destination,
            "waiting": _capped(pending_counts([destination.lane]).get(destination.lane, 0)),
        }
        return TemplateResponse(request, f"{_FOLDER}/disable.html", context)

    def _act(
        self, request: HttpRequest, object_id: str, act: Callable[[Destination], str]
    ) -> HttpResponse:
        destination = self._changeable(request, object_id)
        try:
            messages.success(request, act(destination))
        except DestinationRefused as refusal:
            messages.error(request, str(refusal))
        return _to(destination)

    def _waiting(self, destination: Destination) -> str:
        count = pending_counts([destination.lane]).get(destination.lane, 0)
        if not count:
            return "nothing waits, and what comes is sent"
        return f"{_capped(count)} waiting {'job is' if count == 1 else 'jobs are'} sent"

    def _changeable(self, request: HttpRequest, object_id: str) -> Destination:
        destination = self.get_object(request, object_id)
        if destination is None:
            raise Http404("There is no such destination.")
        if not self.has_change_permission(request, destination):
            raise PermissionDenied
        return destination

    # --- queryset ---

    def get_queryset(self, request: HttpRequest) -> QuerySet[Destination]:
        rows: QuerySet[Destination] = super().get_queryset(request)
        return rows.select_related("disabled_by")

    # --- displays ---

    @admin.display(description="State", ordering="circuit")
    def show_state(self, destination: Destination) -> SafeString:
        return render_to_string(f"{_FOLDER}/_state.html", {"destination": destination})

    @admin.display(description="Failures in a row", ordering="failures")
    def show_failures(self, destination: Destination) -> str:
        return f"{destination.failures:,}" if destination.failures else "–"

    @admin.display(description="Pending")
    def show_pending(self, destination: Any) -> str:
        return _capped(destination.pending) if destination.pending else "–"

    @admin.display(description="Limits")
    def show_limits(self, destination: Destination) -> str:
        limits = []
        if destination.concurrency is not None:
            limits.append(f"{destination.concurrency} at once")
        if destination.rate_per_s is not None:
            limits.append(f"{destination.rate_per_s:g} per second")
        return ", ".join(limits) or "–"

    # --- permissions ---

    def has_delete_permission(self, request: HttpRequest, obj: Destination | None = None) -> bool:
        """With its row its state would go, and what is disabled would be sent to again."""
        return False


def _capped(count: int) -> str:
    return f"{COUNT_CAP:,}+" if count > COUNT_CAP else f"{count:,}"


def _to(destination: Destination) -> HttpResponseRedirect:
    return HttpResponseRedirect(reverse("admin:webhooks_destination_change", args=[destination.pk]))
