"""What other systems call. No session, no CSRF token: the address itself is the secret."""

from collections.abc import Callable
from typing import Final

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from webhooks.inbound import forms
from webhooks.inbound.answers import (
    Answer,
    accepted,
    answer_of_run,
    json_answer,
    plain_answer,
    refusal_answer,
    to_response,
)
from webhooks.inbound.drafts import try_draft
from webhooks.inbound.endpoints import Found, find_endpoint
from webhooks.inbound.inspectors import record_request
from webhooks.inbound.logbook import note_answer, note_refusal
from webhooks.inbound.misses import miss
from webhooks.inbound.origins import cors_headers, preflight_headers
from webhooks.inbound.pages import refusal_page, wants_html
from webhooks.inbound.refusals import MethodRefused, NotVerified
from webhooks.inbound.requests import READ_WITHIN_S, Incoming, check_rate, incoming_of, let_in
from webhooks.inbound.statuses import status_of
from webhooks.inbound.storing import store
from webhooks.inbound.waiting import wait_for_answer
from webhooks.intake.reading import read_body
from webhooks.intake.refusals import Refusal, TooLarge
from webhooks.models import AnswerMode, EndpointKind, InboundEndpoint

# An inspector shows what any page sends; there is no session to protect.
_ANY_PAGE: Final = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "*",
    "Access-Control-Allow-Headers": "*, Authorization",
}
Take = Callable[[Incoming], Answer]


@csrf_exempt
def automation(request: HttpRequest, address: str) -> HttpResponse:
    """`{automation_id}-{token}`: what arrives sets off the automation."""
    automation_id, _, token = address.partition("-")
    found = find_endpoint(token, [EndpointKind.AUTOMATION])
    if found is None or found.is_test or found.endpoint.automation_id != automation_id:
        return nothing(request)
    return _respond(request, found, _take_request)


@csrf_exempt
def test(request: HttpRequest, token: str) -> HttpResponse:
    """What arrives is tried on the automation's draft."""
    found = find_endpoint(token, [EndpointKind.AUTOMATION])
    if found is None or not found.is_test:
        return nothing(request)
    return _respond(request, found, try_draft)


@csrf_exempt
def form(request: HttpRequest, token: str) -> HttpResponse:
    """What arrives becomes a record."""
    found = find_endpoint(token, [EndpointKind.FORM])
    if found is None:
        refusal = miss(request)
        as_page = wants_html(request.headers.get("Accept", ""))
        return to_response(refusal_page(refusal) if as_page else refusal_answer(refusal))
    return _respond(request, found, _take_post)


@csrf_exempt
def status(request: HttpRequest, token: str) -> HttpResponse:
    """What became of a request, for whoever was told this address."""
    if request.method not in ("GET", "HEAD"):
        answer = refusal_answer(MethodRefused(request.method or "", ["GET", "HEAD"], "status"))
    elif found := status_of(token):
        answer = json_answer(200, found)
    else:
        answer = refusal_answer(miss(request))
    # The address is the secret; a page that knows it may ask.
    return to_response(answer, {"Access-Control-Allow-Origin": "*"})


@csrf_exempt
def nothing(request: HttpRequest, rest: str = "") -> HttpResponse:
    """An address that leads nowhere."""
    return to_response(refusal_answer(miss(request)))


def _respond(request: HttpRequest, found: Found, take: Take) -> HttpResponse:
    """Let a request in, or refuse it; either way the caller is told."""
    endpoint, origin = found.endpoint, request.headers.get("Origin", "")
    if request.method == "OPTIONS" and "OPTIONS" not in endpoint.methods:
        headers = preflight_headers(origin, endpoint.origins, endpoint.methods)
        return to_response(Answer(204), {"Allow": ", ".join(endpoint.methods), **headers})
    incoming = incoming_of(request, endpoint, is_test=found.is_test)
    try:
        let_in(incoming, request)
        answer = _challenge(incoming) or take(incoming)
    except Refusal as refusal:
        answer = _refuse(incoming, refusal)
    return to_response(answer, cors_headers(origin, endpoint.origins))


def _challenge(incoming: Incoming) -> Answer | None:
    """What a sender waits for before it delivers anything."""
    challenge = incoming.verdict.answer if incoming.verdict else None
    if challenge is None:
        return None
    body = challenge.body.decode(errors="replace")
    answer = Answer(challenge.status, body, (("Content-Type", challenge.content_type),))
    words = "The sender asked whether somebody is here, and was answered."
    note_refusal(incoming, answer, kind="challenge", reason=words)
    return answer


def _refuse(incoming: Incoming, refusal: Refusal) -> Answer:
    is_form = incoming.endpoint.kind == EndpointKind.FORM
    answer = forms.refused(incoming, refusal) if is_form else refusal_answer(refusal)
    reason = refusal.reason if isinstance(refusal, NotVerified) else refusal.words
    note_refusal(incoming, answer, kind=refusal.kind, reason=reason)
    return answer


# --- automations -------------------------------------------------------------------------------


def _take_request(incoming: Incoming) -> Answer:
    """Store it, then answer: at once, or when its run has an answer."""
    waits = incoming.endpoint.answer_mode == AnswerMode.WAIT
    stored = store(incoming, lambda event, run: None if waits else accepted(event, run))
    answer = stored.answer or accepted(stored.event_id, stored.run_id)
    if waits:
        state = wait_for_answer(stored.event_id, stored.run_id, incoming.endpoint.wait_s)
        answer = answer_of_run(state) if state else answer
    if stored.is_repeat:
        words = f"The delivery of {stored.request_id} once more: it got that one's answer."
        note_refusal(incoming, answer, kind="repeat", reason=words, run_id=stored.run_id)
    elif waits:
        note_answer(incoming, stored.request_id, answer)
    return answer


# --- forms -------------------------------------------------------------------------------------


def _take_post(incoming: Incoming) -> Answer:
    if forms.is_trapped(incoming):
        answer = forms.done(incoming, None)
        name = incoming.endpoint.honeypot_field
        words = f"The field `{name}`, which people do not see, was filled in: thrown away."
        note_refusal(incoming, answer, kind=forms.HONEYPOT, reason=words)
        return answer
    answer, is_repeat = forms.take_post(incoming)
    if is_repeat:
        words = "A delivery once more: it got the first one's answer."
        note_refusal(incoming, answer, kind="repeat", reason=words)
    return answer


# --- inspectors --------------------------------------------------------------------------------


@csrf_exempt
def inspector(request: HttpRequest, token: str) -> HttpResponse:
    """Record what arrives, whatever it is, and answer as the inspector says."""
    found = find_endpoint(token, [EndpointKind.INSPECTOR])
    if found is None:
        return nothing(request)
    incoming = incoming_of(request, found.endpoint)
    try:
        check_rate(incoming)
        incoming.body = read_body(
            request, max_bytes=found.endpoint.max_body_bytes, deadline_s=READ_WITHIN_S
        )
        answer = _inspected(found.endpoint, request)
    except TooLarge as refusal:
        answer = refusal_answer(refusal)
        record_request(incoming, answer, is_whole=False)
    except Refusal as refusal:
        answer = _refuse(incoming, refusal)
    else:
        record_request(incoming, answer, is_whole=True)
    return to_response(answer, _ANY_PAGE)


def _inspected(endpoint: InboundEndpoint, request: HttpRequest) -> Answer:
    """To OPTIONS, what a browser asks for before it sends anything."""
    if request.method == "OPTIONS":
        return Answer(204, "", (("Allow", "*"),))
    return plain_answer(endpoint)
