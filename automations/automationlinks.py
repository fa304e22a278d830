"""What the request log asks of automations: their names, their pages, and which runs are theirs."""

from typing import Any, Final

from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse

from automations.models import Automation, Run
from automations.runlinks import may_see_runs
from webhooks.automationlinks import register_automations

# A drop-down names no more than this.
_MAX_CHOICES: Final = 300


class LinksToAutomations:
    """Registered with the app below, which cannot import this one (`webhooks.automationlinks`)."""

    def choices(self, request: HttpRequest) -> list[tuple[str, str]]:
        if not _may_view(request):
            return []
        return list(Automation.objects.order_by("name").values_list("pk", "name")[:_MAX_CHOICES])

    def page(self, request: HttpRequest, automation_id: str) -> str:
        if not _may_view(request):
            return ""
        return reverse("admin:automations_automation_change", args=[automation_id])

    def test_page(self, request: HttpRequest, automation_id: str, request_id: str) -> str:
        if not request.user.has_perm("automations.change_automation"):
            return ""
        url = reverse("admin:automations_automation_test", args=[automation_id])
        return f"{url}?sample={request_id}"

    def runs(self, automation_id: str) -> QuerySet[Any]:
        return Run.objects.filter(automation=automation_id)

    def of_run(self, run_id: str) -> str | None:
        runs = Run.objects.filter(pk=run_id)
        return runs.values_list("automation", flat=True).first()

    def may_see_runs(self, request: HttpRequest) -> bool:
        return may_see_runs(request)


def _may_view(request: HttpRequest) -> bool:
    user = request.user
    return user.has_perm("automations.view_automation") or user.has_perm(
        "automations.change_automation"
    )


register_automations(LinksToAutomations())
