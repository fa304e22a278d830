"""One request, let in step by step, or refused. Nothing is stored here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from django.http import HttpRequest
from django.utils import timezone

from webhooks.inbound.origins import check_origin
from webhooks.inbound.refusals import MethodRefused, NotVerified, SwitchedOff
from webhooks.intake.cleaning import clean_text
from webhooks.intake.content_types import check_content_type
from webhooks.intake.context import webhook_context
from webhooks.intake.limiter import allow
from webhooks.intake.loops import check_depth
from webhooks.intake.parsed import Parsed
from webhooks.intake.parsing import DEFAULT_LIMITS, parse
from webhooks.intake.query import parse_query
from webhooks.intake.reading import read_body
from webhooks.intake.refusals import TooManyRequests
from webhooks.keyring import Keyring, SecretProblem
from webhooks.masking import mask
from webhooks.models import InboundEndpoint
from webhooks.redaction import Redactor
from webhooks.vault import current_keyring
from webhooks.verification import Arrival as Received
from webhooks.verification import Headers, Verdict, verify
from webhooks.verification.addresses import judge_sender

# A sender has so long for its body; a thread of the web process waits for it.
READ_WITHIN_S: Final = 10.0


@dataclass(slots=True)
class Incoming:
    """A request at an endpoint, as far as it got. `headers` are as they came, credentials and all: never store them."""

    endpoint: InboundEndpoint
    method: str
    path: str
    headers: list[tuple[str, str]] = field(repr=False)
    query_string: str = field(repr=False)
    address: str
    started_at: datetime
    is_test: bool = False
    depth: int = 0
    body: bytes = field(default=b"", repr=False)
    parsed: Parsed = field(default_factory=lambda: Parsed("empty"), repr=False)
    context: dict[str, Any] = field(default_factory=dict, repr=False)
    delivery_id: str = ""
    verdict: Verdict | None = None

    @property
    def content_type(self) -> str:
        return self.header("content-type")

    def header(self, name: str) -> str:
        """A header by its name in lower case; "" without it."""
        return next((value for key, value in self.headers if key.lower() == name), "")


def incoming_of(
    request: HttpRequest, endpoint: InboundEndpoint, *, is_test: bool = False
) -> Incoming:
    return Incoming(
        endpoint=endpoint,
        method=clean_text(request.method or "")[:10],
        path=clean_text(request.path),
        headers=list(request.headers.items()),
        query_string=str(request.META.get("QUERY_STRING", "")),
        address=clean_text(str(request.META.get("REMOTE_ADDR") or ""))[:60],
        started_at=timezone.now(),
        is_test=is_test,
    )


def let_in(incoming: Incoming, request: HttpRequest) -> None:
    """Check a request and understand it, in the order of what that costs. Raises Refusal."""
    endpoint = incoming.endpoint
    if not endpoint.is_active and not incoming.is_test:
        raise SwitchedOff
    if incoming.method not in endpoint.methods:
        raise MethodRefused(
            incoming.method, endpoint.methods, "test" if incoming.is_test else endpoint.kind
        )
    check_sender(incoming)
    check_origin(incoming.header("origin"), endpoint.origins)
    check_rate(incoming)
    incoming.depth = check_depth(incoming.headers)
    incoming.body = read_body(request, max_bytes=endpoint.max_body_bytes, deadline_s=READ_WITHIN_S)
    if incoming.body:
        check_content_type(incoming.content_type, endpoint.content_types)
    keyring = current_keyring()
    incoming.verdict = check_scheme(incoming, keyring)
    incoming.delivery_id = incoming.verdict.delivery_id
    if incoming.verdict.answer is None:
        understand(incoming, keyring.redactor_of_all())


def check_sender(incoming: Incoming) -> None:
    refusal = judge_sender(incoming.address, incoming.endpoint.allowed_networks)
    if refusal is not None:
        raise NotVerified(refusal)


def check_rate(incoming: Incoming) -> None:
    endpoint = incoming.endpoint
    wait_s = allow(
        str(endpoint.pk),
        incoming.address,
        per_endpoint_per_min=endpoint.per_minute,
        per_address_per_min=endpoint.per_address_per_minute,
    )
    if wait_s is not None:
        raise TooManyRequests(wait_s)


def check_scheme(incoming: Incoming, keyring: Keyring) -> Verdict:
    """What the endpoint's scheme says of the raw bytes. Raises NotVerified."""
    endpoint = incoming.endpoint
    received = Received(
        method=incoming.method,
        path=incoming.path,
        headers=Headers(incoming.headers),
        body=incoming.body,
        remote_address=incoming.address,
        now=incoming.started_at,
    )
    keys = opened_secrets(endpoint.scheme_secrets, keyring, incoming.started_at)
    verdict = verify(endpoint.scheme, received, endpoint.scheme_settings, keys)
    if not verdict.accepted:
        raise NotVerified(verdict)
    return verdict


def opened_secrets(
    names: Mapping[str, str], keyring: Keyring, now: datetime
) -> dict[str, Sequence[str]]:
    """The values of the secrets that a scheme needs. One that can't be had has none, and so verifies nothing."""
    opened: dict[str, Sequence[str]] = {}
    for role, name in names.items():
        try:
            opened[role] = keyring.verification_texts(name, now)
        except SecretProblem:
            opened[role] = ()
    return opened


def understand(incoming: Incoming, ours: Redactor) -> None:
    """Parse the body, and make what expressions see. Values of our own secrets in headers and query are masked."""
    incoming.parsed = parse(incoming.body, incoming.content_type, DEFAULT_LIMITS)
    query = parse_query(incoming.query_string, DEFAULT_LIMITS)
    incoming.context = webhook_context(
        incoming.method,
        shown_headers(incoming, ours),
        _masked(query, ours),
        incoming.parsed,
    )


def shown_headers(incoming: Incoming, ours: Redactor) -> list[tuple[str, str]]:
    """Without the values of our own secrets, nor what stands in the header that the endpoint's key comes in; other
    credentials are known by their headers' names."""
    endpoint = incoming.endpoint
    keyed = str(endpoint.scheme_settings.get("header", "")) if endpoint.scheme == "api_key" else ""
    return [
        (name, mask(value) if name.lower() == keyed.lower() else ours.text(value))
        for name, value in incoming.headers
    ]


def _masked(query: Mapping[str, Any], ours: Redactor) -> dict[str, Any]:
    return {
        name: [ours.text(text) for text in value] if isinstance(value, list) else ours.text(value)
        for name, value in query.items()
    }
