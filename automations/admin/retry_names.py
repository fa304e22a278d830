"""What the form of a failed step asks while somebody writes: the names that it can use, and what they come to in
this very run."""

from typing import TYPE_CHECKING, Any, Final

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.urls import URLPattern, path
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from automations.admin.run_page import load_run
from automations.builder.conditionfields import condition_fields, operators
from automations.builder.menu import value_menu
from automations.builder.place import Place
from automations.builder.values import outcome_of
from automations.compiled import compiled_version
from automations.document.names import names_at
from automations.exceptions import RunRefused
from automations.models import Automation, AutomationVersion, Run
from automations.names import names_of, with_progress
from automations.services.retry_plans import On, cursor_for, version_for
from records.expressions import Namespace, Symbol
from records.models import User
from webhooks.admin.filters import clean_id
from webhooks.admin.links import can_view

if TYPE_CHECKING:
    from automations.admin.runs import RunAdmin

_MAX_SOURCE: Final = 20_000
_CHOICES: Final[dict[str, On]] = {"same": "same", "current": "current"}


class RetryNames:
    def __init__(self, model_admin: "RunAdmin") -> None:
        self.admin = model_admin

    def urls(self) -> list[URLPattern]:
        wrap = self.admin.admin_site.admin_view
        return [
            path(
                "<str:object_id>/retry/<str:on>/names/",
                wrap(require_GET(self.names)),
                name="automations_run_retry_names",
            ),
            path(
                "<str:object_id>/retry/<str:on>/value/",
                wrap(require_POST(self.value)),
                name="automations_run_retry_value",
            ),
        ]

    def names(self, request: HttpRequest, object_id: str, on: str) -> HttpResponse:
        run, version = self._find(request, object_id, on)
        place = Place(version.document, _user(request))
        card = request.GET.get("card", "")
        known = names_at(version.document, card, automation=run.automation)
        return JsonResponse(
            {
                "groups": value_menu(known),
                "fields": condition_fields(place, known),
                "operators": operators(),
            }
        )

    def value(self, request: HttpRequest, object_id: str, on: str) -> HttpResponse:
        """What one text comes to where the retry begins."""
        run, version = self._find(request, object_id, on)
        source = request.POST.get("source", "")[:_MAX_SOURCE]
        mode = request.POST.get("mode", "text")
        try:
            names = _names_in(run, version, Place(version.document, _user(request)))
        except RunRefused as refusal:
            raise Http404(str(refusal)) from None
        outcome = outcome_of(source, mode, names, frozenset())
        context = {"outcome": outcome}
        return HttpResponse(
            render_to_string("admin/automations/builder/_value.html", context, request)
        )

    def _find(self, request: HttpRequest, object_id: str, on: str) -> tuple[Run, AutomationVersion]:
        """For those who may see what is written in the automation."""
        self.admin.require_change(request)
        if not can_view(request, Automation):
            raise PermissionDenied
        pk = clean_id(Run, object_id)
        run = load_run(pk) if pk else None
        if run is None or on not in _CHOICES:
            raise Http404("There is no such run.")
        try:
            return run, version_for(run, _CHOICES[on])
        except RunRefused as refusal:
            raise Http404(str(refusal)) from None


def _names_in(run: Run, version: AutomationVersion, place: Place) -> dict[str, Any]:
    """The names with the values that the run had when it failed; of secrets their names."""
    run.cursor = cursor_for(run, compiled_version(version), "failed_step")
    lasting = names_of(run, run.automation.name, run.event, lambda: run.record, timezone.now())
    secrets = {name: Symbol(f"‹secret {name}›") for name in place.secrets}
    lasting["secrets"] = Namespace(secrets, label="`secrets`", noun="secret")
    return with_progress(lasting, run)


def _user(request: HttpRequest) -> User:
    return request.user  # type: ignore[return-value]  # the admin knows only our users
