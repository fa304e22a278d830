"""A destination's page: the state of its circuit in plain words, and what came of the latest requests."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse

from webhooks.admin.bodies import with_code
from webhooks.admin.links import can_view, page_url
from webhooks.circuits import MAX_PROBE_S, OPEN_AFTER_FAILURES
from webhooks.destinations import COUNT_CAP, pending_counts
from webhooks.models import Circuit, Destination, Direction, RequestLog, WebhookJob
from webhooks.retries import RetryPolicy
from webhooks.statuses import parse_statuses
from webhooks.summaries import Summary, attempt_summary

# The latest requests that are shown, and how many of the request log are looked through for them.
TICKS: Final = 40
TICK_WINDOW: Final = 5_000


@dataclass(frozen=True, slots=True)
class Tick:
    """One request, as a small mark."""

    log: RequestLog
    summary: Summary
    url: str


def destination_context(
    request: HttpRequest, destination: Destination, *, may_change: bool
) -> dict[str, Any]:
    ticks = latest_requests(destination.lane) if can_view(request, WebhookJob) else []
    pending = pending_counts([destination.lane]).get(destination.lane, 0)
    return {
        "destination": destination,
        # Something can change by itself.
        "is_live": destination.circuit == Circuit.OPEN or pending > 0,
        "is_open": destination.circuit == Circuit.OPEN,
        "is_disabled": destination.circuit == Circuit.DISABLED,
        "pending": f"{COUNT_CAP:,}+" if pending > COUNT_CAP else f"{pending:,}",
        "search": searchable(destination.lane),
        "last_error": with_code(destination.last_error),
        "opens_after": OPEN_AFTER_FAILURES,
        "longest_pause_min": MAX_PROBE_S // 60,
        "disable_days": f"{settings.DESTINATION_DISABLE_AFTER_DAYS:g}",
        # The oldest first: time runs from left to right.
        "ticks": ticks[::-1],
        "tick_words": _words(ticks),
        "may_act": may_change,
        "retry_url": _retry_url(request, destination),
    }


def searchable(lane: str) -> str:
    """An origin as it stands in URLs: without the port that goes without saying."""
    port = ":443" if lane.startswith("https:") else ":80"
    return lane.removesuffix(port)


def latest_requests(lane: str) -> list[Tick]:
    """The newest first. Two queries, along the log's primary key."""
    newest = RequestLog.objects.order_by("-pk")
    end = newest.values_list("pk", flat=True)[TICK_WINDOW - 1 : TICK_WINDOW].first()
    logs = newest.filter(direction=Direction.OUT, job__lane=lane)
    if end is not None:
        logs = logs.filter(pk__gte=end)
    columns = ("job", "attempt", "status_code", "error_kind", "error", "started_at", "duration_ms")
    found = logs.select_related("job").only("id", *columns, "job__id", "job__policy")
    return [
        Tick(
            log=log,
            summary=attempt_summary(
                is_success=_is_success(log),
                status_code=log.status_code,
                error_kind=log.error_kind,
                error=log.error,
            ),
            url=reverse("admin:webhooks_webhookjob_change", args=[log.job_id]),
        )
        for log in found[:TICKS]
    ]


def _is_success(log: RequestLog) -> bool:
    policy = RetryPolicy.from_json(log.job.policy) if log.job else RetryPolicy()
    return log.status_code in parse_statuses(policy.success)


def _words(ticks: Sequence[Tick]) -> str:
    good = sum(tick.summary.tone == "good" for tick in ticks)
    return f"{good} of the latest {len(ticks)} succeeded" if ticks else ""


def _retry_url(request: HttpRequest, destination: Destination) -> str:
    if not request.user.has_perm("webhooks.change_webhookjob"):
        return ""
    address = page_url("admin:webhooks_bulkretry_add")
    return f"{address}?{urlencode({'destination': destination.lane})}" if address else ""
