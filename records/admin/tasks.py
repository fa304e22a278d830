"""Tasks: what is to be done, by whom and until when."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from unfold.admin import ModelAdmin
from unfold.contrib.filters.admin import AutocompleteSelectFilter

from records import services
from records.admin.decorators import display
from records.admin.empty import EmptyState
from records.admin.paging import CappedPaginator
from records.admin.selection import CheckedSelection
from records.exceptions import InvalidData, RecordsError
from records.models import Task
from records.permissions import can, visible_objects
from records.services.comments import check_may_see
from records.services.tasks import MAX_ASSIGNEES


class TaskForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = Task
        fields = ("title", "record", "assignees", "due_on", "note")

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or self.cleaned_data
        record = values.get("record") or self.instance.record
        people = list(values.get("assignees") or ())
        if record is not None and record.deleted_at is not None:
            self.add_error(None, "The record is deleted; restore it first.")
        if len(people) > MAX_ASSIGNEES:
            self.add_error("assignees", f"A task is given to no more than {MAX_ASSIGNEES} people.")
        elif record is not None:
            already = set() if self.instance._state.adding else set(self.instance.assignees.all())
            try:
                check_may_see(record, [one for one in people if one not in already], "assignees")
            except InvalidData as error:
                self.add_error("assignees", error.errors["assignees"])
        return values


class DoneFilter(admin.SimpleListFilter):
    """What is done is kept apart."""

    title = "done"
    parameter_name = "done"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("no", "To do"), ("yes", "Done")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() not in ("no", "yes"):
            return queryset
        return queryset.filter(done_at__isnull=self.value() == "no")


@admin.register(Task)
class TaskAdmin(CheckedSelection, ModelAdmin):  # type: ignore[misc]
    list_display = ("title", "about", "people", "due_on", "state")
    list_select_related = ("record__object",)
    list_per_page = 50
    ordering = ("-id",)
    sortable_by = ("due_on",)
    paginator = CappedPaginator
    show_full_result_count = False

    list_filter = (DoneFilter, ("assignees", AutocompleteSelectFilter))
    list_filter_submit = True
    search_fields = ("title",)
    empty_state = EmptyState(
        "task_alt",
        "Nothing is to be done",
        "Tasks are given on a record’s page, here, or by automations. Who gets one is told.",
        "New task",
    )

    form = TaskForm
    autocomplete_fields = ("record", "assignees")

    actions = ("complete_selected", "reopen_selected")

    # --- form ---

    def get_readonly_fields(self, request: HttpRequest, obj: Task | None = None) -> Any:
        """A task stays with its record."""
        return ("about",) if obj else ()

    def get_fields(self, request: HttpRequest, obj: Task | None = None) -> Any:
        return ("title", "about" if obj else "record", "assignees", "due_on", "note")

    def save_model(self, request: HttpRequest, obj: Task, form: Any, change: bool) -> None:
        values = {
            name: form.cleaned_data[name] for name in ("title", "note", "assignees", "due_on")
        }
        if change:
            services.update_task(task=obj, **values)
        else:
            obj.pk = services.add_task(record=obj.record, **values).pk

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Who is to do it was saved with the task, by one service and in one event."""

    # --- actions ---

    @admin.action(description="Mark as done", permissions=["change"])
    def complete_selected(self, request: HttpRequest, queryset: QuerySet[Task]) -> None:
        self._each(request, queryset.filter(done_at=None), services.complete_task, "done")

    @admin.action(description="Reopen", permissions=["change"])
    def reopen_selected(self, request: HttpRequest, queryset: QuerySet[Task]) -> None:
        self._each(request, queryset.exclude(done_at=None), services.reopen_task, "open again")

    def _each(
        self, request: HttpRequest, queryset: QuerySet[Task], act: Callable[..., Any], done: str
    ) -> None:
        count = 0
        for task in queryset:
            if self.has_change_permission(request, task):
                with suppress(RecordsError):
                    act(task=task)
                    count += 1
        words = "1 task is" if count == 1 else f"{count:,} tasks are"
        self.message_user(request, f"{words} {done}.")

    def delete_model(self, request: HttpRequest, obj: Task) -> None:
        with suppress(RecordsError):
            services.delete_task(task=obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Task]) -> None:
        for task in queryset:
            if self.has_delete_permission(request, task):
                self.delete_model(request, task)

    # --- queryset ---

    def get_queryset(self, request: HttpRequest) -> QuerySet[Task]:
        """Tasks about no record, or about one that the user may see."""
        queryset: Any = super().get_queryset(request)
        visible: QuerySet[Task] = queryset.within(visible_objects(request.user))
        return visible.prefetch_related("assignees").defer("record__data")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Task], search_term: str
    ) -> Any:
        return super().get_search_results(request, queryset, search_term.replace("\x00", ""))

    # --- displays ---

    @display(description="Record")
    def about(self, obj: Task) -> str:
        if obj.record is None:
            return "—"
        url = reverse("admin:records_record_change", args=[obj.record_id])
        return format_html(
            '<a class="text-primary-600 dark:text-primary-500" href="{}">{}</a>', url, obj.record
        )

    @display(description="Who")
    def people(self, obj: Task) -> str:
        return ", ".join(str(user) for user in obj.assignees.all()) or "Nobody yet"

    @display(description="State", label={"Done": "success", "To do": "info"})
    def state(self, obj: Task) -> str:
        return "Done" if obj.is_done else "To do"

    # --- permissions: the record's, too ---

    def has_change_permission(self, request: HttpRequest, obj: Task | None = None) -> bool:
        return bool(super().has_change_permission(request, obj)) and _may_change(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Task | None = None) -> bool:
        return bool(super().has_delete_permission(request, obj)) and _may_change(request, obj)


def _may_change(request: HttpRequest, task: Task | None) -> bool:
    return task is None or task.record is None or can(request.user, "change", task.record.object)
