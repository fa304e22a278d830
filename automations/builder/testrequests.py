"""The test address of a draft that requests start, and what arrived there: the lower part of its trigger's card."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from django.http import HttpRequest
from django.urls import reverse

from automations.builder.flow import flow_of, summaries_of
from automations.models import Automation
from webhooks.admin.bodies import BodyView, view_body
from webhooks.admin.inspectors import example_of
from webhooks.admin.links import admin_url
from webhooks.admin.request_page import Trial, TriedStep, trial_of
from webhooks.models import InboundEndpoint, RequestLog
from webhooks.verification import SCHEMES

SHOWN: Final = 10
# So many of the newest requests of the endpoint are looked through: none of its indexes tells tests from the rest.
_LOOK_BACK: Final = 2_000
# Of a body so many characters are shown; the request's own page has it whole.
_MAX_SHOWN: Final = 4_000


@dataclass(frozen=True, slots=True)
class TestRequest:
    """One request. `trial`: what the draft would have done; None where the request was refused before."""

    __test__ = False  # for tests of people, none of pytest's

    row: RequestLog
    url: str
    body: BodyView
    trial: Trial | None
    failed: Sequence[TriedStep] = ()


@dataclass(frozen=True, slots=True)
class TestAddress:
    """What the card shows. `requests` are newest first, and there for those who may see the request log."""

    __test__ = False

    url: str
    curl: str
    # The page with the real address; empty for those who may not see it.
    page: str
    is_open: bool
    # How senders prove who they are; empty where nobody has to.
    scheme: str
    may_see: bool
    may_keep: bool
    requests: Sequence[TestRequest]


def endpoint_of(automation: Automation) -> InboundEndpoint | None:
    return InboundEndpoint.objects.filter(automation_id=automation.pk).first()


def address_of(request: HttpRequest, automation: Automation) -> TestAddress | None:
    """None before there is one, and for those who may only look at the automation: who knows the address may use it."""
    endpoint = endpoint_of(automation)
    user = request.user
    is_entitled = user.has_perm("automations.change_automation") or user.has_perm(
        "webhooks.view_inboundendpoint"
    )
    if endpoint is None or not endpoint.test_url or not is_entitled:
        return None
    scheme = SCHEMES.get(endpoint.scheme)
    return TestAddress(
        url=endpoint.test_url,
        curl=example_of(endpoint, endpoint.test_url),
        page=_page_of(request, endpoint),
        is_open=endpoint.is_active,
        scheme=scheme.label if scheme and endpoint.scheme != "none" else "",
        may_see=may_see_requests(request),
        may_keep=may_keep_requests(request),
        requests=requests_of(request, automation, endpoint),
    )


def may_see_requests(request: HttpRequest) -> bool:
    return request.user.has_perm("webhooks.view_requestlog")


def may_keep_requests(request: HttpRequest) -> bool:
    """As in the request log."""
    return may_see_requests(request) and request.user.has_perm("webhooks.change_inboundendpoint")


def requests_of(
    request: HttpRequest, automation: Automation, endpoint: InboundEndpoint, after: str = ""
) -> list[TestRequest]:
    """The newest at the test address; only what is newer than the request `after`, if one is named."""
    if not may_see_requests(request):
        return []
    newest = RequestLog.objects.filter(endpoint=endpoint).order_by("-pk")
    if after:
        newest = newest.filter(pk__gt=after)
    path = endpoint.test_url.partition("//")[2].partition("/")[2]
    rows = RequestLog.objects.filter(
        pk__in=newest.values("pk")[:_LOOK_BACK], url__startswith=f"/{path}"
    )
    found = list(rows.order_by("-pk")[:SHOWN])
    titles = summaries_of(flow_of(automation.draft)) if found else {}
    return [_shown(request, row, titles) for row in found]


def _shown(request: HttpRequest, row: RequestLog, titles: Mapping[str, str]) -> TestRequest:
    shown = row.request_body[:_MAX_SHOWN]
    is_cut = row.request_truncated or len(row.request_body) > len(shown)
    trial = None if row.error_kind else _trial_of(request, row, titles)
    return TestRequest(
        row=row,
        url=admin_url(request, RequestLog, row.pk),
        body=view_body(shown, truncated=is_cut, removed=row.bodies_removed),
        trial=trial,
        failed=[step for step in trial.steps if step.status == "failed"] if trial else [],
    )


def _trial_of(request: HttpRequest, row: RequestLog, titles: Mapping[str, str]) -> Trial | None:
    """What the sender was answered is what came of it."""
    try:
        outcome: Any = json.loads(row.response_body)
    except ValueError:  # it was too old to keep
        return None
    if not isinstance(outcome, dict):
        return None
    trial = trial_of(request, row, outcome)
    steps = [replace(step, name=_title(step.name, titles)) for step in trial.steps]
    return replace(trial, steps=steps)


def _title(path: str, titles: Mapping[str, str]) -> str:
    """ "loop[2]/tell" → “Tell the CRM”, as the card is called now; as it is where there is none any more."""
    step_id = path.rpartition("/")[2].partition("[")[0]
    return titles.get(f"{step_id}:title", path)


def _page_of(request: HttpRequest, endpoint: InboundEndpoint) -> str:
    if not request.user.has_perm("webhooks.view_inboundendpoint"):
        return ""
    return reverse("admin:webhooks_inboundendpoint_change", args=[endpoint.pk])
