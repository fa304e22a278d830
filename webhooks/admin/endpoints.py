"""Inbound endpoints: inspectors, automations' and forms'. Their addresses, who may send, and what has arrived."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, ClassVar, Final

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
from unfold.decorators import action

from records.admin.empty import EmptyState
from webhooks.admin.arrivals import arrivals_of
from webhooks.admin.endpoint_forms import EndpointForm, sections_for, sections_to_read
from webhooks.admin.filters import clean_id
from webhooks.admin.inspectors import InspectorForm, example_of, request_id
from webhooks.admin.links import page_url
from webhooks.admin.request_rows import may_see_addresses
from webhooks.automationlinks import known_automations
from webhooks.inbound.endpoints import GRACES, rotate_test_token, rotate_token
from webhooks.inbound.inspectors import KEEP_PER_INSPECTOR, clear_requests
from webhooks.models import EndpointKind, InboundEndpoint, RequestLog
from webhooks.templatetags.job_words import ago, moment
from webhooks.verification import SCHEMES

_FOLDER: Final = "admin/webhooks/endpoints"
_INSPECTOR_FIELDS: Final = ("name", "answer_status", "answer_body")
# What people fill in takes time; who posts more often is no visitor.
_POSTS_PER_ADDRESS_PER_MINUTE: Final = 30


@admin.register(InboundEndpoint)
class EndpointAdmin(ModelAdmin):  # type: ignore[misc]
    list_display = ("name", "kind", "address", "verified_by", "last_arrival")
    list_filter = ("kind",)
    ordering = ("name",)
    search_fields = ("name",)
    empty_state = EmptyState(
        "move_to_inbox",
        "No addresses yet",
        "An inspector shows whatever arrives at it: point a webhook at one, and see exactly what is sent before the "
        "real receiver does. Addresses of forms make records of posts. An automation's comes with its trigger “Webhook "
        "received”.",
        "Make an inspector",
    )
    actions_list = ("add_form",)
    warn_unsaved_form = True
    # The form stands in a narrow column: labels above the fields.
    compressed_fields = False
    delete_confirmation_template = f"{_FOLDER}/delete_confirmation.html"
    change_form_outer_before_template = f"{_FOLDER}/_endpoint.html"

    class Media:
        css: ClassVar = {"all": ["webhooks/jobs.css", "admin_look/inspector.css"]}
        js = ("webhooks/jobs.js", "admin_look/inspector.js", "webhooks/endpoint.js")

    def get_urls(self) -> list[URLPattern]:
        def page(route: str, view: Callable[..., HttpResponse], name: str) -> URLPattern:
            view = self.admin_site.admin_view(view)
            return path(f"<str:object_id>/{route}/", view, name=f"webhooks_inboundendpoint_{name}")

        return [
            page("arrivals", self.arrivals_view, "arrivals"),
            page("clear", require_POST(self.clear_view), "clear"),
            page("rotate", require_POST(self.rotate_view), "rotate"),
            page("rotate-test", require_POST(self.rotate_test_view), "rotate_test"),
            *super().get_urls(),
        ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[InboundEndpoint]:
        newest = RequestLog.objects.filter(endpoint=OuterRef("pk")).order_by("-pk")
        endpoints: QuerySet[InboundEndpoint] = super().get_queryset(request)
        return endpoints.annotate(last_arrival_at=Subquery(newest.values("started_at")[:1]))

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> InboundEndpoint | None:
        """Whatever stands in an address, it is an id or there is no such endpoint."""
        pk = clean_id(InboundEndpoint, object_id)
        return super().get_object(request, pk, from_field) if pk else None

    def has_delete_permission(
        self, request: HttpRequest, obj: InboundEndpoint | None = None
    ) -> bool:
        """An automation's endpoint is there as long as the automation."""
        is_own = obj is None or obj.kind != EndpointKind.AUTOMATION
        return is_own and super().has_delete_permission(request, obj)

    def get_list_display(self, request: HttpRequest) -> Sequence[str]:
        hidden = () if may_see_addresses(request) else ("address",)
        return [name for name in self.list_display if name not in hidden]

    # --- form ---

    def get_form(
        self,
        request: HttpRequest,
        obj: InboundEndpoint | None = None,
        change: bool = False,
        **kwargs: Any,
    ) -> Any:
        if _kind_of(request, obj) == EndpointKind.INSPECTOR:
            return super().get_form(
                request, obj, change=change, **{**kwargs, "form": InspectorForm}
            )

        class Form(EndpointForm):
            def __init__(self, *args: Any, **values: Any) -> None:
                if values.get("instance") is None:
                    values["instance"] = _new_form()
                super().__init__(*args, **values)

        return Form

    def get_fieldsets(self, request: HttpRequest, obj: InboundEndpoint | None = None) -> Any:
        if _kind_of(request, obj) == EndpointKind.INSPECTOR:
            return [(None, {"fields": _INSPECTOR_FIELDS})]
        endpoint = obj or _new_form()
        if obj is None or self.has_change_permission(request, obj):
            return sections_for(endpoint)
        return sections_to_read(endpoint)

    def response_add(
        self, request: HttpRequest, obj: InboundEndpoint, post_url_continue: str | None = None
    ) -> HttpResponse:
        """To its page: the address is what one comes for."""
        super().response_add(request, obj, post_url_continue)
        return HttpResponseRedirect(_page_of(obj))

    # --- pages ---

    def add_view(
        self,
        request: HttpRequest,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        may_automate = request.user.has_perm("automations.add_automation")
        context = {
            **(extra_context or {}),
            "adding": _kind_of(request, None),
            "title": "New form"
            if _kind_of(request, None) == EndpointKind.FORM
            else "New inspector",
            "new_automation_url": page_url("admin:automations_automation_add")
            if may_automate
            else "",
        }
        return super().add_view(request, form_url, context)  # type: ignore[no-any-return]

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
            may_change = self.has_change_permission(request, endpoint)
            context |= {
                "endpoint": endpoint,
                "sees_address": may_see_addresses(request),
                "arrivals": arrivals_of(request, endpoint),
                "curl": example_of(endpoint),
                "test_curl": example_of(endpoint, endpoint.test_url) if endpoint.test_url else "",
                "keep": KEEP_PER_INSPECTOR,
                "show_save_and_add_another": False,
                "may_clear": may_change,
                "may_rotate": may_change,
                "automation_url": _automation_url(request, endpoint),
                "scheme_help": SCHEMES[endpoint.scheme].help if endpoint.scheme in SCHEMES else "",
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
        endpoint = self._changeable(request, object_id)
        count = clear_requests(endpoint)
        words = f"{count} request{'' if count == 1 else 's'}"
        self.log_change(request, endpoint, f"Cleared {words}.")
        messages.success(request, f"{words} cleared.")
        return HttpResponseRedirect(_page_of(endpoint))

    def rotate_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        endpoint = self._changeable(request, object_id)
        grace = GRACES.get(request.POST.get("grace", ""))
        if grace is None:
            messages.error(request, "Choose how long the old address stays good.")
            return HttpResponseRedirect(_page_of(endpoint))
        rotate_token(endpoint=endpoint, grace=grace)
        until = "stays good for a while" if grace else "is no longer good"
        self.log_change(request, endpoint, f"Gave it a new address; the one before {until}.")
        messages.success(request, f"It has a new address; the one before {until}.")
        return HttpResponseRedirect(_page_of(endpoint))

    def rotate_test_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        endpoint = self._changeable(request, object_id)
        if not endpoint.test_token:
            raise Http404("It has no test address.")
        rotate_test_token(endpoint=endpoint)
        self.log_change(request, endpoint, "Gave it a new test address.")
        messages.success(request, "It has a new test address; the one before is no longer good.")
        return HttpResponseRedirect(_page_of(endpoint))

    @action(description="Add a form", url_path="add-form", permissions=["add"])
    def add_form(self, request: HttpRequest) -> HttpResponse:
        url = reverse("admin:webhooks_inboundendpoint_add")
        return HttpResponseRedirect(f"{url}?kind={EndpointKind.FORM}")

    def _endpoint(self, request: HttpRequest, object_id: str) -> InboundEndpoint:
        endpoint = self.get_object(request, unquote(object_id))
        if endpoint is None:
            raise Http404("There is no such endpoint.")
        if not self.has_view_or_change_permission(request, endpoint):
            raise PermissionDenied
        return endpoint

    def _changeable(self, request: HttpRequest, object_id: str) -> InboundEndpoint:
        endpoint = self._endpoint(request, object_id)
        if not self.has_change_permission(request, endpoint):
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

    @admin.display(description="Verification", ordering="scheme")
    def verified_by(self, endpoint: InboundEndpoint) -> str:
        if endpoint.kind == EndpointKind.INSPECTOR:
            return f"None; answers {endpoint.answer_status}"
        words = SCHEMES[endpoint.scheme].label if endpoint.scheme in SCHEMES else "Unknown"
        return words if endpoint.is_active else f"{words}; switched off"

    @admin.display(description="Last request")
    def last_arrival(self, endpoint: Any) -> Any:
        at = endpoint.last_arrival_at
        if at is None:
            return "Nothing yet"
        return format_html(
            '<time class="sb-ago" datetime="{}" title="{}">{}</time>',
            at.isoformat(),
            moment(at),
            ago(at),
        )


def _kind_of(request: HttpRequest, endpoint: InboundEndpoint | None) -> str:
    if endpoint is not None:
        return endpoint.kind
    return (
        EndpointKind.FORM
        if request.GET.get("kind") == EndpointKind.FORM
        else EndpointKind.INSPECTOR
    )


def _automation_url(request: HttpRequest, endpoint: InboundEndpoint) -> str:
    automation_id = endpoint.automation_id
    return known_automations().page(request, automation_id) if automation_id else ""


def _new_form() -> InboundEndpoint:
    return InboundEndpoint(
        kind=EndpointKind.FORM, per_address_per_minute=_POSTS_PER_ADDRESS_PER_MINUTE
    )


def _page_of(endpoint: InboundEndpoint) -> str:
    return reverse("admin:webhooks_inboundendpoint_change", args=[endpoint.pk])
