"""Automations: the list, and the builder as the page of each."""

from io import BytesIO
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.urls import URLPattern
from django.utils.safestring import SafeString
from django.utils.text import slugify
from unfold.admin import ModelAdmin

from automations.admin.automation_list import AutomationChangeList, ObjectFilter, StateFilter
from automations.admin.gallery_page import GalleryPages
from automations.admin.test_page import TestPages
from automations.builder.testrequests import endpoint_of
from automations.builder.views.base import FOLDER
from automations.builder.views.builder import BuilderPages
from automations.builder.views.documents import DocumentPages, written
from automations.builder.views.new import NewPages, copy_of
from automations.builder.views.publishing import PublishingPages
from automations.builder.views.testrequests import TestRequestPages
from automations.builder.views.tools import ToolPages
from automations.builder.views.versions import VersionPages
from automations.exceptions import NothingPublished
from automations.models import Automation, AutomationState
from automations.services import delete_automation, set_state
from automations.services.versions import export_automation
from records.admin.decorators import action, display
from records.admin.empty import EmptyState
from records.admin.selection import CheckedSelection
from webhooks.admin.filters import clean_id


@admin.register(Automation)
class AutomationAdmin(CheckedSelection, ModelAdmin):  # type: ignore[misc]
    list_display = ("show_name", "show_state", "show_trigger", "show_last", "show_day")
    list_display_links = ("show_name",)
    list_select_related = ("published",)
    list_per_page = 50
    ordering = ("name",)
    empty_state = EmptyState(
        "account_tree",
        "No automations yet",
        "An automation does something when something happens: a lead comes in, so the sales team hears of it. "
        "Begin with a trigger, then add the steps; nothing fires before you say so.",
        "New automation",
    )

    list_filter = (StateFilter, ObjectFilter)
    search_fields = ("name", "description")
    search_help_text = "Name or description"

    actions = ("activate", "pause", "duplicate", "export")
    delete_confirmation_template = f"{FOLDER}/delete.html"

    class Media:
        css = {"all": ("webhooks/webhook_form.css", "automations/builder.css")}

    # --- pages ---

    def get_urls(self) -> list[URLPattern]:
        families = (
            GalleryPages,
            NewPages,
            BuilderPages,
            ToolPages,
            TestRequestPages,
            PublishingPages,
            VersionPages,
            DocumentPages,
            TestPages,
        )
        own = [pattern for family in families for pattern in family(self).urls()]
        return [*own, *super().get_urls()]

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[AutomationChangeList]:
        return AutomationChangeList

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> Automation | None:
        """Whatever stands in an address, it is an id or there is no such automation."""
        pk = clean_id(Automation, object_id)
        return super().get_object(request, pk, from_field) if pk else None

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        texts = [f"{each.name}, with its versions, runs and addresses" for each in objs]
        return texts, {"automations": len(texts)}, set(), []

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        automation = self.get_object(request, unquote(object_id))
        endpoint = endpoint_of(automation) if automation else None
        context = {**(extra_context or {}), "endpoint": endpoint}
        return super().delete_view(request, object_id, context)  # type: ignore[no-any-return]

    def delete_model(self, request: HttpRequest, obj: Automation) -> None:
        delete_automation(automation=obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Automation]) -> None:
        for automation in queryset:
            delete_automation(automation=automation)

    # --- actions ---

    @action(description="Activate", permissions=["change"])
    def activate(self, request: HttpRequest, queryset: QuerySet[Automation]) -> None:
        self._set_state(request, queryset, AutomationState.ACTIVE, "activated")

    @action(description="Pause", permissions=["change"])
    def pause(self, request: HttpRequest, queryset: QuerySet[Automation]) -> None:
        self._set_state(request, queryset, AutomationState.PAUSED, "paused")

    @action(description="Duplicate", permissions=["add"])
    def duplicate(self, request: HttpRequest, queryset: QuerySet[Automation]) -> None:
        for automation in queryset:
            self.log_addition(request, copy_of(automation, request), "Created.")
        messages.success(request, f"{_automations(queryset.count())} duplicated, as drafts.")

    @action(description="Export as JSON", permissions=["view"])
    def export(self, request: HttpRequest, queryset: QuerySet[Automation]) -> HttpResponse:
        packed = BytesIO()
        with ZipFile(packed, "w", ZIP_DEFLATED) as archive:
            for automation in queryset:
                name = f"{slugify(automation.name) or 'automation'}-{automation.pk[-6:]}.json"
                archive.writestr(name, written(export_automation(automation)))
        response = HttpResponse(packed.getvalue(), content_type="application/zip")
        response["Content-Disposition"] = 'attachment; filename="automations.zip"'
        return response

    def _set_state(
        self, request: HttpRequest, queryset: QuerySet[Automation], state: str, word: str
    ) -> None:
        count, unpublished = 0, []
        for automation in queryset.exclude(state=state):
            try:
                set_state(automation=automation, state=state)
            except NothingPublished:
                unpublished.append(automation.name)
                continue
            self.log_change(request, automation, f"{word.capitalize()}.")
            count += 1
        messages.success(request, f"{_automations(count)} {word}.")
        if unpublished:
            names = ", ".join(unpublished[:5])
            messages.warning(
                request, f"Nothing is published yet of: {names}. Open and publish first."
            )

    # --- displays ---

    @display(description="Name", ordering="name")
    def show_name(self, automation: Automation) -> SafeString:
        return _part("_list_name.html", automation)

    @display(description="State", ordering="state")
    def show_state(self, automation: Automation) -> SafeString:
        return _part("_list_state.html", automation)

    @display(description="When")
    def show_trigger(self, automation: Any) -> SafeString:
        return _part("_list_trigger.html", automation)

    @display(description="Last run")
    def show_last(self, automation: Any) -> SafeString:
        return _part("_list_last.html", automation)

    @display(description="Runs in 24 h")
    def show_day(self, automation: Any) -> SafeString:
        return _part("_list_day.html", automation)


def _part(template: str, automation: Any) -> SafeString:
    return render_to_string(f"{FOLDER}/{template}", {"automation": automation})


def _automations(count: int) -> str:
    return f"{count} automation{'' if count == 1 else 's'}"
