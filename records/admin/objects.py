"""Objects: what records have for fields, and which stages they go through."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from unfold.admin import ModelAdmin, StackedInline, TabularInline

from records.admin.decorators import display
from records.admin.empty import EmptyState
from records.admin.filters import DeletedFilter
from records.admin.object_forms import FieldForm, PartFormSet, StageForm
from records.admin.selection import CheckedSelection
from records.exceptions import InvalidData
from records.models import FieldDefinition, ObjectDefinition, Stage


class StageInline(TabularInline):  # type: ignore[misc]
    model = Stage
    form = StageForm
    formset = PartFormSet
    extra = 0
    tab = True
    ordering_field = "position"
    hide_ordering_field = True
    fields = ("label", "slug", "colour", "position")
    verbose_name_plural = "Stages"


class FieldInline(StackedInline):  # type: ignore[misc]
    model = FieldDefinition
    form = FieldForm
    formset = PartFormSet
    extra = 0
    tab = True
    collapsible = True
    ordering_field = "position"
    hide_ordering_field = True
    verbose_name_plural = "Fields"
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("label", "slug"),
                    ("kind", "help_text"),
                    ("required", "unique", "in_list"),
                    "choices_text",
                    "linked_object",
                    ("minimum", "maximum"),
                    ("places", "currency"),
                    "default_text",
                    "position",
                )
            },
        ),
    )

    class Media:
        js = ("records_admin/fields.js",)

    def get_formset(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        objects = ObjectDefinition.objects.alive().values_list("slug", "plural")
        # Looked up once, not for every row.
        form = type("FieldForm", (FieldForm,), {"object_choices": list(objects)})
        return super().get_formset(request, obj, **{**kwargs, "form": form})


@admin.register(ObjectDefinition)
class ObjectDefinitionAdmin(CheckedSelection, ModelAdmin):  # type: ignore[misc]
    list_display = (
        "plural_with_icon",
        "slug",
        "field_count",
        "stage_count",
        "updated_at",
        "status",
    )
    list_display_links = ("plural_with_icon",)
    ordering = ("position", "plural")

    list_filter = (DeletedFilter,)
    search_fields = ("plural", "name", "slug")
    empty_state = EmptyState(
        "category",
        "No objects yet",
        "An object is a kind of record, such as Leads or Orders: its fields make the form that people fill in. "
        "Begin with a name and two or three fields; more can be added at any time.",
        "Add the first object",
    )

    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("name", "plural"),
                    ("slug", "icon"),
                    "description",
                    ("allow_drafts", "position"),
                )
            },
        ),
    )
    prepopulated_fields = {"slug": ("plural",)}
    warn_unsaved_form = True

    inlines = (FieldInline, StageInline)

    actions = ("restore_selected",)

    @admin.action(description="Restore", permissions=["delete"])
    def restore_selected(self, request: HttpRequest, queryset: QuerySet[ObjectDefinition]) -> None:
        count = 0
        for definition in queryset.exclude(deleted_at=None):
            definition.deleted_at = None
            definition.save(update_fields=["deleted_at"])
            count += 1
        text = f"{count} object{'s' * (count != 1)} restored, with their records."
        self.message_user(request, text if count else "None of these was deleted.")

    def delete_model(self, request: HttpRequest, obj: ObjectDefinition) -> None:
        obj.deleted_at = timezone.now()
        obj.save(update_fields=["deleted_at"])

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[ObjectDefinition]) -> None:
        for definition in queryset.filter(deleted_at=None):
            self.delete_model(request, definition)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """The records are not deleted with their object; they wait until it is restored."""
        texts = [
            format_html("{} ({} records are kept until it is restored)", one, one.records.count())
            for one in objs
        ]
        return texts, {"objects": len(texts)}, set(), []

    def get_queryset(self, request: HttpRequest) -> QuerySet[ObjectDefinition]:
        queryset: QuerySet[ObjectDefinition] = super().get_queryset(request)
        return queryset.annotate(
            number_of_fields=Count("fields", distinct=True),
            number_of_stages=Count("stages", distinct=True),
        )

    def get_prepopulated_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return {} if obj else self.prepopulated_fields

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return super().changeform_view(request, *args, **kwargs)  # type: ignore[no-any-return]
        except InvalidData as error:  # values became duplicates while the form was checked
            self.message_user(request, str(error), messages.ERROR)
            return HttpResponseRedirect(request.get_full_path())

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        definition = kwargs.get("obj")
        if definition is not None:
            query = f"?object={definition.slug}"
            context["records_url"] = reverse("admin:records_record_changelist") + query
        return super().render_change_form(request, context, *args, **kwargs)  # type: ignore[no-any-return]

    @display(description="Object", ordering="plural")
    def plural_with_icon(self, obj: ObjectDefinition) -> str:
        return format_html(
            '<span class="flex items-center gap-2"><span class="material-symbols-outlined">{}</span>'
            "{}</span>",
            obj.icon,
            obj.plural,
        )

    @display(description="Fields", ordering="number_of_fields")
    def field_count(self, obj: Any) -> int:
        return int(obj.number_of_fields)

    @display(description="Stages", ordering="number_of_stages")
    def stage_count(self, obj: Any) -> int:
        return int(obj.number_of_stages)

    @display(description="Status", label={"Deleted": "danger", "In use": "success"})
    def status(self, obj: ObjectDefinition) -> str:
        return "Deleted" if obj.deleted_at else "In use"
