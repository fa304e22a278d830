"""Publishing a draft, and switching an automation on and off."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.loader import render_to_string
from django.urls import URLPattern, reverse
from django.views.decorators.http import require_GET, require_POST

from automations.builder.mistakes import mistakes_of
from automations.builder.saving import stamp_of
from automations.builder.views.base import FOLDER, STATES, Pages, user_of
from automations.document.comparing import compare_documents
from automations.exceptions import AutomationTrouble, DocumentInvalid
from automations.models import Automation, AutomationState
from automations.services import publish, set_state


class PublishingPages(Pages):
    def urls(self) -> list[URLPattern]:
        return [
            self.address("<str:object_id>/publishing/", require_GET(self.ask), "publishing"),
            self.address("<str:object_id>/publish/", require_POST(self.publish), "publish"),
            self.address("<str:object_id>/state/", require_POST(self.state), "state"),
        ]

    def ask(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """What changes by publishing, a note about it, and what the automation does then."""
        automation = self.find(request, object_id, to_change=True)
        frame = self.frame(request, automation, "builder")
        before = automation.published.document if automation.published else None
        context = {
            **frame,
            "changes": compare_documents(before, automation.draft, user_of(request))
            if before
            else [],
            "warnings": [
                each
                for each in mistakes_of(automation.draft, with_warnings=True)
                if each.is_warning
            ],
            "wanted": _wanted_state(automation),
        }
        return HttpResponse(render_to_string(f"{FOLDER}/_publishing.html", context, request))

    def publish(self, request: HttpRequest, object_id: str) -> HttpResponse:
        automation = self.find(request, object_id, to_change=True)
        back = HttpResponseRedirect(
            reverse("admin:automations_automation_change", args=[object_id])
        )
        if request.POST.get("stamp") != stamp_of(automation.draft):
            messages.error(
                request,
                "Somebody has changed this automation in the meantime, so nothing was published. Look at it again.",
            )
            return back
        note = request.POST.get("note", "").strip()[:200]
        try:
            version = publish(automation=automation, note=note, actor=user_of(request))
        except DocumentInvalid as error:
            count = len(error.mistakes)
            words = "1 mistake" if count == 1 else f"{count} mistakes"
            messages.error(request, f"Not published: {words} to mend first.")
            return back
        words = f"Version {version.number} is published."
        state = request.POST.get("state", "")
        if state in AutomationState.values and state != automation.state:
            automation = set_state(automation=automation, state=state)
            words += f" {_words_of(state)}"
        self.admin.log_change(request, automation, words)
        messages.success(request, words)
        return back

    def state(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Switch it on, to test, or off."""
        automation = self.find(request, object_id, to_change=True)
        state = request.POST.get("state", "")
        if state in AutomationState.values:
            try:
                automation = set_state(automation=automation, state=state)
                self.admin.log_change(request, automation, f"{AutomationState(state).label}.")
                messages.success(request, _words_of(state))
            except AutomationTrouble as error:
                messages.error(request, str(error))
        return HttpResponseRedirect(
            reverse("admin:automations_automation_change", args=[automation.pk])
        )


def _wanted_state(automation: Automation) -> str:
    """A first version is most likely meant to run."""
    return AutomationState.ACTIVE if automation.state == AutomationState.DRAFT else automation.state


def _words_of(state: str) -> str:
    return next(words for key, _, _, words in STATES if key == state)
