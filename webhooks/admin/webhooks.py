"""Webhooks: the list, and the form with its preview."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.loader import render_to_string
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST
from unfold.admin import ModelAdmin
from unfold.decorators import action, display

from records.admin.empty import EmptyState
from records.eventtypes import has_record, label_of
from webhooks.admin.certificates import certificate_warning
from webhooks.admin.filters import clean_id
from webhooks.admin.webhook_form import PreviewPages
from webhooks.admin.webhook_list import EventTypeFilter, ObjectFilter, WebhookChangeList
from webhooks.auth_form import initial_auth
from webhooks.forms import WebhookForm
from webhooks.models import Webhook
from webhooks.outbound import network_policy
from webhooks.rendering import lane_of
from webhooks.validation import judge_destination

_FOLDER = "admin/webhooks/webhook"
_REQUEST_FIELDS = (
    "method", "url", "path_params", "query_params", "headers", "signing_secret", "client_certificate",
    "body_kind", "body", "body_rows",
)  # fmt: skip
_DELIVERY_FIELDS = (
    "timeout_s", "retry_delays_s", "jitter_percent", "max_age_s", "success_statuses",
    "retry_statuses", "halt_statuses", "max_redirects", "is_ordered",
)  # fmt: skip
# What a copy takes over; it is switched off until somebody has looked at it.
_COPIED = ("description", "event", "filter", *_REQUEST_FIELDS, *_DELIVERY_FIELDS)
# The cards of the form, and of the page of those who may only look.
_FIELDSETS = (
    ("What", {"fields": ("name", "description", "is_active")}),
    ("When", {"fields": ("event", "object", "filter")}),
    ("Request", {"fields": _REQUEST_FIELDS}),
    ("Delivery", {"fields": _DELIVERY_FIELDS}),
)


@admin.register(Webhook)
class WebhookAdmin(ModelAdmin):  # type: ignore[misc]
    list_display = ("show_name", "show_active", "show_event", "show_request", "show_last")
    list_display_links = ("show_name",)
    list_select_related = ("object",)
    list_per_page = 50
    ordering = ("name",)

    list_filter = ("is_active", EventTypeFilter, ObjectFilter)
    search_fields = ("name", "url", "description")
    search_help_text = "Name, address or description"
    empty_state = EmptyState(
        "webhook",
        "No webhooks yet",
        "A webhook sends an HTTP request when something happens: a record is submitted, a stage changes, somebody logs "
        "in. Choose the event and the address; the form shows the exact request while you write it.",
        "Add the first webhook",
    )

    form = WebhookForm
    fieldsets = _FIELDSETS
    warn_unsaved_form = True

    actions = ("activate", "deactivate")
    actions_detail = ("job_history", "duplicate")
    actions_row = ("job_history", "duplicate")

    class Media:
        css = {"all": ("webhooks/webhook_form.css",)}
        js = ("webhooks/webhook_form.js",)

    # --- pages ---

    def get_urls(self) -> list[URLPattern]:
        toggle = self.admin_site.admin_view(require_POST(self.toggle_view))
        return [
            *PreviewPages(self).urls(),
            path("<str:object_id>/toggle/", toggle, name="webhooks_webhook_toggle"),
            *super().get_urls(),
        ]

    def get_fieldsets(self, request: HttpRequest, obj: Webhook | None = None) -> Any:
        """Who may only look sees the authentication as it is kept; the form has inputs for its parts."""
        fieldsets = super().get_fieldsets(request, obj)
        if self.has_change_permission(request, obj) or obj is None:
            return fieldsets
        return (*fieldsets, ("Authentication", {"fields": ("auth",)}))

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[WebhookChangeList]:
        return WebhookChangeList

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> Webhook | None:
        """Whatever stands in an address, it is an id or there is no such webhook."""
        pk = clean_id(Webhook, object_id)
        return super().get_object(request, pk, from_field) if pk else None

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """`?copy=<id>` fills the form of a new webhook from another one."""
        source = self.get_object(request, request.GET.get("copy", ""))
        if source is None or not self.has_view_permission(request, source):
            return {
                name: value
                for name, value in super().get_changeform_initial_data(request).items()
                if name in ("name", "event", "object", "url", "method")
            }
        values = {name: getattr(source, name) for name in _COPIED} | initial_auth(source)
        name = f"{source.name[:100]} (copy)"
        return {**values, "name": name, "object": source.object_id, "is_active": False}

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: Webhook | None = None,
    ) -> HttpResponse:
        context["is_editable"] = (
            self.has_change_permission(request, obj) if obj else self.has_add_permission(request)
        )
        if isinstance(obj, Webhook) and obj.disabled_reason and not obj.is_active:
            context["disabled_reason"] = obj.disabled_reason
        response: HttpResponse = super().render_change_form(
            request, context, add, change, form_url, obj
        )
        return response

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """The jobs outlive their webhook; only the count of its failures goes with it."""
        texts = [f"{webhook.name} (its jobs stay in the history)" for webhook in objs]
        return texts, {"webhooks": len(texts)}, set(), []

    def save_model(self, request: HttpRequest, obj: Webhook, form: Any, change: bool) -> None:
        if obj.is_active:
            obj.disabled_reason = ""
        super().save_model(request, obj, form, change)
        refusal = judge_destination(obj.url, network_policy())
        if refusal:
            messages.warning(request, f"Saved, but it can't be sent: {_plain(refusal.reason)}")
        if warning := certificate_warning(obj.client_certificate):
            messages.warning(request, f"{obj.client_certificate}: {warning}")

    # --- actions ---

    @action(description="Activate", permissions=["change"])
    def activate(self, request: HttpRequest, queryset: QuerySet[Webhook]) -> None:
        count = queryset.filter(is_active=False).update(is_active=True, disabled_reason="")
        messages.success(request, f"{_webhooks(count)} activated.")

    @action(description="Deactivate", permissions=["change"])
    def deactivate(self, request: HttpRequest, queryset: QuerySet[Webhook]) -> None:
        count = queryset.filter(is_active=True).update(is_active=False)
        messages.success(request, f"{_webhooks(count)} deactivated.")

    @action(description="Jobs", icon="local_shipping", url_path="jobs", permissions=["view"])
    def job_history(self, request: HttpRequest, object_id: str) -> HttpResponse:
        address = reverse("admin:webhooks_webhookjob_changelist")
        return HttpResponseRedirect(f"{address}?webhook={clean_id(Webhook, unquote(object_id))}")

    @action(
        description="Duplicate",
        icon="content_copy",
        url_path="copy",
        # Not "webhooks.add_webhook": unfold's check would ask the database before it is migrated.
        permissions=["duplicate"],
    )
    def duplicate(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Only opens a filled form: nothing is made before somebody saves it."""
        address = reverse("admin:webhooks_webhook_add")
        return HttpResponseRedirect(f"{address}?copy={clean_id(Webhook, unquote(object_id))}")

    def has_duplicate_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        return bool(self.has_add_permission(request))

    def toggle_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Switch one webhook on or off, from the list."""
        webhook = self.get_object(request, object_id)
        if webhook is None:
            raise Http404
        if not self.has_change_permission(request, webhook):
            raise PermissionDenied
        webhook.is_active = not webhook.is_active
        if webhook.is_active:
            webhook.disabled_reason = ""
        webhook.save(update_fields=["is_active", "disabled_reason", "updated_at"])
        self.log_change(request, webhook, "Switched on." if webhook.is_active else "Switched off.")
        return HttpResponse(self._switch(webhook))

    # --- displays ---

    @display(description="Name", ordering="name")
    def show_name(self, webhook: Webhook) -> SafeString:
        if not webhook.description:
            return format_html('<span class="wh-list-name">{}</span>', webhook.name)
        return format_html(
            '<span class="wh-list-name">{}</span><span class="wh-list-more">{}</span>',
            webhook.name,
            webhook.description.splitlines()[0][:90],
        )

    @display(description="Active", ordering="is_active")
    def show_active(self, webhook: Webhook) -> SafeString:
        return self._switch(webhook)

    @display(description="When", ordering="event")
    def show_event(self, webhook: Webhook) -> SafeString:
        of = webhook.object.plural if webhook.object else ""
        if not of and has_record(webhook.event):
            of = "Every object"
        if webhook.filter:
            of = f"{of} · filtered" if of else "Filtered"
        return format_html('{}<span class="wh-list-more">{}</span>', label_of(webhook.event), of)

    @display(description="Request", ordering="url")
    def show_request(self, webhook: Webhook) -> SafeString:
        return format_html(
            '<span class="wh-method">{}</span> <span class="wh-host">{}</span>',
            webhook.method,
            _host(webhook.url),
        )

    @display(description="Last job")
    def show_last(self, webhook: Any) -> SafeString:
        return render_to_string(
            f"{_FOLDER}/_last.html", {"lately": webhook.lately, "webhook": webhook}
        )

    def _switch(self, webhook: Webhook) -> SafeString:
        return render_to_string(f"{_FOLDER}/_switch.html", {"webhook": webhook})


def _host(url: str) -> str:
    """Where it goes, as far as the address says it: the host, or the expression that gives it."""
    text = url.strip()
    if text.startswith("{"):
        return text[:60]
    lane = lane_of(text)
    host = lane.partition("://")[2] or text[:60]
    return host.removesuffix(":443" if lane.startswith("https:") else ":80")


def _webhooks(count: int) -> str:
    return f"{count} webhook{'' if count == 1 else 's'}"


def _plain(words: str) -> str:
    return words.replace("`", "")
