"""What admins with pages of their own have in common."""

from typing import Any, ClassVar

from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import HttpRequest
from django.template.response import TemplateResponse
from unfold.admin import ModelAdmin


class OwnPages(ModelAdmin):  # type: ignore[misc]
    """Renders templates of `folder` in the admin's frame."""

    folder: ClassVar[str]

    def page(self, request: HttpRequest, template: str, **context: Any) -> TemplateResponse:
        base = {**self.admin_site.each_context(request), "opts": self.opts, "media": self.media}
        return TemplateResponse(request, f"{self.folder}/{template}", {**base, **context})

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def require_view(self, request: HttpRequest) -> None:
        if not self.has_view_permission(request):
            raise PermissionDenied

    def require_change(self, request: HttpRequest) -> None:
        if not self.has_change_permission(request):
            raise PermissionDenied


class JobPages(OwnPages):
    """Pages about webhook jobs: who may view and change those, may view and use these."""

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return self.has_change_permission(request) or request.user.has_perm(
            "webhooks.view_webhookjob"
        )

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return request.user.has_perm("webhooks.change_webhookjob")

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)
