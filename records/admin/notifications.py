"""The admin's own page of notifications: everybody sees those that are for them."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from unfold.admin import ModelAdmin

from records.models import Notification
from records.notifications import page_of


@admin.register(Notification)
class NotificationAdmin(ModelAdmin):  # type: ignore[misc]
    # --- pages ---

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": "Notifications",
            "page": page_of(request.user, before=request.GET.get("before", "")),
            "is_older": "before" in request.GET,
        }
        return TemplateResponse(request, "admin/records/notification/list.html", context)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """A notification has no page of its own."""
        return self.changelist_view(request)

    # --- permissions ---

    def has_module_permission(self, request: HttpRequest) -> bool:
        return True

    def has_view_permission(self, request: HttpRequest, obj: Notification | None = None) -> bool:
        """Everybody who gets into the admin: nobody sees those of others."""
        return True

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Notification | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Notification | None = None) -> bool:
        return False
