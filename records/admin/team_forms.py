"""The form of a team: permissions as a table of objects and actions, and who belongs to it."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.db.models import Q
from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from unfold.widgets import (
    CHECKBOX_CLASSES,
    UnfoldAdminSelect2MultipleWidget,
    UnfoldAdminTextInputWidget,
)

from records.models import ObjectDefinition, Record, User
from records.permissions import ACTIONS

# The row above the objects: Django's permissions for the records of all objects.
ALL_RECORDS = ("view", "add", "change", "delete")
# Apps whose permissions a team is never given: they are the machinery's.
HIDDEN_APPS = ("contenttypes", "sessions")


class PermissionTable(forms.CheckboxSelectMultiple):
    """Objects down, actions across."""

    template_name = "admin/records/team/permission_table.html"

    class Media:
        css = {"all": ["records_admin/pages.css"]}

    rows: Sequence[tuple[str, str, dict[str, Permission]]] = ()

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        # Not by the form renderer: that one does not look into the project's templates.
        return render_to_string(self.template_name, self.get_context(name, value, attrs))

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        chosen = {str(pk) for pk in value or ()}
        context["widget"] |= {
            "columns": list(ACTIONS),
            "checkbox_class": " ".join(CHECKBOX_CLASSES),
            "rows": [
                {
                    "label": label,
                    "icon": icon,
                    "cells": [
                        {
                            "pk": cells[action].pk,
                            "name": cells[action].name,
                            "checked": str(cells[action].pk) in chosen,
                        }
                        if action in cells
                        else None
                        for action in ACTIONS
                    ],
                }
                for label, icon, cells in self.rows
            ],
        }
        return context


class TeamForm(forms.ModelForm):  # type: ignore[type-arg]
    name = forms.CharField(max_length=150, widget=UnfoldAdminTextInputWidget)
    record_permissions = forms.ModelMultipleChoiceField(
        Permission.objects.none(),
        required=False,
        label="May do with records",
        widget=PermissionTable,
    )
    other_permissions = forms.ModelMultipleChoiceField(
        Permission.objects.none(),
        required=False,
        label="May do in the admin",
        widget=UnfoldAdminSelect2MultipleWidget,
        help_text="For people who may open the admin (“staff”).",
    )
    members = forms.ModelMultipleChoiceField(
        User.objects.none(), required=False, widget=UnfoldAdminSelect2MultipleWidget
    )

    class Meta:
        model = Group
        fields = ("name",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        content_type = ContentType.objects.get_for_model(Record)
        rows = permission_rows(content_type)
        of_records = [row.pk for _, _, cells in rows for row in cells.values()]
        self._offer("record_permissions", Permission.objects.filter(pk__in=of_records))
        others = (
            Permission.objects.exclude(content_type=content_type)
            .exclude(Q(content_type__app_label__in=HIDDEN_APPS))
            .select_related("content_type")
        )
        self._offer("other_permissions", others)
        self._offer("members", User.objects.order_by("username"))
        table = self.fields["record_permissions"].widget
        table.rows = rows
        if self.instance.pk:
            granted = list(self.instance.permissions.values_list("pk", flat=True))
            self.initial["record_permissions"] = [pk for pk in granted if pk in of_records]
            self.initial["other_permissions"] = [pk for pk in granted if pk not in of_records]
            self.initial["members"] = list(self.instance.user_set.values_list("pk", flat=True))

    def _save_m2m(self) -> None:
        super()._save_m2m()  # type: ignore[misc]
        chosen = [*self.cleaned_data["record_permissions"], *self.cleaned_data["other_permissions"]]
        self.instance.permissions.set(chosen)
        self.instance.user_set.set(self.cleaned_data["members"])

    def _offer(self, name: str, queryset: Any) -> None:
        self.fields[name].queryset = queryset  # type: ignore[attr-defined]


def permission_rows(
    content_type: ContentType,
) -> list[tuple[str, str, dict[str, Permission]]]:
    """Label, icon and the permissions by action: of all records, then of each object."""
    rows = Permission.objects.filter(content_type=content_type)
    by_codename = {permission.codename: permission for permission in rows}
    table = [
        (
            "All records",
            "select_all",
            {
                action: by_codename[f"{action}_record"]
                for action in ALL_RECORDS
                if f"{action}_record" in by_codename
            },
        )
    ]
    for definition in ObjectDefinition.objects.alive():
        cells = {
            action: by_codename[f"{action}_{definition.slug}"]
            for action in ACTIONS
            if f"{action}_{definition.slug}" in by_codename
        }
        table.append((definition.plural, definition.icon, cells))
    return table
