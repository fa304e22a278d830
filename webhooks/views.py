"""What other systems call. No session, no CSRF token: the address itself is the secret."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt

from webhooks.inbound import MAX_BODY_BYTES, record_request
from webhooks.models import InboundEndpoint


@csrf_exempt
def inspector(request: HttpRequest, token: str) -> HttpResponse:
    """Record what arrives, whatever it is, and answer as the endpoint says."""
    endpoint = InboundEndpoint.objects.filter(token=token).first()
    if endpoint is None:
        return JsonResponse({"error": "There is no inspector at this address."}, status=404)
    body = request.read(MAX_BODY_BYTES + 1)
    if len(body) > MAX_BODY_BYTES:
        words = f"The body is larger than {MAX_BODY_BYTES // 1024} KiB."
        return JsonResponse({"error": words}, status=413)
    record_request(endpoint=endpoint, request=request, body=body)
    content_type = "application/json" if endpoint.answer_body[:1] in "{[" else "text/plain"
    return HttpResponse(
        endpoint.answer_body, status=endpoint.answer_status, content_type=content_type
    )
