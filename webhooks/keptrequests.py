"""Requests that people keep as samples, under a name: they are not cleaned up, and drafts are tried on them."""

from typing import Any, Final

from django.utils import timezone

from webhooks.models import RequestLog
from webhooks.replays import ReplayRefused, received_of

MAX_NAME: Final = 120
# So many are offered to try something on.
_OFFERED: Final = 15


def keep_request(*, row: RequestLog, name: str) -> RequestLog:
    """Keep a request, or give one that is kept another name. Without a name it is known by its method and time."""
    row.is_kept, row.name = True, " ".join(name.replace("\0", "").split())[:MAX_NAME]
    row.save(update_fields=["is_kept", "name"])
    return row


def release_request(*, row: RequestLog) -> RequestLog:
    """Clean it up in its time, as all others."""
    row.is_kept, row.name = False, ""
    row.save(update_fields=["is_kept", "name"])
    return row


def label_of_kept(row: RequestLog) -> str:
    words = row.name or row.method
    return f"{words} · {timezone.localtime(row.started_at):%d %b %Y, %H:%M}"


def kept_samples(endpoint_id: str) -> list[tuple[str, str, dict[str, Any]]]:
    """The newest samples of an endpoint: (key, label, what expressions see as `webhook`). One query."""
    rows = RequestLog.objects.select_related("endpoint", "event")
    found = []
    for row in rows.filter(endpoint=endpoint_id, is_kept=True).order_by("-pk")[:_OFFERED]:
        try:
            found.append((row.pk, label_of_kept(row), received_of(row)))
        except ReplayRefused:  # nothing can be tried on it
            continue
    return found
