"""Mail templates: subject and text of mails that automations send."""

from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin
from unfold.views import ChangeList
from unfold.widgets import UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from automations.mail_uses import all_uses, uses_of
from automations.models import Automation, MailTemplate
from records.admin.decorators import display
from records.admin.empty import EmptyState
from records.expressions import ExpressionError, check
from webhooks.rendering import position

# A list names so many automations; a template has a page that names all.
_NAMED = 3


class MailTemplateForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = MailTemplate
        fields = ("id", "name", "subject", "body")
        widgets: ClassVar = {
            "subject": UnfoldAdminTextInputWidget(),
            "body": UnfoldAdminTextareaWidget({"rows": 16}),
        }
        help_texts: ClassVar = {
            "subject": "Expressions fit in: Welcome, {{ record.name }}",
            "body": "Plain text with expressions: all that a step sees, such as {{ record.name }} or "
            "{{ steps.lookup.response.id }}, and the step's own variables by their names.",
        }

    def clean_subject(self) -> str:
        return _checked(" ".join(self.cleaned_data["subject"].split()))

    def clean_body(self) -> str:
        return _checked(self.cleaned_data["body"])


class MailTemplateChangeList(ChangeList):  # type: ignore[misc]
    result_list: Any

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        self.result_list = list(self.result_list)
        uses = all_uses()
        for template in self.result_list:
            template.uses = uses.get(template.pk, [])


@admin.register(MailTemplate)
class MailTemplateAdmin(ModelAdmin):  # type: ignore[misc]
    list_display = ("name", "id", "subject", "show_uses", "updated_at")
    ordering = ("name",)
    search_fields = ("name", "id", "subject")
    empty_state = EmptyState(
        "mail",
        "No mail templates yet",
        "A template is the text of a mail, written once and sent by many automations: choose it in a step "
        "“Send email”, and give it values for its variables.",
        "Add the first template",
    )

    form = MailTemplateForm
    compressed_fields = False
    warn_unsaved_form = True

    # --- pages ---

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[MailTemplateChangeList]:
        return MailTemplateChangeList

    def get_fields(self, request: HttpRequest, obj: MailTemplate | None = None) -> list[str]:
        return ["name", "id", "subject", "body", *(["used_in"] if obj else [])]

    def get_readonly_fields(
        self, request: HttpRequest, obj: MailTemplate | None = None
    ) -> tuple[str, ...]:
        """Steps know it by its id."""
        return ("id", "used_in") if obj else ()

    def get_deleted_objects(
        self, objs: QuerySet[MailTemplate] | list[MailTemplate], request: HttpRequest
    ) -> tuple[list[Any], dict[str, int], set[str], list[Any]]:
        """What is used by a step stays: its next mail would fail."""
        listed, counts, missing, protected = super().get_deleted_objects(objs, request)
        uses = all_uses()
        used = [automation for template in objs for automation in uses.get(template.pk, [])]
        return listed, counts, missing, [*protected, *(_link(each) for each in used)]

    # --- displays ---

    @display(description="Used in")
    def show_uses(self, template: Any) -> str | SafeString:
        uses = template.uses
        more = f" and {len(uses) - _NAMED} more" if len(uses) > _NAMED else ""
        return format_html("{}{}", _links(uses[:_NAMED]), more) if uses else "—"

    @display(description="Used in")
    def used_in(self, template: MailTemplate) -> str | SafeString:
        return _links(uses_of(template.pk)) or "No automation so far"


def _links(automations: list[Automation]) -> SafeString:
    return format_html_join(", ", "{}", ((_link(each),) for each in automations))


def _link(automation: Automation) -> SafeString:
    url = reverse("admin:automations_automation_change", args=[automation.pk])
    return format_html(
        '<a class="text-primary-600 dark:text-primary-500" href="{}">{}</a>', url, automation.name
    )


def _checked(source: str) -> str:
    """Its expressions can be read; which names there are depends on who sends it."""
    try:
        check(source)
    except ExpressionError as error:
        where = position(error.line, error.column).lstrip(", ")
        raise ValidationError(f"{where[:1].upper()}{where[1:]}: {error}") from None
    return source
