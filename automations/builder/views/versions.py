"""The versions of an automation: what was published when, what is different, and the way back."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, reverse
from django.views.decorators.http import require_GET, require_POST

from automations.builder.views.base import Pages, user_of
from automations.document.comparing import compare_documents
from automations.exceptions import DocumentInvalid
from automations.models import Automation, AutomationVersion
from automations.services import roll_back

DRAFT = "draft"
MAX_VERSIONS = 200


class VersionPages(Pages):
    def urls(self) -> list[URLPattern]:
        return [
            self.address("<str:object_id>/versions/", require_GET(self.versions), "versions"),
            self.address("<str:object_id>/roll-back/", require_POST(self.roll_back), "roll_back"),
        ]

    def versions(self, request: HttpRequest, object_id: str) -> HttpResponse:
        automation = self.find(request, object_id)
        versions = list(automation.versions.select_related("published_by")[:MAX_VERSIONS])
        numbers = {str(version.number): version for version in versions}
        one, other = _chosen(request, versions)
        documents = {DRAFT: automation.draft} | {
            key: each.document for key, each in numbers.items()
        }
        is_compared = one in documents and other in documents
        return self.page(
            request,
            automation,
            "versions.html",
            "versions",
            versions=versions,
            one=one,
            other=other,
            is_compared=is_compared,
            changes=compare_documents(documents[one], documents[other], user_of(request))
            if is_compared
            else [],
        )

    def roll_back(self, request: HttpRequest, object_id: str) -> HttpResponse:
        automation = self.find(request, object_id, to_change=True)
        number = request.POST.get("number", "")
        version = _version(automation, number)
        try:
            made = roll_back(version=version, actor=user_of(request))
        except DocumentInvalid as error:
            messages.error(
                request,
                f"Version {number} can't be published as things are now: {error.mistakes[0][1]}",
            )
        else:
            words = f"Version {made.number} is published: the same as version {number}."
            self.admin.log_change(request, automation, words)
            messages.success(request, words)
        return HttpResponseRedirect(
            reverse("admin:automations_automation_versions", args=[automation.pk])
        )


def _chosen(request: HttpRequest, versions: list[AutomationVersion]) -> tuple[str, str]:
    """Which two are compared: those asked for, else the newest version and the draft."""
    newest = str(versions[0].number) if versions else DRAFT
    return request.GET.get("from", newest), request.GET.get("to", DRAFT)


def _version(automation: Automation, number: str) -> AutomationVersion:
    found = automation.versions.filter(number=int(number)).first() if number.isdecimal() else None
    if found is None:
        raise Http404
    return found
