"""The test address in the trigger's card: made when it is first asked for, and what arrives there, live."""

import json

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.urls import URLPattern
from django.views.decorators.http import require_GET, require_POST

from automations.builder.testrequests import (
    SHOWN,
    address_of,
    endpoint_of,
    may_keep_requests,
    may_see_requests,
    requests_of,
)
from automations.builder.values import samples_of
from automations.builder.views.base import FOLDER, Pages, place_of
from automations.models import Automation
from webhooks.admin.inspectors import request_id
from webhooks.inbound.endpoints import endpoint_for_draft
from webhooks.keptrequests import keep_request
from webhooks.models import RequestLog


class TestRequestPages(Pages):
    __test__ = False

    def urls(self) -> list[URLPattern]:
        own = "<str:object_id>/test-address/"
        return [
            self.address(own, require_POST(self.make), "test_address"),
            self.address(f"{own}arrivals/", require_GET(self.arrivals), "test_arrivals"),
            self.address(f"{own}keep/", require_POST(self.keep), "test_keep"),
        ]

    def make(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The address; asked for by the card of a draft that has none yet. Real requests are not taken before the
        automation is switched on."""
        automation = self.find(request, object_id, to_change=True)
        if not place_of(request, automation).takes_requests:
            raise Http404
        endpoint_for_draft(automation.pk, automation.name)
        address = address_of(request, automation)
        return self._part(request, automation, "_test_address.html", address=address)

    def arrivals(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """What is newer than `after`; 204 when nothing is."""
        automation = self.find(request, object_id)
        endpoint = endpoint_of(automation)
        if endpoint is None or not may_see_requests(request):
            return HttpResponse(status=204)
        after = request_id(request.GET.get("after", ""))
        found = requests_of(request, automation, endpoint, after)
        if not found:
            return HttpResponse(status=204)
        response = self._part(
            request,
            automation,
            "_test_requests.html",
            requests=found,
            may_keep=may_keep_requests(request),
        )
        if len(found) == SHOWN:
            response["HX-Reswap"] = "innerHTML"  # as many as are shown at all: begin anew
        return response

    def keep(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Keep a request as a sample, and try the expressions of this page with it."""
        automation = self.find(request, object_id)
        if not may_keep_requests(request):
            raise PermissionDenied
        key = request_id(request.POST.get("request", ""))
        rows = RequestLog.objects.filter(endpoint__automation_id=automation.pk)
        row = rows.filter(pk=key).first() if key else None
        if row is None:
            raise Http404
        if not row.is_kept:
            keep_request(row=row, name="")
            self.admin.log_change(request, automation, f"Kept the request {row.pk} as a sample.")
        samples = samples_of(place_of(request, automation), automation)
        response = self._part(
            request, automation, "_kept.html", samples=samples.choices(), selected=row.pk
        )
        response["HX-Trigger-After-Settle"] = json.dumps({"au-sample-chosen": row.pk})
        return response

    def _part(
        self, request: HttpRequest, automation: Automation, template: str, **values: object
    ) -> HttpResponse:
        context = {**self.frame(request, automation, "builder"), **values}
        return HttpResponse(render_to_string(f"{FOLDER}/{template}", context, request))
