"""Records in the admin: a form built from the object's fields, and the services behind every button."""

from typing import Any, ClassVar

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.views.decorators.http import require_POST
from unfold.admin import ModelAdmin

from records import services
from records.admin.decorators import action, display
from records.admin.filters import DeletedFilter, ObjectFilter, StageFilter, StateFilter
from records.admin.owners import owner_choices
from records.admin.paging import CappedPaginator
from records.admin.record_commands import command_page
from records.admin.record_forms import AdminRecordForm, differences
from records.admin.record_pages import (
    do_act,
    import_page,
    move_page,
    possible_acts,
    record_or_404,
    told,
)
from records.exceptions import InvalidData, RecordsError, StaleRecord
from records.models import ObjectDefinition, Record, RecordState, User
from records.permissions import ACTIONS, Action, can, visible_objects
from records.texts import texts_of
from records.views.history import History

STATE_LABELS = {"Draft": "warning", "Submitted": "info", "Closed": "success", "Deleted": "danger"}


@admin.register(Record)
class RecordAdmin(ModelAdmin):  # type: ignore[misc]
    list_display = ("name", "object_name", "stage_name", "state_name", "owner", "updated_at")
    list_display_links = ("name",)
    list_select_related = ("object", "owner")
    list_per_page = 50
    ordering = ("-id",)
    sortable_by = ()
    paginator = CappedPaginator
    show_full_result_count = False

    list_filter = (ObjectFilter, StageFilter, StateFilter, DeletedFilter)
    search_fields = ("search_text",)
    search_help_text = "Search the text of all fields, or paste an id."

    warn_unsaved_form = True

    actions_list = ("import_csv",)
    actions = ("restore_selected", "close_selected", "move_selected", "run_selected")

    class Media:
        css: ClassVar = {"all": ("records_admin/lookup.css",)}
        js = ("signalbox/js/lookup.js",)

    # --- actions ------------------------------------------------------------------------------

    @action(description="Import CSV", url_path="import", icon="upload_file", permissions=["import"])
    def import_csv(self, request: HttpRequest) -> HttpResponse:
        return import_page(self, request)

    @admin.action(description="Restore", permissions=["any_delete"])
    def restore_selected(self, request: HttpRequest, queryset: QuerySet[Record]) -> None:
        self._in_bulk(request, queryset, "delete", services.restore_records, "restored")

    @admin.action(description="Close", permissions=["any_close"])
    def close_selected(self, request: HttpRequest, queryset: QuerySet[Record]) -> None:
        self._in_bulk(request, queryset, "close", services.close_records, "closed")

    @admin.action(description="Move to a stage …", permissions=["any_move"])
    def move_selected(
        self, request: HttpRequest, queryset: QuerySet[Record]
    ) -> HttpResponse | None:
        return move_page(self, request, self._allowed(request, queryset, "move"))

    @admin.action(description="Run automation …", permissions=["view"])
    def run_selected(self, request: HttpRequest, queryset: QuerySet[Record]) -> HttpResponse | None:
        return command_page(self, request, self._allowed(request, queryset, "view"))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Record]) -> None:
        services.delete_records(self._allowed(request, queryset, "delete"))

    def delete_model(self, request: HttpRequest, obj: Record) -> None:
        services.delete_record(record=obj)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Deleted records can be restored; nothing else goes with them."""
        shown = [str(one) for one in objs[:100]]
        count = objs.count() if isinstance(objs, QuerySet) else len(objs)
        if count > len(shown):
            shown.append(f"… and {count - len(shown):,} more")
        return shown, {"records": count}, set(), []

    def _in_bulk(
        self, request: HttpRequest, queryset: Any, needed: Action, change: Any, done: str
    ) -> None:
        try:
            count = change(self._allowed(request, queryset, needed))
        except InvalidData as error:
            self.message_user(request, f"Nothing was {done}. {error}", messages.ERROR)
            return
        self.message_user(request, f"{told(count)} {done}.")

    def _allowed(self, request: HttpRequest, queryset: Any, needed: Action) -> Any:
        """Of the selected records those that the user may do this with."""
        allowed = [
            one.pk for one in visible_objects(request.user) if can(request.user, needed, one)
        ]
        return queryset.filter(object__in=allowed)

    # --- queryset -----------------------------------------------------------------------------

    def get_queryset(self, request: HttpRequest) -> QuerySet[Record]:
        queryset: QuerySet[Record] = super().get_queryset(request)
        return queryset.filter(object__in=_visible(request)).select_related("object", "owner")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Record], search_term: str
    ) -> tuple[QuerySet[Record], bool]:
        term = search_term.strip().replace("\x00", "")
        try:
            return queryset.filter(pk=Record._meta.pk.to_python(term)), False
        except Exception:  # noqa: BLE001  (ValidationError: it is no id)
            for word in term.lower().split()[:5]:
                queryset = queryset.filter(search_text__contains=word)
            return queryset, False

    # --- the form -----------------------------------------------------------------------------

    def get_form(self, request: HttpRequest, obj: Record | None = None, **kwargs: Any) -> Any:
        definition = self._definition(request, obj)
        return type(
            "RecordForm",
            (AdminRecordForm,),
            {
                "definition": definition,
                "acting_user": request.user,
                "may_move": can(request.user, "move", definition),
                "as_draft": _action_of(request, obj) == "draft",
                "conflict": getattr(request, "conflict", None),
                "problems": getattr(request, "problems", None),
            },
        )

    def get_fieldsets(self, request: HttpRequest, obj: Record | None = None) -> Any:
        definition = self._definition(request, obj)
        if obj is not None and not self.has_change_permission(request, obj):
            return []
        slugs = [field.slug for field in definition.schema.fields]
        return [
            (definition.name, {"fields": slugs}),
            ("Stage and owner", {"fields": ["stage", "owner"]}),
        ]

    def save_form(self, request: HttpRequest, form: Any, change: bool) -> Record:
        return form.instance or Record(object=form.definition)

    def save_model(self, request: HttpRequest, obj: Record, form: Any, change: bool) -> None:
        saved = form.save(_action_of(request, form.instance))
        obj.__dict__.update(saved.__dict__)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """A record has no relations of its own."""

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> Any:
        """First the object is chosen, then its form is shown."""
        if self._chosen(request) is None:
            context = {
                **self.admin_site.each_context(request),
                "title": "Add a record",
                "opts": self.opts,
                "objects": [
                    one for one in visible_objects(request.user) if can(request.user, "add", one)
                ],
            }
            return TemplateResponse(request, "admin/records/record/choose.html", context)
        return super().add_view(request, form_url, extra_context)

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        """Save; or show the form again with what stood in the way, and with both versions in a conflict."""
        if request.method == "POST" and object_id and (answer := self._refused(request, object_id)):
            return answer
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except StaleRecord as stale:
            request.conflict = stale  # type: ignore[attr-defined]
        except InvalidData as error:
            request.problems = error  # type: ignore[attr-defined]
        except RecordsError as error:
            self.message_user(request, str(error), messages.ERROR)
            return HttpResponseRedirect(reverse("admin:records_record_changelist"))
        if object_id and (answer := self._refused(request, object_id)):
            return answer
        return super().changeform_view(request, object_id, form_url, extra_context)

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> Any:
        record: Record | None = kwargs.get("obj")
        definition = self._definition(request, record)
        form = context["adminform"].form
        conflict = getattr(request, "conflict", None)
        context |= {
            "definition": definition,
            "record": record,
            "may_draft": definition.allow_drafts and record is None,
            "is_draft": record is not None and record.state == RecordState.DRAFT,
            "has_file_field": True,
        }
        if record is not None:
            context |= self._about(request, record)
            context["title"] = str(record)
            if conflict is not None:
                context["differences"] = differences(form, record)
                context["last_change"] = record.events.select_related("actor").first()
        else:
            context["title"] = f"Add {definition.name}"
        return super().render_change_form(request, context, *args, **kwargs)

    def _about(self, request: HttpRequest, record: Record) -> dict[str, Any]:
        fields = record.object.schema.fields
        texts = texts_of(record.object, [record])[record.pk]
        labels = record.object.schema.stage_labels
        may_move = record.state != RecordState.CLOSED and record.deleted_at is None
        return {
            "values": [(field.label, texts[field.slug]) for field in fields],
            "acts": possible_acts(request, record),
            "stages": record.object.schema.stages,
            "stage_label": labels.get(record.stage, record.stage),
            "may_move": may_move and can(request.user, "move", record.object),
            "state_label": _state(record),
            "state_variant": STATE_LABELS[_state(record)],
        }

    def _refused(self, request: HttpRequest, object_id: str) -> HttpResponse | None:
        """Whoever edits a record that was closed or deleted meanwhile is told so."""
        record = self.get_object(request, unquote(object_id))
        if record is None or not can(request.user, "change", record.object):
            return None  # Django's own answers fit
        if record.deleted_at is None and record.state != RecordState.CLOSED:
            return None
        text = f"This record was {_state(record).lower()} meanwhile; nothing was saved."
        self.message_user(request, text, messages.WARNING)
        return HttpResponseRedirect(reverse("admin:records_record_change", args=[record.pk]))

    def _definition(self, request: HttpRequest, obj: Record | None) -> ObjectDefinition:
        definition = obj.object if obj is not None else self._chosen(request)
        if definition is None:
            raise RecordsError("Choose an object first.")
        return definition

    def _chosen(self, request: HttpRequest) -> ObjectDefinition | None:
        slug = request.GET.get("object", "").replace("\x00", "")
        definition = visible_objects(request.user).filter(slug=slug).first()
        return definition if definition and can(request.user, "add", definition) else None

    # --- further pages ------------------------------------------------------------------------

    def get_urls(self) -> list[URLPattern]:
        act = self.admin_site.admin_view(require_POST(self.act_view))
        owners = self.admin_site.admin_view(owner_choices)
        return [
            path("owners/", owners, name="records_record_owners"),
            path("<path:object_id>/act/", act, name="records_record_act"),
            *super().get_urls(),
        ]

    def act_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        record = record_or_404(self, request, object_id)
        do_act(request, record)
        return HttpResponseRedirect(reverse("admin:records_record_change", args=[record.pk]))

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The record's history is read from its events, whoever made the change and wherever."""
        record = record_or_404(self, request, object_id)
        context = {
            **self.admin_site.each_context(request),
            "title": f"History of {record}",
            "opts": self.opts,
            "original": record,
            "history": History(record, request.GET.get("page", "")),
        }
        return TemplateResponse(request, "admin/records/record/history.html", context)

    # --- displays -----------------------------------------------------------------------------

    @display(description="Record")
    def name(self, obj: Record) -> str:
        return format_html('<span class="font-medium">{}</span>', str(obj))

    @display(description="Object")
    def object_name(self, obj: Record) -> str:
        return obj.object.name

    @display(description="Stage")
    def stage_name(self, obj: Record) -> str:
        return obj.object.schema.stage_labels.get(obj.stage, obj.stage) or "—"

    @display(description="State", label=STATE_LABELS)
    def state_name(self, obj: Record) -> str:
        return _state(obj)

    # --- permissions: per object --------------------------------------------------------------

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Record | None = None) -> bool:
        return self._may(request, "view", obj)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self._may(request, "add")

    def has_change_permission(self, request: HttpRequest, obj: Record | None = None) -> bool:
        """What is closed or deleted is reopened or restored before it is edited."""
        if obj is not None and (obj.deleted_at is not None or obj.state == RecordState.CLOSED):
            return False
        return self._may(request, "change", obj)

    def has_delete_permission(self, request: HttpRequest, obj: Record | None = None) -> bool:
        return self._may(request, "delete", obj)

    def has_any_delete_permission(self, request: HttpRequest) -> bool:
        return self._may(request, "delete")

    def has_any_close_permission(self, request: HttpRequest) -> bool:
        return self._may(request, "close")

    def has_any_move_permission(self, request: HttpRequest) -> bool:
        return self._may(request, "move")

    def has_import_permission(self, request: HttpRequest) -> bool:
        return self._may(request, "add")

    def _may(self, request: HttpRequest, needed: Action, obj: Record | None = None) -> bool:
        if obj is not None:
            return can(request.user, needed, obj.object)
        # Where there is no object yet, who may do it with all records is told what to do first.
        return any(can(request.user, needed, one) for one in _visible(request)) or bool(
            request.user.has_perm(f"records.{ACTIONS[needed][1]}")
        )


def _visible(request: HttpRequest) -> list[ObjectDefinition]:
    """The objects this user sees, looked up once for a request: every permission asks for them."""
    user: User = request.user  # type: ignore[assignment]
    if not hasattr(request, "visible_objects"):
        request.visible_objects = list(visible_objects(user))  # type: ignore[attr-defined]
    objects: list[ObjectDefinition] = request.visible_objects  # type: ignore[attr-defined]
    return objects


def _action_of(request: HttpRequest, record: Record | None) -> Any:
    """Which button was pressed."""
    if "_draft" in request.POST:
        return "draft"
    if "_submit" in request.POST:
        return "submit"
    is_draft = record is not None and record.state == RecordState.DRAFT
    return "draft" if is_draft else "save"


def _state(record: Record) -> str:
    return "Deleted" if record.deleted_at else str(RecordState(record.state).label)
