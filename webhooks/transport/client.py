"""`Transport`: the one door through which HTTP requests leave."""

import re
import time
from contextlib import suppress
from time import monotonic

import requests
from urllib3.exceptions import HTTPError

from webhooks.addresses import NetworkPolicy, Origin, Refusal, Target, judge_url
from webhooks.headers import check_headers
from webhooks.transport.answers import Answer
from webhooks.transport.attempt import Attempt
from webhooks.transport.connections import Proxy
from webhooks.transport.idle import IdleConnections
from webhooks.transport.outcome import KEEP_BYTES, ErrorKind, Fault, OutboundRequest, Outcome
from webhooks.transport.pools import GuardedAdapter, PreparedDelivery, WireHeaders
from webhooks.transport.redirects import (
    REDIRECT_STATUSES,
    leave_origin,
    location_of,
    next_request,
    next_url,
)
from webhooks.transport.tls import TlsContexts

# As many as threads may send to one origin at once; fewer would reconnect all the time.
POOL_SIZE = 128
# Open files are what limits idle connections: 1,024 for a process, by custom.
MAX_IDLE = 256
MAX_KNOWN_ORIGINS = 4096
SWEEP_EVERY_S = 5.0

# Sent unless the request says otherwise. Answers are small: compressing them costs more than it
# saves, so none is asked for (it is understood when it comes anyway).
DEFAULT_HEADERS = (("User-Agent", "Signalbox"), ("Accept", "*/*"), ("Accept-Encoding", "identity"))

_is_method = re.compile(r"[A-Z][A-Z-]{0,31}").fullmatch
# CONNECT would make the receiver a tunnel, TRACE would make it repeat our credentials.
_REFUSED_METHODS = frozenset({"CONNECT", "TRACE"})


