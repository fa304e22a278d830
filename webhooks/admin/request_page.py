"""The page of one request: what was sent and answered to the letter, where it leads, and what it would do again."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse

from records.models import Event
from webhooks.admin.bodies import BodyView, view_body, with_code
from webhooks.admin.links import admin_url
from webhooks.admin.request_filters import Asked
from webhooks.admin.request_rows import (
    automation_url,
    is_success,
    row_of,
    shown_headers,
    url_of,
)
from webhooks.automationlinks import known_automations
from webhooks.curl import curl_command
from webhooks.inbound.former import former_endpoints
from webhooks.keptrequests import MAX_NAME
from webhooks.models import Direction, EndpointKind, RequestLog
from webhooks.replays import replays_of, why_not_replayed
from webhooks.requestlog import neighbours_of
from webhooks.summaries import hint_of

# What curl says by itself, or what was only between two machines.
_OF_THE_CONNECTION: Final = frozenset(
    {"host", "content-length", "connection", "transfer-encoding", "accept-encoding", "expect"}
)
# Of a request's replays so many are named; the list has all.
_REPLAYS: Final = 5
_STATUS_WORDS: Final = {
    "succeeded": ("good", "check_circle", "Would succeed"),
    "failed": ("bad", "error", "Would fail"),
    "halted": ("warn", "front_hand", "Would be halted"),
    "skipped": ("quiet", "block", "Would not fire"),
    "cancelled": ("warn", "timer_off", "Cut off"),
    "mistakes": ("bad", "edit_off", "The draft has mistakes"),
    "none": ("quiet", "draft", "There is no draft to try"),
}


@dataclass(frozen=True, slots=True)
class TriedStep:
    name: str
    type: str
    status: str
    words: str
    input: BodyView | None
    output: BodyView | None


@dataclass(frozen=True, slots=True)
class Trial:
    """What an automation's draft would do about a request."""

    tone: str
    icon: str
    words: str
    reason: str
    mistakes: Sequence[str]
    steps: Sequence[TriedStep]
    answer: str
    # Whether the steps' values are shown to this person.
    is_whole: bool


def request_context(
    request: HttpRequest, row: RequestLog, asked: Asked, *, may_keep: bool, may_replay: bool
) -> dict[str, Any]:
    newer, older = neighbours_of(asked.query, row.pk)
    query = asked.address().removeprefix("?")
    former = former_endpoints([row])
    item = row_of(request, row, former)
    endpoint = row.endpoint or former.get(row.endpoint_id or "")
    why_not = why_not_replayed(row)
    return {
        "item": item,
        "row": row,
        "url": url_of(request, row),
        "query": query,
        "newer_url": _url(newer, query),
        "older_url": _url(older, query),
        "list_url": _list_url(query),
        "request_headers": shown_headers(row.request_headers),
        "response_headers": shown_headers(row.response_headers),
        "request_body": view_body(
            row.request_body, truncated=row.request_truncated, removed=row.bodies_removed
        ),
        "response_body": view_body(
            row.response_body, truncated=row.response_truncated, removed=row.bodies_removed
        ),
        "error": with_code(row.error),
        "hint": ""
        if item.is_in
        else hint_of(
            is_success=is_success(row), status_code=row.status_code, error_kind=row.error_kind
        ),
        "event_url": admin_url(request, Event, row.event_id),
        "automation_url": automation_url(request, row),
        "replay_of_url": _url(_if_there(row.replay_of)),
        "replays": _replays(row),
        "replays_url": _list_url(urlencode({"q": row.pk})),
        "curl": curl_of(request, row),
        "may_keep": may_keep,
        "max_name": MAX_NAME,
        "is_of_automation": bool(endpoint and endpoint.kind == EndpointKind.AUTOMATION),
        "may_replay": may_replay and not why_not,
        "why_not": why_not if may_replay else "",
        "test_url": _test_url(request, row),
    }


def curl_of(request: HttpRequest, row: RequestLog) -> str:
    """A command that sends it again, credentials masked; "" where not all of its body is there."""
    if row.request_truncated or row.bodies_removed:
        return ""
    is_in = row.direction == Direction.IN
    pairs = [
        (name, value)
        for name, value in shown_headers(row.request_headers)
        if name.lower() not in _OF_THE_CONNECTION
    ]
    url = f"{settings.PUBLIC_URL if is_in else ''}{url_of(request, row)}"
    return curl_command(method=row.method, url=url, headers=pairs, body=row.request_body)


def trial_of(request: HttpRequest, row: RequestLog, outcome: Mapping[str, Any] | None) -> Trial:
    """`outcome` is what `webhooks.inbound.runs.Runs.try_draft` says; what records hold is for who may see runs."""
    found = outcome or {"status": "none"}
    status = str(found.get("status"))
    tone, icon, words = _STATUS_WORDS.get(status, ("quiet", "science", status.capitalize()))
    is_whole = known_automations().may_see_runs(request)
    answer = found.get("answer") or {}
    return Trial(
        tone=tone,
        icon=icon,
        words=words,
        reason=str(found.get("reason") or ""),
        mistakes=[str(each) for each in found.get("mistakes") or ()],
        steps=[_tried(step, is_whole=is_whole) for step in found.get("steps") or ()],
        answer=f"{answer.get('status', 200)} {answer.get('body') or ''}".strip() if answer else "",
        is_whole=is_whole,
    )


def _tried(step: Mapping[str, Any], *, is_whole: bool) -> TriedStep:
    error = step.get("error") or ""
    words = error.get("message", "") if isinstance(error, Mapping) else str(error)
    return TriedStep(
        name=str(step.get("step")),
        type=str(step.get("type")),
        status=str(step.get("status")),
        words=" ".join(part for part in (words, str(step.get("note") or "")) if part),
        input=_value(step.get("input")) if is_whole else None,
        output=_value(step.get("output")) if is_whole else None,
    )


def _value(value: Any) -> BodyView | None:
    return view_body(json.dumps(value, ensure_ascii=False, default=str)) if value else None


def _replays(row: RequestLog) -> dict[str, Any]:
    """The newest, with their pages, and whether there are more."""
    found = replays_of(row, _REPLAYS + 1)
    items = [{"row": each, "url": _url(each.pk)} for each in found[:_REPLAYS]]
    return {"newest": items, "has_more": len(found) > _REPLAYS}


def _if_there(request_id: str | None) -> str:
    """ "" for one that was cleaned up."""
    is_there = request_id and RequestLog.objects.filter(pk=request_id).exists()
    return request_id or "" if is_there else ""


def _url(request_id: str, query: str = "") -> str:
    if not request_id:
        return ""
    url = reverse("admin:webhooks_requestlog_change", args=[request_id])
    return f"{url}?{query}" if query else url


def _list_url(query: str) -> str:
    url = reverse("admin:webhooks_requestlog_changelist")
    return f"{url}?{query}" if query else url


def _test_url(request: HttpRequest, row: RequestLog) -> str:
    """Where each value of a trial is shown; for samples."""
    automation_id = row.endpoint.automation_id if row.endpoint else None
    if not automation_id or not row.is_kept:
        return ""
    return known_automations().test_page(request, automation_id, row.pk)
