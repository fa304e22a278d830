"""Users."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from unfold.admin import ModelAdmin
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from records.admin.decorators import display
from records.models import User


@admin.register(User)
class UserAdmin(DjangoUserAdmin, ModelAdmin):  # type: ignore[misc, type-arg]
    list_display = ("username", "full_name", "email", "teams", "access", "last_login")
    list_filter = ("is_active", "is_staff", "is_superuser", "groups")
    search_fields = ("username", "first_name", "last_name", "email")
    ordering = ("username",)

    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        ("Person", {"fields": (("first_name", "last_name"), "email")}),
        (
            "Access",
            {"fields": (("is_active", "is_staff", "is_superuser"), "groups", "events")},
        ),
        ("Times", {"fields": (("last_login", "date_joined"),)}),
    )
    readonly_fields = ("last_login", "date_joined", "events")
    # Permissions are given through teams; a user's own would be found by nobody.
    filter_horizontal = ()
    autocomplete_fields = ("groups",)

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).prefetch_related("groups")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Only a superuser makes superusers, or changes what a team may do by joining it."""
        fields = list(super().get_readonly_fields(request, obj))
        if not request.user.is_superuser:
            fields += ["is_superuser", "groups"]
        return fields

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody but a superuser changes a superuser: a new password would be a way up."""
        if obj is not None and obj.is_superuser and not request.user.is_superuser:
            return False
        return bool(super().has_change_permission(request, obj))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        if obj is not None and obj.is_superuser and not request.user.is_superuser:
            return False
        return bool(super().has_delete_permission(request, obj))

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        if not request.user.is_superuser:
            queryset = queryset.filter(is_superuser=False)
        super().delete_queryset(request, queryset)

    @display(description="Name")
    def full_name(self, obj: User) -> str:
        return obj.get_full_name()

    @display(description="Teams")
    def teams(self, obj: User) -> str:
        return ", ".join(group.name for group in obj.groups.all())

    @display(
        description="Access",
        label={"Superuser": "danger", "Admin": "warning", "App": "info", "None": ""},
    )
    def access(self, obj: User) -> str:
        if not obj.is_active:
            return "None"
        return "Superuser" if obj.is_superuser else "Admin" if obj.is_staff else "App"

    @display(description="Events")
    def events(self, obj: User) -> str:
        url = reverse("admin:records_event_changelist") + f"?q={obj.pk}"
        return format_html(
            '<a class="text-primary-600" href="{}">What happened to this user</a>', url
        )
