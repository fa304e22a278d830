"""Requests that people keep as samples, under a name: they are not cleaned up, and drafts are tried on them."""

from typing import Final
from uuid import UUID

from django.db import transaction

from records.ids import decode, encode
from webhooks.models import RequestLog, RetentionState

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


def kept_requests(automation_id: str) -> list[RequestLog]:
    """The newest samples among the requests to an automation, as far as they are still whole. One query."""
    rows = RequestLog.objects.filter(
        endpoint__automation_id=automation_id,
        is_kept=True,
        bodies_removed=False,
        request_truncated=False,
    )
    return list(rows.order_by("-pk")[:_OFFERED])
