"""Inspectors: their addresses, what they answer, and what has arrived."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, ClassVar, Final

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST
from unfold.admin import ModelAdmin
from unfold.widgets import UnfoldAdminTextareaWidget

from records.admin.empty import EmptyState
from records.ids import decode
from webhooks.admin.arrivals import arrivals_of
from webhooks.curl import curl_command
from webhooks.inbound.inspectors import KEEP_PER_INSPECTOR, clear_requests
from webhooks.models import InboundEndpoint, RequestLog

_FOLDER: Final = "admin/webhooks/inboundendpoint"


class InspectorForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = InboundEndpoint
        fields = ("name", "answer_status", "answer_body")
        widgets: ClassVar = {"answer_body": UnfoldAdminTextareaWidget(attrs={"rows": 4})}
        help_texts: ClassVar = {
            "answer_status": "What the caller gets. 500 or 429, for example, to see how retries go.",
            "answer_body": "Text, or JSON if it begins with { or [.",
        }

    def clean_answer_status(self) -> int:
        status: int = self.cleaned_data["answer_status"]
        if not 200 <= status <= 599:
            raise forms.ValidationError(
                f"{status} is no status to answer with; use one from 200 to 599."
            )
        return status


@admin.register(InboundEndpoint)
class InspectorAdmin(ModelAdmin):  # type: ignore[misc]
    list_display = ("name", "address", "answers", "last_arrival")
    ordering = ("name",)
    search_fields = ("name",)
    empty_state = EmptyState(
        "frame_inspect",
        "No inspectors yet",
        "An inspector is an address that shows whatever arrives there. Make one, point a webhook at it, and see "
        "exactly what is sent before the real receiver does.",
        "Make an inspector",
    )
    form = InspectorForm
    warn_unsaved_form = True
    # The form stands in a narrow column: labels above the fields.
    compressed_fields = False
    change_form_outer_before_template = f"{_FOLDER}/_inspector.html"

    class Media:
        css: ClassVar = {"all": ["webhooks/jobs.css", "admin_look/inspector.css"]}
        js = ("webhooks/jobs.js", "admin_look/inspector.js")

    def get_urls(self) -> list[URLPattern]:
        def page(route: str, view: Callable[..., HttpResponse], name: str) -> URLPattern:
            view = self.admin_site.admin_view(view)
            return path(route, view, name=f"webhooks_inboundendpoint_{name}")

        return [
            page("<str:object_id>/arrivals/", self.arrivals_view, "arrivals"),
            page("<str:object_id>/clear/", require_POST(self.clear_view), "clear"),
            *super().get_urls(),
        ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[InboundEndpoint]:
        newest = RequestLog.objects.filter(endpoint=OuterRef("pk")).order_by("-pk")
        inspectors: QuerySet[InboundEndpoint] = super().get_queryset(request)
        return inspectors.annotate(last_arrival_at=Subquery(newest.values("started_at")[:1]))

    # --- pages ---

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        endpoint = self.get_object(request, unquote(object_id))
        context = dict(extra_context or {})
        if endpoint is not None and self.has_view_or_change_permission(request, endpoint):
            context |= {
                "endpoint": endpoint,
                "arrivals": arrivals_of(request, endpoint),
                "curl": example_of(endpoint),
                "keep": KEEP_PER_INSPECTOR,
                "show_save_and_add_another": False,
                "may_clear": self.has_change_permission(request, endpoint),
            }
        return super().change_view(request, object_id, form_url, context)  # type: ignore[no-any-return]

    def arrivals_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """For HTMX: what is newer than `after` (204 when nothing is), or older than `before`."""
        endpoint = self._endpoint(request, object_id)
        after = request_id(request.GET.get("after", ""))
        before = request_id(request.GET.get("before", ""))
        arrivals = arrivals_of(request, endpoint, after=after, before=before)
        if not arrivals.items and not before:
            return HttpResponse(status=204)
        has_gap = bool(after and arrivals.older)
        context = {
            "endpoint": endpoint,
            # With `after` the list on the page goes on where it did; it has its own way to older ones.
            "arrivals": replace(arrivals, older="") if after and not has_gap else arrivals,
            "is_new": not before,
        }
        response = TemplateResponse(request, f"{_FOLDER}/_arrivals.html", context)
        if has_gap or not (after or before):
            response["HX-Reswap"] = "innerHTML"  # more came than one page holds: begin anew
        return response

    def clear_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        endpoint = self._endpoint(request, object_id)
        if not self.has_change_permission(request, endpoint):
            raise PermissionDenied
        count = clear_requests(endpoint)
        words = f"{count} request{'' if count == 1 else 's'}"
        self.log_change(request, endpoint, f"Cleared {words}.")
        messages.success(request, f"{words} cleared.")
        return HttpResponseRedirect(
            reverse("admin:webhooks_inboundendpoint_change", args=[endpoint.pk])
        )

    def _endpoint(self, request: HttpRequest, object_id: str) -> InboundEndpoint:
        endpoint: InboundEndpoint | None = self.get_object(request, unquote(object_id))
        if endpoint is None:
            raise Http404("There is no such inspector.")
        if not self.has_view_or_change_permission(request, endpoint):
            raise PermissionDenied
        return endpoint

    # --- displays ---

    @admin.display(description="Address")
    def address(self, endpoint: InboundEndpoint) -> SafeString:
        return format_html(
            '<span class="sb-address"><code>{}</code><button type="button" class="jobs-small"'
            ' data-copy-text="{}"><span data-copy-words>Copy</span>'
            '<span class="sb-hidden"> the address of {}</span></button></span>',
            endpoint.url,
            endpoint.url,
            endpoint.name,
        )

    @admin.display(description="Answers with", ordering="answer_status")
    def answers(self, endpoint: InboundEndpoint) -> str:
        return str(endpoint.answer_status)

    @admin.display(description="Last request")
    def last_arrival(self, endpoint: Any) -> Any:
        return endpoint.last_arrival_at or "Nothing yet"


def example_of(endpoint: InboundEndpoint) -> str:
    """A command that sends something to try it with."""
    return curl_command(
        method="POST",
        url=endpoint.url,
        headers=[("Content-Type", "application/json")],
        body='{"hello": "world"}',
    )


def request_id(text: str) -> str:
    """The id of a request, or "" for what is none."""
    try:
        decode("req", text)
    except ValueError:
        return ""
    return text
