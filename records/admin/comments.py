"""Comments: what was said of which record. Here they are read and, where it must be, deleted."""

from contextlib import suppress
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.defaultfilters import linebreaksbr
from django.urls import reverse
from django.utils.html import format_html
from unfold.admin import ModelAdmin
from unfold.contrib.filters.admin import AutocompleteSelectFilter

from records import services
from records.admin.decorators import display
from records.admin.paging import CappedPaginator
from records.admin.selection import CheckedSelection
from records.exceptions import AlreadyGone
from records.models import Comment
from records.permissions import visible_objects


@admin.register(Comment)
class CommentAdmin(CheckedSelection, ModelAdmin):  # type: ignore[misc]
    list_display = ("text", "on", "who", "created_at")
    list_select_related = ("author", "record__object")
    list_per_page = 50
    ordering = ("-id",)
    sortable_by = ()
    paginator = CappedPaginator
    show_full_result_count = False

    list_filter = (("author", AutocompleteSelectFilter),)
    list_filter_submit = True
    search_fields = ("body",)

    fields = ("on", "who", "created_at", "edited_at", "said")
    readonly_fields = fields

    # --- queryset ---

    def get_queryset(self, request: HttpRequest) -> QuerySet[Comment]:
        """Comments on records that the user may see."""
        queryset: QuerySet[Comment] = super().get_queryset(request)
        visible = visible_objects(request.user)
        return queryset.filter(record__object__in=visible).defer("record__data")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Comment], search_term: str
    ) -> Any:
        return super().get_search_results(request, queryset, search_term.replace("\x00", ""))

    def delete_model(self, request: HttpRequest, obj: Comment) -> None:
        with suppress(AlreadyGone):
            services.delete_comment(comment=obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Comment]) -> None:
        for comment in queryset:
            self.delete_model(request, comment)

    # --- displays ---

    @display(description="Comment")
    def text(self, obj: Comment) -> str:
        return str(obj)

    @display(description="Comment")
    def said(self, obj: Comment) -> str:
        return linebreaksbr(obj.body, autoescape=True)

    @display(description="Record")
    def on(self, obj: Comment) -> str:
        url = reverse("admin:records_record_change", args=[obj.record_id])
        return format_html(
            '<a class="text-primary-600 dark:text-primary-500" href="{}">{}</a>', url, obj.record
        )

    @display(description="Who")
    def who(self, obj: Comment) -> str:
        return obj.author_name

    # --- permissions ---

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Comment | None = None) -> bool:
        """What somebody said is not put otherwise by others."""
        return False
