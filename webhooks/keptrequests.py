"""Requests that people keep as samples, under a name: they are not cleaned up, and drafts are tried on them."""

from typing import Any, Final
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from records.ids import decode, encode
from webhooks.models import RequestLog, RetentionState
from webhooks.replays import ReplayRefused, received_of

MAX_NAME: Final = 120
# Of `webhooks.retention_rules`, those that look at each request once.
_RULES: Final = ("inbound", "exchange_bodies")
# So many are offered to try something on.
_OFFERED: Final = 15


def keep_request(*, row: RequestLog, name: str) -> RequestLog:
    """Keep a request, or give one that is kept another name. Without a name it is known by its method and time."""
    row.is_kept, row.name = True, " ".join(name.replace("\0", "").split())[:MAX_NAME]
    row.save(update_fields=["is_kept", "name"])
    return row


@transaction.atomic
def release_request(*, row: RequestLog) -> RequestLog:
    """Let it be cleaned up in its time, as all others."""
    row.is_kept, row.name = False, ""
    row.save(update_fields=["is_kept", "name"])
    # Rules that have passed it by go back to it.
    before = encode("req", UUID(int=decode("req", row.pk).int - 1))
    passed = RetentionState.objects.filter(name__in=_RULES, cursor__gte=row.pk)
    passed.update(cursor=before)
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
