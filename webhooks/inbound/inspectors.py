"""Inspectors: whatever arrives is recorded and shown."""

from typing import Final

from django.db import transaction

from webhooks.inbound.answers import Answer
from webhooks.inbound.logbook import log_row
from webhooks.inbound.requests import Incoming
from webhooks.models import InboundEndpoint, RequestLog

# An inspector keeps the latest; what is older has been looked at or never will be.
KEEP_PER_INSPECTOR: Final = 500
# How many of the surplus one request clears away: more than one, so that it shrinks.
_CLEAR_AT_ONCE: Final = 100


@transaction.atomic
def record_request(incoming: Incoming, answer: Answer, *, is_whole: bool) -> RequestLog:
    """Store one request that arrived, and drop the oldest beyond what an inspector keeps."""
    row = log_row(incoming, answer)
    row.request_truncated = not is_whole
    row.save(force_insert=True)
    of_endpoint = RequestLog.objects.filter(endpoint=incoming.endpoint, is_kept=False)
    older = of_endpoint.order_by("-id").values_list("pk", flat=True)
    surplus = list(older[KEEP_PER_INSPECTOR : KEEP_PER_INSPECTOR + _CLEAR_AT_ONCE])
    if surplus:
        RequestLog.objects.filter(pk__in=surplus).delete()
    return row


def clear_requests(endpoint: InboundEndpoint) -> int:
    """Delete everything that an endpoint has recorded, but for samples. How many requests."""
    return RequestLog.objects.filter(endpoint=endpoint, is_kept=False).delete()[0]
