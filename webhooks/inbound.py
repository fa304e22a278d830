"""Recording what other systems send us."""

from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone

from webhooks.delivery import text_of
from webhooks.models import Direction, InboundEndpoint, RequestLog

MAX_BODY_BYTES = 1024 * 1024
# An inspector keeps the latest; what is older has been looked at or never will be.
KEEP_PER_INSPECTOR = 500


@transaction.atomic
def record_request(*, endpoint: InboundEndpoint, request: HttpRequest, body: bytes) -> RequestLog:
    """Store one request that arrived, and drop the oldest beyond what an inspector keeps."""
    row = RequestLog.objects.create(
        direction=Direction.IN,
        endpoint=endpoint,
        method=request.method or "",
        url=request.get_full_path(),
        request_headers=[[name, value] for name, value in request.headers.items()],
        request_body=text_of(body),
        status_code=endpoint.answer_status,
        response_body=endpoint.answer_body,
        started_at=timezone.now(),
        remote_address=request.META.get("REMOTE_ADDR") or "",
    )
    older = RequestLog.objects.filter(endpoint=endpoint).order_by("-id")
    surplus = list(
        older.values_list("pk", flat=True)[KEEP_PER_INSPECTOR : KEEP_PER_INSPECTOR + 100]
    )
    RequestLog.objects.filter(pk__in=surplus).delete()
    return row
