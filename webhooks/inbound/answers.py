"""What callers are answered."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.http import HttpResponse
from django.utils.cache import patch_vary_headers

from webhooks.headers import check_headers
from webhooks.inbound.runs import RunState
from webhooks.inbound.statuses import status_url
from webhooks.intake.refusals import Refusal
from webhooks.models import InboundEndpoint

# Nothing that is answered here is a page of ours: what looks like one can neither run scripts nor see our cookies.
_HARMLESS: Final = {
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}
# Beside those about the connection: what would speak for this whole host.
_OURS_ALONE: Final = frozenset(
    {"set-cookie", "clear-site-data", "strict-transport-security", *map(str.lower, _HARMLESS)}
)
_BODILESS: Final = (204, 205, 304)
_JSON: Final = (("Content-Type", "application/json"),)


@dataclass(frozen=True, slots=True)
class Answer:
    """A status from 200 to 599, headers and a body."""

    status: int
    body: str = ""
    headers: tuple[tuple[str, str], ...] = ()

    def to_json(self) -> dict[str, Any]:
        return {
            "status": self.status,
            "headers": [list(pair) for pair in self.headers],
            "body": self.body,
        }


def json_answer(status: int, value: Mapping[str, Any]) -> Answer:
    return Answer(status, json.dumps(value, ensure_ascii=False), _JSON)


def kept_answer(kept: Mapping[str, Any]) -> Answer:
    """One that was stored, by us or by a run. What cannot be sent of it is left out."""
    status = kept.get("status")
    if not isinstance(status, int) or not 200 <= status <= 599:
        status = 200
    pairs = [(str(name), str(value)) for name, value in kept.get("headers") or ()]
    refused = {name for name, _ in check_headers(pairs)}
    headers = [
        (name, value)
        for name, value in pairs
        if name not in refused and name.lower() not in _OURS_ALONE
    ]
    return Answer(status, str(kept.get("body") or ""), tuple(headers))


def accepted(event_id: str, run_id: str | None) -> Answer:
    """The request is stored, and its run goes on without the caller."""
    return json_answer(202, {"run": run_id, "status_url": status_url(event_id)})


def answer_of_run(state: RunState) -> Answer:
    """Of a run that has an answer, or has ended without one."""
    if state.answer is not None:
        return kept_answer(state.answer)
    return json_answer(502 if state.has_failed else 200, {"run": state.id, "status": state.status})


def refusal_answer(refusal: Refusal) -> Answer:
    answer = json_answer(refusal.status, {"error": refusal.words, **refusal.details})
    return Answer(answer.status, answer.body, (*answer.headers, *refusal.headers.items()))


def plain_answer(endpoint: InboundEndpoint) -> Answer:
    """What an endpoint is set to answer."""
    status = endpoint.answer_status if 200 <= endpoint.answer_status <= 599 else 200
    body = "" if status in _BODILESS else endpoint.answer_body
    kind = "application/json" if body.lstrip()[:1] in ("{", "[") else "text/plain; charset=utf-8"
    return Answer(status, body, (("Content-Type", kind),))


def to_response(answer: Answer, extra: Mapping[str, str] | None = None) -> HttpResponse:
    """`extra`: further headers, such as those for browsers."""
    body = "" if answer.status in _BODILESS else answer.body
    response = HttpResponse(body, status=answer.status, content_type="text/plain; charset=utf-8")
    for name, value in _encodable([*answer.headers, *_HARMLESS.items(), *(extra or {}).items()]):
        if name.lower() == "vary":
            patch_vary_headers(response, value.split(", "))
        else:
            response[name] = value
    # A 500 that was asked for is no error of ours: Django need not log it, nor mail the administrators.
    response._has_been_logged = True  # type: ignore[attr-defined]  # noqa: SLF001
    return response


def _encodable(pairs: Iterable[tuple[str, str]]) -> Iterable[tuple[str, str]]:
    """Headers are Latin-1 on the wire (PEP 3333)."""
    for name, value in pairs:
        yield name, value.encode("latin-1", errors="replace").decode("latin-1")
