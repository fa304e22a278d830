"""The admin log: what people did in the admin, read-only."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.http import HttpRequest
from django.urls import NoReverseMatch
from django.utils.html import format_html
from unfold.admin import ModelAdmin
from unfold.paginator import InfinitePaginator


@admin.register(LogEntry)
class LogEntryAdmin(ModelAdmin):  # type: ignore[misc]
    list_display = ("action_time", "user", "what", "subject", "change")
    list_filter = ("action_flag",)
    list_select_related = ("user", "content_type")
    list_display_links = None
    ordering = ("-id",)
    # The log is never counted: it only grows.
    paginator = InfinitePaginator
    show_full_result_count = False
    list_per_page = 50

    @admin.display(description="What")
    def what(self, entry: LogEntry) -> str:
        return entry.get_action_flag_display()

    @admin.display(description="Subject")
    def subject(self, entry: LogEntry) -> Any:
        label = (
            f"{entry.content_type.name if entry.content_type else ''} {entry.object_repr}".strip()
        )
        try:
            url = entry.get_admin_url()
        except NoReverseMatch:
            url = None
        if not url or entry.is_deletion():
            return label
        return format_html('<a class="sb-link" href="{}">{}</a>', url, label)

    @admin.display(description="Change")
    def change(self, entry: LogEntry) -> str:
        return entry.get_change_message()

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: LogEntry | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: LogEntry | None = None) -> bool:
        return False
