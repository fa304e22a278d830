"""What other systems call. No session, no CSRF token: the address itself is the secret."""

from typing import Final

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.request import UnreadablePostError
from django.views.decorators.csrf import csrf_exempt

from webhooks.inbound import KEPT_OF_TOO_LARGE_BYTES, MAX_BODY_BYTES, record_request
from webhooks.models import InboundEndpoint

_NO_BODY_STATUSES: Final = (204, 205, 304)
# For pages of other sites that send here: an inspector knows no session, so there is nothing to protect.
_CORS: Final = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "*",
    "Access-Control-Allow-Headers": "*",
}


@csrf_exempt
def inspector(request: HttpRequest, token: str) -> HttpResponse:
    """Record what arrives, whatever it is, and answer as the inspector says."""
    endpoint = InboundEndpoint.objects.filter(token=token).first()
    if endpoint is None:
        return JsonResponse({"error": "There is no inspector at this address."}, status=404)
    try:
        body = read_body(request)
    except (UnreadablePostError, OSError, ValueError):
        return JsonResponse({"error": "The body ended before it was complete."}, status=400)
    if len(body) > MAX_BODY_BYTES:
        answer = _too_large()
        body = body[:KEPT_OF_TOO_LARGE_BYTES]
        is_whole = False
    else:
        answer = _answer_of(endpoint, request)
        is_whole = True
    record_request(
        endpoint=endpoint,
        request=request,
        body=body,
        status_code=answer.status_code,
        answer=answer.content.decode(),
        truncated=not is_whole,
    )
    return answer


def read_body(request: HttpRequest) -> bytes:
    """The body, read no further than one byte past what is allowed.

    A chunked body has no length, and Django takes it for an empty one; where the server marks the end of its
    input (gunicorn does), it is read from there.
    """
    is_chunked = "chunked" in request.META.get("HTTP_TRANSFER_ENCODING", "").lower()
    if is_chunked and request.META.get("wsgi.input_terminated"):
        body: bytes = request.META["wsgi.input"].read(MAX_BODY_BYTES + 1)
        return body
    return request.read(MAX_BODY_BYTES + 1)


def _too_large() -> HttpResponse:
    words = f"The body is larger than {MAX_BODY_BYTES // 1024} KiB."
    return JsonResponse({"error": words}, status=413, headers=_CORS)


def _answer_of(endpoint: InboundEndpoint, request: HttpRequest) -> HttpResponse:
    """The inspector's answer; to OPTIONS, what a browser asks for before it sends anything."""
    if request.method == "OPTIONS":
        return HttpResponse(status=204, headers={"Allow": "*", **_CORS})
    status = endpoint.answer_status if 200 <= endpoint.answer_status <= 599 else 200
    body = "" if status in _NO_BODY_STATUSES else endpoint.answer_body
    kind = "application/json" if body.lstrip()[:1] in ("{", "[") else "text/plain; charset=utf-8"
    answer = HttpResponse(body, status=status, content_type=kind, headers=_CORS)
    # A 500 that was asked for is no error of ours: Django need not log it, nor mail the administrators.
    answer._has_been_logged = True  # type: ignore[attr-defined]  # noqa: SLF001
    return answer
