"""A bulk retry in words and figures: what it is of, how far it has come, what holds it up."""

from typing import Any
from urllib.parse import urlencode

from django.urls import reverse
from django.utils import timezone

from webhooks.addresses import DEFAULT_PORTS
from webhooks.bulk_retries import MAX_WAITING, outcomes_of
from webhooks.models import BulkRetry, Destination
from webhooks.summaries import ERROR_NAMES, status_words


def words_of(bulk: BulkRetry) -> str:
    """What failed: “Notify CRM · Timeout · https://api.example.com:443”."""
    parts = []
    if bulk.webhook_id:
        parts.append(bulk.webhook_name or bulk.webhook_id)
    if bulk.error_kind:
        parts.append(ERROR_NAMES.get(bulk.error_kind, bulk.error_kind))
    if bulk.http_status:
        is_one = bulk.http_status.isdigit()
        parts.append(status_words(int(bulk.http_status)) if is_one else bulk.http_status)
    if bulk.lane:
        parts.append(bulk.lane)
    return " · ".join(parts) or "Everything that failed"


def progress_of(bulk: BulkRetry) -> dict[str, Any]:
    """`percent` is None while it is not known how many there are."""
    is_counted = bulk.counted_at is not None
    handled = bulk.done + bulk.left
    percent = None
    if is_counted:
        percent = min(100, handled * 100 // bulk.total) if bulk.total else 100
    return {"percent": percent, "handled": handled, "is_counted": is_counted}


def progress_context(bulk: BulkRetry) -> dict[str, Any]:
    end = bulk.finished_at or timezone.now()
    took_s = max(1.0, (end - (bulk.counted_at or bulk.created_at)).total_seconds())
    rate = bulk.done / took_s
    progress = progress_of(bulk)
    left_to_do = max(0, bulk.total - progress["handled"])
    held = _held(bulk) if bulk.is_running else []
    outcomes = outcomes_of(bulk)
    return {
        "bulk": bulk,
        "words": words_of(bulk),
        **progress,
        "to_do": left_to_do,
        "rate": f"{rate:,.0f}" if rate >= 10 else f"{rate:.1f}",
        # Nobody knows how long a destination takes that has enough waiting.
        "minutes": _rough_time(left_to_do / rate) if rate and left_to_do and not held else "",
        "held": held,
        "max_waiting": MAX_WAITING,
        "outcomes": outcomes,
        # There are more than are looked at, or some were cleaned up since.
        "is_partly_known": outcomes.counted < bulk.done,
        "succeeded_url": _history(bulk, tab="all", status="2xx"),
        "pending_url": _history(bulk, tab="pending"),
        "failures_url": _history(bulk, tab="failures"),
    }


def _rough_time(seconds: float) -> str:
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    return f"{round(seconds / 60)} min"


def _held(bulk: BulkRetry) -> list[dict[str, Any]]:
    """The destinations that have enough waiting, with their rows where there are some."""
    lanes = [lane for lane, cursor in bulk.held.items() if cursor][:10]
    rows = Destination.objects.filter(lane__in=lanes)
    known = {row.lane: row for row in rows}
    return [{"lane": lane, "destination": known.get(lane)} for lane in lanes]


def _history(bulk: BulkRetry, **filters: str) -> str:
    """The list of jobs of the same webhook and destination; a URL has no port where it goes without saying."""
    origin = bulk.lane
    for scheme, port in DEFAULT_PORTS.items():
        if origin.startswith(f"{scheme}:"):
            origin = origin.removesuffix(f":{port}")
    values = {**filters, "webhook": bulk.webhook_id or "", "q": origin}
    query = urlencode({name: value for name, value in values.items() if value})
    return f"{reverse('admin:webhooks_webhookjob_changelist')}?{query}"