class Transport:
    """Sends requests over pooled connections. One for each process; thread-safe.

    `policy` decides which addresses may be reached. `proxy` (`http://[user:password@]host:port`)
    takes every request, if given: it resolves the names then, so it has to guard private networks
    itself; hosts written as addresses are judged here all the same. `ca_bundle`: a PEM file of the
    authorities to trust. The environment (`HTTP_PROXY`, `.netrc`, …) is never asked.
    """

    def __init__(
        self,
        policy: NetworkPolicy,
        *,
        pool_size: int = POOL_SIZE,
        max_idle: int = MAX_IDLE,
        proxy: str | None = None,
        ca_bundle: str | None = None,
    ) -> None:
        self._policy = policy
        self._known: dict[tuple[str, str], Origin | Refusal] = {}
        self._idle = IdleConnections(per_origin=pool_size, total=max_idle)
        self._adapter = GuardedAdapter(
            policy, self._idle, TlsContexts(ca_bundle), Proxy.parse(proxy) if proxy else None
        )
        self._next_sweep = monotonic() + SWEEP_EVERY_S

    def send(self, request: OutboundRequest) -> Outcome:
        """Send one request and tell what became of it.

        Never raises for anything the network or the receiver does. A request goes out once at
        most; with `max_redirects`, each hop does.
        """
        started_at = time.time()
        started = monotonic()
        if started > self._next_sweep:
            self.sweep()
        attempt = Attempt(request.timeout_s, request.connect_timeout_s)
        answer: Answer | None = None
        fault: Fault | None = None
        try:
            answer = self._follow(request, attempt)
            fault = answer.fault
        except Fault as error:
            fault = error
        return Outcome(
            status_code=answer.status if answer else None,
            headers=answer.headers if answer else [],
            body=answer.body if answer else b"",
            truncated=answer.truncated if answer else False,
            error_kind=fault.kind.value if fault else "",
            error=fault.words if fault else "",
            started_at=started_at,
            duration_ms=round((monotonic() - started) * 1000),
            remote_address=attempt.remote_address,
            request_sent=attempt.request_sent,
            is_hopeless=fault.is_hopeless if fault else False,
        )

    def sweep(self) -> None:
        """Close connections that waited too long. `send` does so now and then; a process that
        stops sending may call it."""
        self._next_sweep = monotonic() + SWEEP_EVERY_S
        self._idle.sweep()

    def close(self) -> None:
        """Close the idle connections; those in use close when their request ends."""
        self._idle.close()
        self._adapter.close()

    def _follow(self, request: OutboundRequest, attempt: Attempt) -> Answer:
        target = self._judge(request)
        hops = 0
        while True:
            answer = self._exchange(request, target, attempt)
            if not request.max_redirects or answer.status not in REDIRECT_STATUSES:
                return answer
            location = location_of(answer.headers)
            if location is None or answer.fault is not None:
                return answer
            if hops == request.max_redirects:
                answer.fault = Fault(
                    ErrorKind.PROTOCOL, f"The receiver redirected more than {hops} times."
                )
                return answer
            hops += 1
            try:
                request, target = self._redirect(request, target, answer.status, location)
            except Fault as fault:
                answer.fault = fault
                return answer

    def _redirect(
        self, request: OutboundRequest, target: Target, status: int, location: str
    ) -> tuple[OutboundRequest, Target]:
        url = next_url(target.url, location)
        if url is None:
            raise Fault(
                ErrorKind.PROTOCOL, f"The receiver redirected ({status}) to no readable address."
            )
        request = next_request(request, status, url)
        try:
            new = self._judge(request)
        except Fault as fault:
            raise Fault(
                fault.kind, f"The receiver redirected ({status}) elsewhere: {fault.words}"
            ) from None
        onward = leave_origin(request, target.origin, new.origin)
        if onward is not request and request.sensitive_body and request.body:
            raise Fault(
                ErrorKind.BLOCKED,
                f"The receiver redirected ({status}) to another origin, and the body holds a secret."
                " It was not sent there; point the webhook to the new address.",
            )
        return onward, new

    def _judge(self, request: OutboundRequest) -> Target:
        method = request.method
        if not _is_method(method) or method in _REFUSED_METHODS:
            raise Fault(ErrorKind.INVALID, f"Method `{_plain(method)}` cannot be sent.")
        problems = check_headers(request.headers)
        if problems:
            name, reason = problems[0]
            raise Fault(ErrorKind.INVALID, f"Header `{_plain(name)}`: {reason}")
        if len(self._known) > MAX_KNOWN_ORIGINS:
            self._known.clear()
        target = judge_url(request.url, self._policy, self._known)
        if isinstance(target, Refusal):
            raise Fault(ErrorKind(target.kind), target.reason, is_hopeless=True)
        return target

    def _exchange(self, request: OutboundRequest, target: Target, attempt: Attempt) -> Answer:
        headers = list(request.headers)
        names = {name.lower() for name, _ in headers}
        headers += [pair for pair in DEFAULT_HEADERS if pair[0].lower() not in names]
        prepared = PreparedDelivery(request.method, target, WireHeaders(headers), request.body)
        try:
            answer: object = self._adapter.send(
                prepared,
                stream=True,
                timeout=attempt,  # type: ignore[arg-type]
                verify=request.verify_tls,
                cert=request.client_cert,  # type: ignore[arg-type]
            )
        except requests.RequestException as error:
            raise _fault_of(error) from None
        return answer if isinstance(answer, Answer) else _answer_of(answer)


def _plain(text: str) -> str:
    return text[:100].encode("ascii", "backslashreplace").decode().encode("unicode_escape").decode()


def _fault_of(error: requests.RequestException) -> Fault:
    """For exceptions of requests itself: our own connections raise faults."""
    kind = ErrorKind.PROTOCOL
    if isinstance(error, requests.Timeout):
        kind = ErrorKind.TIMEOUT
    elif isinstance(error, requests.exceptions.SSLError):
        kind = ErrorKind.TLS
    elif isinstance(error, requests.ConnectionError):
        kind = ErrorKind.CONNECT
    return Fault(kind, str(error) or type(error).__name__)


def _answer_of(response: object) -> Answer:
    """For answers that were not read by our own connections but by something put before them."""
    if not isinstance(response, requests.Response):
        raise TypeError(f"no answer: {response!r}")
    body = b""
    with suppress(OSError, HTTPError):
        body = response.raw.read(KEEP_BYTES + 1, decode_content=True)
    return Answer(
        status=response.status_code,
        headers=list(response.raw.headers.items()),
        body=body[:KEEP_BYTES],
        truncated=len(body) > KEEP_BYTES,
    )
