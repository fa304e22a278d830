"""The request log: every request that was sent or received, read-only."""

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlencode

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone

from records.ids import decode
from webhooks.admin.bodies import view_body, with_code
from webhooks.admin.filters import PERIODS, STATUS_CLASSES
from webhooks.admin.inspectors import request_id
from webhooks.admin.links import admin_url, can_view
from webhooks.admin.pages import OwnPages
from webhooks.masking import mask_header
from webhooks.models import Direction, InboundEndpoint, RequestLog, WebhookJob
from webhooks.requestlog import LogQuery, page_of
from webhooks.retries import RetryPolicy
from webhooks.statuses import parse_statuses
from webhooks.summaries import attempt_summary, hint_of

_OUTCOMES: Final = {
    **{name[0]: label for name, label in STATUS_CLASSES.items()},
    "error": "No answer",
}


@admin.register(RequestLog)
class RequestLogAdmin(OwnPages):
    """Pages of our own: Django's list counts, and sorts in ways that a table of millions can't bear."""

    folder = "admin/webhooks/requestlog"

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        self.require_view(request)
        values = _values(request.GET)
        query = _query(values)
        before = request_id(request.GET.get("before", ""))
        page = page_of(query, before=before)
        return self.page(
            request,
            "list.html",
            title="Request log",
            rows=[_row(request, row) for row in page.rows],
            page=page,
            values=values,
            is_filtered=query.is_filtered,
            is_older=bool(before),
            newest_address=_address(values),
            older_address=_address({**values, "before": page.older}),
            directions=Direction.choices,
            outcomes=_OUTCOMES.items(),
            periods=[(name, label) for name, (label, _) in PERIODS.items()],
            endpoints=InboundEndpoint.objects.values_list("pk", "name"),
        )

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        self.require_view(request)
        pk = request_id(unquote(object_id))
        rows = RequestLog.objects.select_related("job", "endpoint")
        row = rows.filter(pk=pk).first() if pk else None
        if row is None:
            raise Http404("There is no such request; perhaps it was cleaned up.")
        return self.page(
            request,
            "request.html",
            title=f"{row.method} {_host_and_path(row.url)}",
            request_body=view_body(
                row.request_body, truncated=row.request_truncated, removed=row.bodies_removed
            ),
            response_body=view_body(
                row.response_body, truncated=row.response_truncated, removed=row.bodies_removed
            ),
            request_headers=_headers(row, row.request_headers),
            response_headers=_headers(row, row.response_headers),
            error=with_code(row.error),
            hint=hint_of(
                is_success=_is_success(row), status_code=row.status_code, error_kind=row.error_kind
            ),
            **_row(request, row),
        )

    # --- permissions ---

    def has_change_permission(self, request: HttpRequest, obj: RequestLog | None = None) -> bool:
        return False


def _values(parameters: Mapping[str, str]) -> dict[str, str]:
    """The filters that the address names; what is no choice is left out."""
    choices: dict[str, Mapping[str, Any]] = {
        "direction": dict(Direction.choices),
        "outcome": _OUTCOMES,
        "time": PERIODS,
    }
    values = {name: parameters.get(name, "") for name in choices}
    values = {name: value for name, value in values.items() if value in choices[name]}
    try:
        decode("in", parameters.get("inspector", ""))
    except ValueError:
        return values
    return {**values, "inspector": parameters["inspector"]}


def _query(values: Mapping[str, str]) -> LogQuery:
    time = values.get("time")
    return LogQuery(
        direction=values.get("direction", ""),
        outcome=values.get("outcome", ""),
        since=timezone.now() - PERIODS[time][1] if time else None,
        endpoint_id=values.get("inspector", ""),
    )


def _address(values: Mapping[str, str]) -> str:
    return "?" + urlencode({name: value for name, value in values.items() if value})


def _row(request: HttpRequest, row: RequestLog) -> dict[str, Any]:
    """What both pages show of a request: what it came to, and what it belongs to."""
    return {
        "row": row,
        "address": admin_url(request, RequestLog, row.pk),
        "is_in": row.direction == Direction.IN,
        "where": _host_and_path(row.url),
        "summary": attempt_summary(
            is_success=_is_success(row),
            status_code=row.status_code,
            error_kind=row.error_kind,
            error=row.error,
        ),
        "job_url": admin_url(request, WebhookJob, row.job_id),
        "endpoint_url": _endpoint_url(request, row),
    }


def _is_success(row: RequestLog) -> bool:
    """Which statuses succeed is for a job's webhook to say; of what was received, 200 to 299."""
    policy = RetryPolicy.from_json(row.job.policy) if row.job else RetryPolicy()
    return row.status_code in parse_statuses(policy.success)


def _headers(row: RequestLog, headers: list[list[str]]) -> list[list[str]]:
    """What was received is stored without credentials; what was sent is shown without them."""
    if row.direction == Direction.IN:
        return headers
    return [[name, mask_header(name, value)] for name, value in headers]


def _endpoint_url(request: HttpRequest, row: RequestLog) -> str:
    url = admin_url(request, InboundEndpoint, row.endpoint_id)
    return f"{url}#{row.pk}" if url and can_view(request, InboundEndpoint) else ""


def _host_and_path(url: str) -> str:
    """A URL without what every URL begins with."""
    return url.removeprefix("https://").removeprefix("http://")
