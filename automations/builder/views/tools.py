"""What the page asks while somebody writes: names, values, records to try with."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.urls import URLPattern
from django.views.decorators.http import require_GET, require_POST

from automations.builder.conditionfields import condition_fields, operators
from automations.builder.menu import value_menu
from automations.builder.values import context_of, outcome_of, received_in, samples_of
from automations.builder.views.base import FOLDER, Pages, place_of
from automations.document.names import names_at

MAX_SOURCE = 20_000


class ToolPages(Pages):
    def urls(self) -> list[URLPattern]:
        return [
            self.address("<str:object_id>/names/", require_GET(self.names), "names"),
            self.address("<str:object_id>/value/", require_POST(self.value), "value"),
            self.address("<str:object_id>/samples/", require_GET(self.samples), "samples"),
        ]

    def names(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """What can be used in a card: for the list of values, and for the editor of conditions."""
        automation = self.find(request, object_id)
        place = place_of(request, automation)
        received = None
        if place.takes_requests:
            received = received_in(samples_of(place, automation).get(request.GET.get("sample", "")))
        card = request.GET.get("card", "")
        known = names_at(automation.draft, card, automation=automation, received=received)
        return JsonResponse(
            {
                "groups": value_menu(known),
                "fields": condition_fields(place, known),
                "operators": operators(),
            }
        )

    def value(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """What one text comes to with the chosen record."""
        automation = self.find(request, object_id)
        place = place_of(request, automation)
        source = request.POST.get("source", "")[:MAX_SOURCE]
        sample = samples_of(place, automation).get(request.POST.get("sample", ""))
        names = context_of(automation, place, sample, place.event_name)
        known = names_at(automation.draft, request.POST.get("card", ""), automation=automation)
        inner = frozenset(known.place.items)
        outcome = outcome_of(source, request.POST.get("mode", "text"), names, inner)
        context = {"outcome": outcome, "sample": sample}
        return HttpResponse(render_to_string(f"{FOLDER}/_value.html", context, request))

    def samples(self, request: HttpRequest, object_id: str) -> HttpResponse:
        automation = self.find(request, object_id)
        query = request.GET.get("query", "").strip()[:200].replace("\0", "")
        place = place_of(request, automation)
        choices = samples_of(place, automation).choices(query)
        context = {"samples": choices, "selected": request.GET.get("sample", "")}
        return HttpResponse(render_to_string(f"{FOLDER}/_samples.html", context, request))
