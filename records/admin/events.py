"""The event log: everything that happened, newest first. Nobody edits it."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from unfold.admin import ModelAdmin
from unfold.contrib.filters.admin import AutocompleteSelectFilter

from records.admin.decorators import display
from records.admin.filters import EventTypeFilter, ObjectFilter, PeriodFilter
from records.admin.paging import CappedPaginator
from records.differences import differences_of
from records.eventtypes import label_of, names_of
from records.models import Event, Record
from records.permissions import can


@admin.register(Event)
class EventAdmin(ModelAdmin):  # type: ignore[misc]
    list_display = ("when", "what", "subject", "actor_name", "changed_names", "dispatched")
    list_display_links = ("when",)
    list_select_related = ("object", "actor")
    list_per_page = 50
    ordering = ("-id",)
    sortable_by = ()
    paginator = CappedPaginator
    show_full_result_count = False
    actions = None

    list_filter = (
        EventTypeFilter,
        ObjectFilter,
        ("actor", AutocompleteSelectFilter),
        PeriodFilter,
    )
    list_filter_submit = True
    search_fields = ("subject_id",)
    search_help_text = "The id of a record, user, team or object: everything that happened to it."

    # --- queryset -----------------------------------------------------------------------------

    def get_queryset(self, request: HttpRequest) -> QuerySet[Event]:
        queryset: QuerySet[Event] = super().get_queryset(request)
        # What no list shows is not fetched: snapshots may be large.
        if request.resolver_match and request.resolver_match.url_name == "records_event_changelist":
            queryset = queryset.defer("before", "after", "dispatch_error", "object__description")
        return queryset

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Event], search_term: str
    ) -> tuple[QuerySet[Event], bool]:
        """An index serves this; searching parts of a text would read the whole log."""
        term = search_term.strip().replace("\x00", "")
        return (queryset.filter(subject_id=term) if term else queryset), False

    # --- the page -----------------------------------------------------------------------------

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        event = self.get_object(request, unquote(object_id))
        context: dict[str, Any] = {}
        if event is not None and self.has_view_permission(request, event):
            context = {
                "title": label_of(event.type),
                "event": event,
                "show_history": False,  # it is one
                "names": sorted(
                    label_of(name)
                    for name in names_of(
                        event.type, changed=event.changed, before=event.before, after=event.after
                    )
                ),
                "differences": differences_of(event),
                "record_url": self._record_url(request, event),
                "subject_url": reverse("admin:records_event_changelist") + f"?q={event.subject_id}",
            }
        return super().change_view(  # type: ignore[no-any-return]
            request, object_id, form_url, {**(extra_context or {}), **context}
        )

    def get_fieldsets(self, request: HttpRequest, obj: Event | None = None) -> Any:
        return []  # the template shows the event in its own way

    def _record_url(self, request: HttpRequest, event: Event) -> str:
        record = Record.objects.filter(pk=event.record_id).select_related("object").first()
        if record is None or not can(request.user, "view", record.object):
            return ""
        return reverse("admin:records_record_change", args=[record.pk])

    # --- displays -----------------------------------------------------------------------------

    @display(description="When")
    def when(self, obj: Event) -> Any:
        return obj.created_at

    @display(description="What")
    def what(self, obj: Event) -> str:
        return label_of(obj.type)

    @display(description="Subject")
    def subject(self, obj: Event) -> str:
        where = f"{obj.object.name} · " if obj.object and obj.record_id else ""
        return f"{where}{obj.subject_label or obj.subject_id}"

    @display(description="Who")
    def actor_name(self, obj: Event) -> str:
        return obj.actor_label or (str(obj.actor) if obj.actor else "Signalbox")

    @display(description="Changed")
    def changed_names(self, obj: Event) -> str:
        more = f" and {len(obj.changed) - 5} more" if len(obj.changed) > 5 else ""
        return ", ".join(obj.changed[:5]) + more

    @display(
        description="Dispatched",
        label={"Yes": "success", "Waiting": "warning", "Failed": "danger"},
    )
    def dispatched(self, obj: Event) -> str:
        return "Yes" if obj.dispatched_at else "Waiting"

    # --- permissions: read-only ---------------------------------------------------------------

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Event | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Event | None = None) -> bool:
        return False
