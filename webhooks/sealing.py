"""A request with its secrets in it, for the moment of sending; and its outcome without them. Pure."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime

from webhooks.auth import auth_header, shown_auth_header
from webhooks.binding import (
    SECRET_ERROR,
    Credentials,
    bind_body,
    bind_text,
    bind_url,
    names_of_placeholders,
    secret_in_origin,
    shown,
    shown_headers,
)
from webhooks.headers import set_headers
from webhooks.keyring import Keyring, SecretProblem
from webhooks.redaction import Redactor
from webhooks.signing import signature_headers
from webhooks.transport import ClientCertificate, OutboundRequest, Outcome

Headers = list[tuple[str, str]]


class SendingBroke(Exception):
    """A mistake of ours while a request with secrets was sent: the kind of exception, and nothing else of it."""


@dataclass(frozen=True, slots=True)
class SealedRequest:
    """`request` has the values and never leaves the sender; `shown` is what may be told of it."""

    request: OutboundRequest = field(repr=False)
    shown: OutboundRequest
    redactor: Redactor = field(repr=False)
    # The URL's host is a secret's, so where it was is not told either.
    hides_origin: bool = False

    def clean(self, outcome: Outcome) -> Outcome:
        """The outcome as it may be stored: whatever the receiver repeats of the values is masked."""
        mask = self.redactor
        return replace(
            outcome,
            headers=[(mask.text(name), mask.text(value)) for name, value in outcome.headers],
            body=mask.body(outcome.body, is_cut=outcome.truncated or bool(outcome.error_kind)),
            error=mask.words(outcome.error),
            remote_address="" if self.hides_origin else outcome.remote_address,
        )


def seal(
    request: OutboundRequest,
    credentials: Credentials,
    keyring: Keyring,
    *,
    message_id: str,
    now: datetime,
) -> SealedRequest:
    """Bind the values, add authentication and signatures. Raises SecretProblem.

    `request.body` is UTF-8. Its headers must not follow a redirect elsewhere if a value is in them.
    """
    nonce, auth = credentials.nonce, credentials.auth
    body = bind_body(
        request.body.decode(), _content_type(request.headers), nonce, keyring.text
    ).encode()
    headers = [(name, bind_text(value, nonce, keyring.text)) for name, value in request.headers]
    told = shown_headers(request.headers, nonce)
    sensitive = {
        name for (name, value), (_, visible) in zip(headers, told, strict=True) if value != visible
    }
    added: Headers = []
    added_told: Headers = []
    if credentials.signing:
        keys = keyring.signing_keys(credentials.signing, now)
        added = added_told = signature_headers(
            keys, message_id=message_id, timestamp=int(now.timestamp()), body=body
        )
    if auth.kind == "hmac":
        signature = auth_header(auth, keyring.hmac_text(auth.secret), body)
        added, added_told = [*added, signature], [*added_told, signature]
    elif auth.kind != "none":
        header = auth_header(auth, keyring.text(auth.secret), body)
        added, added_told = [*added, header], [*added_told, shown_auth_header(auth)]
    url = bind_url(request.url, nonce, keyring.text)
    return SealedRequest(
        request=replace(
            request,
            url=url,
            client_cert=_client_cert(credentials.certificate, url, keyring, now),
            headers=set_headers(headers, added),
            body=body,
            sensitive_headers=frozenset({*sensitive, auth.header_name} - {""}),
            sensitive_body=body != request.body,
        ),
        shown=show(request, credentials, headers=set_headers(told, added_told)),
        redactor=keyring.redactor(names_needed(request, credentials)),
        hides_origin=bool(secret_in_origin(request.url, nonce)),
    )


def show(
    request: OutboundRequest, credentials: Credentials, headers: Headers | None = None
) -> OutboundRequest:
    """A request for people's eyes, as it is stored: secrets by name."""
    nonce = credentials.nonce
    if headers is None:
        headers = shown_headers(request.headers, nonce)
        if credentials.auth.kind != "none":
            headers = set_headers(headers, [shown_auth_header(credentials.auth)])
    return replace(
        request,
        url=shown(request.url, nonce),
        headers=headers,
        body=shown(request.body.decode(), nonce).encode(),
    )


def names_needed(request: OutboundRequest, credentials: Credentials) -> set[str]:
    """The secrets that a request can't be sent without."""
    texts = [request.url, request.body.decode(), *(value for _, value in request.headers)]
    names = names_of_placeholders(texts, credentials.nonce)
    return {*names, credentials.auth.secret, credentials.signing, credentials.certificate} - {""}


def send_sealed(
    send: Callable[[OutboundRequest], Outcome],
    request: OutboundRequest,
    credentials: Credentials,
    keyring: Keyring,
    *,
    message_id: str,
    now: datetime,
) -> tuple[OutboundRequest, Outcome]:
    """Send a request that has secrets. What may be told of it, and what came of it."""
    try:
        sealed = seal(request, credentials, keyring, message_id=message_id, now=now)
    except SecretProblem as problem:
        return show(request, credentials), _unsent(f"Nothing was sent: {problem}")
    try:
        outcome = send(sealed.request)
    except Exception as error:  # noqa: BLE001  (its words and those it was raised from may quote the request)
        raise SendingBroke(type(error).__name__) from None
    return sealed.shown, sealed.clean(outcome)


def _client_cert(name: str, url: str, keyring: Keyring, now: datetime) -> ClientCertificate | None:
    if not name:
        return None
    certificate = keyring.client_certificate(name, now)
    if not url.lower().startswith("https://"):
        raise SecretProblem(
            f"a client certificate is only shown over https://, and this address is another. Change it, or take"
            f" `{name}` out of the webhook."
        )
    return ClientCertificate(certificate.digest, certificate.pem)


def _unsent(words: str) -> Outcome:
    return Outcome(
        status_code=None,
        headers=[],
        body=b"",
        truncated=False,
        error_kind=SECRET_ERROR,
        error=words,
        started_at=time.time(),
        duration_ms=0,
        remote_address="",
        request_sent=False,
    )


def _content_type(headers: Iterable[tuple[str, str]]) -> str:
    return next((value for name, value in headers if name.lower() == "content-type"), "")
