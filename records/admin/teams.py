"""Teams (Django's groups): who belongs to them, what they may do, and those that were deleted."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.views.decorators.http import require_POST
from unfold.admin import ModelAdmin

from records.admin.decorators import action, display
from records.admin.empty import EmptyState
from records.admin.selection import CheckedSelection
from records.admin.team_forms import TeamForm
from records.exceptions import CannotRestore
from records.models import Event
from records.services import deleted_teams, restore_team

admin.site.unregister(Group)


@admin.register(Group)
class TeamAdmin(CheckedSelection, ModelAdmin):  # type: ignore[misc]
    list_display = ("name", "member_count", "permission_count")
    ordering = ("name",)

    search_fields = ("name",)
    empty_state = EmptyState(
        "groups",
        "No teams yet",
        "A team is a group of people with the same permissions: which objects they may see, add and change. "
        "Name one, choose its members, and tick what they may do.",
        "Add the first team",
    )

    form = TeamForm
    fieldsets = (
        (None, {"fields": ("name", "members")}),
        ("Permissions", {"fields": ("record_permissions", "other_permissions")}),
    )

    actions_list = ("deleted_page",)

    @action(
        description="Deleted teams",
        url_path="deleted",
        icon="restore_from_trash",
        permissions=["add"],
    )
    def deleted_page(self, request: HttpRequest) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": "Deleted teams",
            "opts": self.opts,
            "events": deleted_teams(),
        }
        return TemplateResponse(request, "admin/records/team/deleted.html", context)

    def restore_view(self, request: HttpRequest, event_id: str) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied
        event = get_object_or_404(Event.objects.filter(type="team.deleted"), pk=_valid(event_id))
        try:
            group = restore_team(event=event)
        except CannotRestore as error:
            self.message_user(request, str(error), messages.ERROR)
        else:
            self.message_user(request, f"“{group}” was restored, with its permissions and members.")
        return HttpResponseRedirect(reverse("admin:auth_group_deleted_page"))

    def get_urls(self) -> list[URLPattern]:
        restore = self.admin_site.admin_view(require_POST(self.restore_view))
        return [path("deleted/<str:event_id>/", restore, name="restore_team"), *super().get_urls()]

    # --- queryset -----------------------------------------------------------------------------

    def get_queryset(self, request: HttpRequest) -> QuerySet[Group]:
        queryset: QuerySet[Group] = super().get_queryset(request)
        return queryset.annotate(
            number_of_members=Count("user", distinct=True),
            number_of_permissions=Count("permissions", distinct=True),
        )

    # --- displays -----------------------------------------------------------------------------

    @display(description="Members", ordering="number_of_members")
    def member_count(self, obj: Any) -> int:
        return int(obj.number_of_members)

    @display(description="Permissions", ordering="number_of_permissions")
    def permission_count(self, obj: Any) -> int:
        return int(obj.number_of_permissions)

    # --- permissions --------------------------------------------------------------------------

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A team's permissions are given by superusers alone: others could give themselves all."""
        return bool(request.user.is_superuser)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.is_superuser)


def _valid(event_id: str) -> str | None:
    try:
        return Event._meta.pk.to_python(event_id)  # type: ignore[no-any-return]
    except Exception:  # noqa: BLE001  (ValidationError: an id of another form)
        return None
