"""Recording what other systems send us."""

from collections.abc import Iterable
from typing import Final

from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone

from webhooks.masking import mask_headers, mask_query
from webhooks.models import Direction, InboundEndpoint, RequestLog
from webhooks.outcomes import text_of
from webhooks.vault import current_keyring

MAX_BODY_BYTES: Final = 1024 * 1024
# Of a body that is too large the beginning is kept, to tell what it was.
KEPT_OF_TOO_LARGE_BYTES: Final = 16 * 1024
# An inspector keeps the latest; what is older has been looked at or never will be.
KEEP_PER_INSPECTOR: Final = 500
# How many of the surplus one request clears away: more than one, so that it shrinks.
_CLEAR_AT_ONCE: Final = 100


@transaction.atomic
def record_request(
    *,
    endpoint: InboundEndpoint,
    request: HttpRequest,
    body: bytes,
    status_code: int,
    answer: str,
    truncated: bool = False,
) -> RequestLog:
    """Store one request that arrived, and drop the oldest beyond what an inspector keeps.

    It may be one of ours: the values of our own secrets are masked wherever they are in it.
    """
    ours = current_keyring().redactor_of_all()
    row = RequestLog.objects.create(
        direction=Direction.IN,
        endpoint=endpoint,
        method=clean_text(request.method or "")[:10],
        url=mask_query(ours.text(clean_text(request.get_full_path()))),
        request_headers=mask_headers((name, ours.text(value)) for name, value in _headers(request)),
        request_body=text_of(ours.body(body, is_cut=truncated)),
        request_truncated=truncated,
        status_code=status_code,
        response_body=clean_text(answer),
        started_at=timezone.now(),
        remote_address=clean_text(request.META.get("REMOTE_ADDR") or "")[:60],
    )
    older = (
        RequestLog.objects.filter(endpoint=endpoint).order_by("-id").values_list("pk", flat=True)
    )
    surplus = list(older[KEEP_PER_INSPECTOR : KEEP_PER_INSPECTOR + _CLEAR_AT_ONCE])
    if surplus:
        RequestLog.objects.filter(pk__in=surplus).delete()
    return row


def clear_inspector(endpoint: InboundEndpoint) -> int:
    """Delete everything an inspector has recorded. How many requests."""
    return RequestLog.objects.filter(endpoint=endpoint).delete()[0]


def _headers(request: HttpRequest) -> Iterable[tuple[str, str]]:
    return [(clean_text(name), clean_text(value)) for name, value in request.headers.items()]


def clean_text(text: str) -> str:
    """Text as any database takes it: without NUL, and without halves of characters."""
    return text_of(text.encode("utf-8", errors="replace"))
