"""What goes into the transport and what comes out of it: plain data."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

# Enough to explain a failure and to read a JSON answer; a log row stays small.
KEEP_BYTES = 64 * 1024


class ErrorKind(StrEnum):
    """Why there is no whole answer. `Outcome.error_kind` is "" when there is one."""

    DNS = "dns"  # the host has no address
    CONNECT = "connect"  # nobody took the connection
    TLS = "tls"  # no trust between the two sides
    TIMEOUT = "timeout"  # the time ran out
    PROTOCOL = "protocol"  # not HTTP, or an answer that broke off
    TOO_LARGE = "too_large"  # headers beyond all measure
    BLOCKED = "blocked"  # the network policy refused the address
    INVALID = "invalid"  # the URL, method or a header cannot be sent


@dataclass(frozen=True, slots=True)
class ClientCertificate:
    """The certificate, its chain and its private key without a password, in one PEM text.

    `digest` names it: who has the same digest has the same certificate.
    """

    digest: str
    pem: str = field(repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class OutboundRequest:
    """One request. `timeout_s` is the whole time, from the name lookup to the last byte, over all
    redirects; `connect_timeout_s` the share of it for lookup, connection and TLS."""

    method: str
    # Not shown in logs and errors: secrets are in them by now.
    url: str = field(repr=False)
    headers: Sequence[tuple[str, str]] = field(repr=False)
    body: bytes = field(repr=False)
    timeout_s: float
    connect_timeout_s: float = 10.0
    max_redirects: int = 0
    verify_tls: bool = True
    client_cert: ClientCertificate | None = field(default=None, repr=False)
    # Names of further headers that must not follow a redirect to another origin.
    sensitive_headers: frozenset[str] = frozenset()
    # The body must not follow one either: a redirect that would resend it elsewhere is not followed.
    sensitive_body: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a request.

    `status_code` is set with an `error_kind` too, when the head of an answer came but its body
    broke off, or a redirect could not be followed. Header values are latin-1, without line breaks
    or NUL. `body` holds at most `KEEP_BYTES`, decompressed; `truncated` tells that there was more.
    """

    status_code: int | None
    headers: list[tuple[str, str]]
    body: bytes
    truncated: bool
    error_kind: str
    error: str
    started_at: float  # time.time()
    duration_ms: int
    remote_address: str  # "ip:port" really connected to, "" when there was no connection
    request_sent: bool  # False only when no byte of the request can have reached the receiver
    # The URL itself says what is refused, so the same request always will be; a name may get another address.
    is_hopeless: bool = False


class Fault(Exception):
    """A request went wrong in an expected way: the kind, and words for people."""

    def __init__(self, kind: ErrorKind, words: str, *, is_hopeless: bool = False) -> None:
        super().__init__(words)
        self.kind = kind
        self.words = words
        self.is_hopeless = is_hopeless
