"""The request log of what came in: everything that was taken, and some of what was refused."""

import logging
import threading
import time
from typing import Any, Final

from django.db import DatabaseError
from django.utils import timezone

from webhooks.inbound.answers import Answer
from webhooks.inbound.requests import Incoming, shown_headers
from webhooks.intake.cleaning import clean_text
from webhooks.intake.rates import Bucket, take
from webhooks.masking import mask_headers, mask_query
from webhooks.models import Direction, RequestLog
from webhooks.outcomes import text_of
from webhooks.redaction import Redactor
from webhooks.vault import current_keyring

logger = logging.getLogger(__name__)

# Of what an endpoint refuses, each web process keeps so many in a minute; the rest is counted.
REFUSED_PER_MINUTE: Final = 60
# Of an endpoint so many are kept at all, and of their bodies so much.
KEEP_REFUSED: Final = 500
KEPT_OF_BODY_BYTES: Final = 4 * 1024
# Every so many refusals the surplus is cleared away; at most so much of it at once.
_CLEAR_EVERY: Final = 25
_CLEAR_AT_ONCE: Final = 200

_lock: Final = threading.Lock()
_buckets: Final[dict[str, Bucket]] = {}
_uncounted: Final[dict[str, int]] = {}
_kept = 0


def log_row(
    incoming: Incoming, answer: Answer | None, *, keep_bytes: int | None = None, **values: Any
) -> RequestLog:
    """An unsaved row, with `keep_bytes` of the body at most.

    Values of our own secrets are masked wherever they are: it may be one of our requests.
    """
    ours = current_keyring().redactor_of_all()
    is_cut = keep_bytes is not None and len(incoming.body) > keep_bytes
    return RequestLog(
        direction=Direction.IN,
        endpoint=incoming.endpoint,
        method=incoming.method,
        url=_shown_url(incoming, ours),
        request_headers=_shown_headers(incoming, ours),
        request_body=text_of(ours.body(incoming.body[:keep_bytes], is_cut=is_cut)),
        request_truncated=is_cut,
        started_at=incoming.started_at,
        remote_address=incoming.address,
        duration_ms=_since(incoming),
        **{**answer_values(answer), **values},
    )


def answer_values(answer: Answer | None) -> dict[str, Any]:
    """What a row has of an answer; without one nobody has been answered yet."""
    if answer is None:
        return {"status_code": None}
    return {
        "status_code": answer.status,
        "response_headers": [list(pair) for pair in answer.headers],
        "response_body": clean_text(answer.body),
    }


def note_answer(incoming: Incoming, request_id: str, answer: Answer) -> None:
    """What a caller that waited was answered in the end."""
    RequestLog.objects.filter(pk=request_id).update(
        **answer_values(answer), duration_ms=_since(incoming)
    )


def note_refusal(
    incoming: Incoming, answer: Answer, *, kind: str, reason: str, **values: Any
) -> None:
    """Keep a request that was not taken, if the endpoint has not refused too many just now."""
    key = str(incoming.endpoint.pk)
    uncounted = _may_keep(key)
    if uncounted is None:
        return
    if uncounted:
        reason += f" ({uncounted:,} more were refused before it and are not listed.)"
    try:
        log_row(
            incoming,
            answer,
            keep_bytes=KEPT_OF_BODY_BYTES,
            error_kind=kind[:12],
            error=clean_text(reason),
            **values,
        ).save(force_insert=True)
        if _kept % _CLEAR_EVERY == 0:
            _clear_surplus(key)
    except DatabaseError:
        logger.exception("A refused request could not be logged")


def _may_keep(key: str) -> int | None:
    """How many were not kept since the last one that was; None when this one is not either."""
    global _kept
    with _lock:
        _buckets[key], wait_s = take(
            _buckets.get(key), time.monotonic(), REFUSED_PER_MINUTE, REFUSED_PER_MINUTE
        )
        if wait_s is not None:
            _uncounted[key] = _uncounted.get(key, 0) + 1
            return None
        _kept += 1
        return _uncounted.pop(key, 0)


def _clear_surplus(endpoint_id: str) -> None:
    refused = RequestLog.objects.filter(endpoint=endpoint_id, is_kept=False).exclude(error_kind="")
    newest = refused.order_by("-id").values_list("pk", flat=True)
    surplus = list(newest[KEEP_REFUSED : KEEP_REFUSED + _CLEAR_AT_ONCE])
    if surplus:
        RequestLog.objects.filter(pk__in=surplus).delete()


def _shown_url(incoming: Incoming, ours: Redactor) -> str:
    query = incoming.query_string
    return mask_query(ours.text(clean_text(f"{incoming.path}?{query}" if query else incoming.path)))


def _shown_headers(incoming: Incoming, ours: Redactor) -> list[list[str]]:
    return mask_headers(
        (clean_text(name), clean_text(value)) for name, value in shown_headers(incoming, ours)
    )


def _since(incoming: Incoming) -> int:
    return max(0, round((timezone.now() - incoming.started_at).total_seconds() * 1000))
