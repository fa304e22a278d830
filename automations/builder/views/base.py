"""What the pages of an automation have in common: who may see them, their frame, their tabs."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, cast

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import NoReverseMatch, URLPattern, path, reverse

from automations.builder.mistakes import mistakes_of
from automations.builder.place import Place
from automations.builder.saving import stamp_of
from automations.models import Automation, AutomationState
from records.models import User

if TYPE_CHECKING:
    from automations.admin.automations import AutomationAdmin

FOLDER: Final = "admin/automations/builder"
# What each state does, as the switch of states says it.
STATES: Final = (
    (AutomationState.DRAFT, "Draft", "edit_note", "Nothing fires. Work on it in peace."),
    (AutomationState.TEST, "Test", "science", "It fires on real events and does its work, but sends nothing outside."),
    (AutomationState.ACTIVE, "Active", "bolt", "It fires and sends: live."),
    (AutomationState.PAUSED, "Paused", "pause_circle", "Nothing new fires; runs that wait go on."),
)  # fmt: skip


class Pages:
    """A family of pages. Each address begins with the automation's id."""

    def __init__(self, model_admin: "AutomationAdmin") -> None:
        self.admin = model_admin

    def urls(self) -> list[URLPattern]:
        raise NotImplementedError

    def address(self, route: str, view: Callable[..., HttpResponse], name: str) -> URLPattern:
        wrapped = self.admin.admin_site.admin_view(view)
        pattern: URLPattern = path(route, wrapped, name=f"automations_automation_{name}")
        return pattern

    def find(self, request: HttpRequest, object_id: str, *, to_change: bool = False) -> Automation:
        """The automation, for those who may see or change it. Raises PermissionDenied, Http404."""
        automation = self.admin.get_object(request, object_id)
        if automation is None:
            raise Http404
        allowed = (
            self.admin.has_change_permission(request, automation)
            if to_change
            else self.admin.has_view_permission(request, automation)
        )
        if not allowed:
            raise PermissionDenied
        return automation

    def page(
        self, request: HttpRequest, automation: Automation, template: str, tab: str, **context: Any
    ) -> HttpResponse:
        base = {
            **self.admin.admin_site.each_context(request),
            "opts": self.admin.opts,
            "media": self.admin.media,
            "title": automation.name,
            "original": automation,
            **self.frame(request, automation, tab),
        }
        return TemplateResponse(request, f"{FOLDER}/{template}", {**base, **context})

    def frame(self, request: HttpRequest, automation: Automation, tab: str) -> dict[str, Any]:
        mistakes = mistakes_of(automation.draft)
        return {
            "automation": automation,
            "tab": tab,
            "tabs": tabs_of(automation),
            "is_editable": self.admin.has_change_permission(request, automation),
            "is_deletable": self.admin.has_delete_permission(request, automation),
            "is_addable": self.admin.has_add_permission(request),
            "states": STATES,
            "stamp": stamp_of(automation.draft),
            "mistakes": mistakes,
            "version": version_words(automation),
            "is_changed": is_changed(automation),
        }


def tabs_of(automation: Automation) -> list[tuple[str, str, str, str]]:
    """Key, label, icon and address; only of pages that there are."""
    wanted = (
        ("builder", "Builder", "account_tree", "admin:automations_automation_change", ""),
        ("test", "Test", "science", "admin:automations_automation_test", ""),
        ("runs", "Runs", "play_circle", "admin:automations_run_changelist", f"?automation={automation.pk}"),
        ("versions", "Versions", "history", "admin:automations_automation_versions", ""),
        ("json", "JSON", "data_object", "admin:automations_automation_json", ""),
    )  # fmt: skip
    tabs = []
    for key, label, icon, name, query in wanted:
        try:
            address = reverse(name, args=[] if query else [automation.pk])
        except NoReverseMatch:
            continue
        tabs.append((key, label, icon, address + query))
    return tabs


def is_changed(automation: Automation) -> bool:
    """Whether the draft has what is not published."""
    return automation.published is None or automation.published.document != automation.draft


def version_words(automation: Automation) -> str:
    if automation.published is None:
        return "Not published yet"
    words = f"Version {automation.published.number}"
    return f"{words}, unpublished changes" if is_changed(automation) else words


def user_of(request: HttpRequest) -> User:
    return cast(User, request.user)  # the admin knows only our users


def place_of(request: HttpRequest, automation: Automation) -> Place:
    return Place(automation.draft, user_of(request))
