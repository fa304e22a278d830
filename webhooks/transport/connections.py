"""urllib3 connections that go to judged addresses only, within a deadline for the whole request.

`HTTPConnection.request` and `getresponse` of urllib3 are not used: `exchange` writes the request in
one piece and reads the answer with bounds that `http.client` does not have, at a fraction of the
cost (no MIME parser, no file objects).
"""

import socket
import ssl
from base64 import b64encode
from dataclasses import dataclass
from ipaddress import ip_address
from time import monotonic
from typing import Any
from urllib.parse import unquote, urlsplit

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.util.wait import wait_for_read

from webhooks.addresses import DEFAULT_PORTS, Origin
from webhooks.transport.answers import Answer, AnswerReader
from webhooks.transport.attempt import Attempt
from webhooks.transport.faults import Stage, fault_of
from webhooks.transport.idle import IDLE_S
from webhooks.transport.outcome import ErrorKind, Fault
from webhooks.transport.resolver import Endpoint, Resolver

# One TLS record (RFC 8446, section 5.1): a record cut short is never seen by the receiver.
SEND_BYTES = 16 * 1024
RECEIVE_BYTES = 64 * 1024


class StaleConnectionError(Exception):
    """A pooled connection turned out closed before any byte of the request was taken."""


@dataclass(frozen=True, slots=True)
class Proxy:
    """An HTTP proxy. It resolves names itself, so it has to judge their addresses as well."""

    origin: Origin
    authorization: str  # a header line, or nothing

    @classmethod
    def parse(cls, url: str) -> "Proxy":
        """`http://[user:password@]host[:port]`; ValueError otherwise."""
        parts = urlsplit(url)
        if parts.scheme != "http" or not parts.hostname:
            raise ValueError("A proxy is written like `http://proxy.example.com:3128`.")
        try:
            address = ip_address(parts.hostname)
        except ValueError:
            address = None
        origin = Origin(
            scheme="http",
            host=parts.hostname,
            port=parts.port or DEFAULT_PORTS["http"],
            address=address,
            trusted=True,
            own=False,
            refusal=None,
        )
        authorization = ""
        if parts.username is not None:
            pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
            authorization = "Proxy-Authorization: Basic " + b64encode(pair.encode()).decode()
        return cls(origin, authorization)


@dataclass(frozen=True, slots=True)
class Route:
    """How a pool's connections reach their origin."""

    origin: Origin
    trusted: bool
    resolver: Resolver
    proxy: Proxy | None


class GuardedConnection(HTTPConnection):
    """A plain connection. One request at a time; after a fault it has to be closed."""

    def __init__(self, host: str, port: int | None = None, *, route: Route, **kwargs: Any) -> None:
        super().__init__(host, port, **kwargs)
        self.route = route
        self.expires_at = 0.0
        self.remote_address = ""
        self._attempt: Attempt | None = None

    # Opening

    def open(self, attempt: Attempt) -> None:
        """Resolve, judge, connect. Raises Fault."""
        until = attempt.connect_by()
        self.sock = self._connect_tcp(attempt, until)
        attempt.remote_address = self.remote_address

    def _connect_tcp(self, attempt: Attempt, until: float) -> socket.socket:
        route = self.route
        proxy = route.proxy
        origin = proxy.origin if proxy else route.origin
        trusted = proxy is not None or route.trusted
        endpoints = route.resolver.endpoints(origin, trusted=trusted, until=until)
        fault: Fault | None = None
        for position, endpoint in enumerate(endpoints):
            # A silent address must not eat the time of those after it.
            share = (until - monotonic()) / (len(endpoints) - position)
            try:
                sock = _connect(endpoint, share)
            except OSError as error:
                where = _where(origin, endpoint)
                fault = fault_of(error, Stage.CONNECT, where, attempt.connect_timeout_s)
            else:
                self.remote_address = endpoint.text
                return sock
        raise fault or Fault(ErrorKind.CONNECT, f"No connection to {origin.host}.")

    # Exchanging

    def exchange(self, head: bytes, body: bytes, method: str, attempt: Attempt) -> Answer:
        """Send one request and read its answer.

        Raises Fault, and StaleConnectionError when it is certain that nothing was sent.
        """
        reused = self.sock is not None
        if not reused:
            self.open(attempt)
        self._attempt = attempt
        attempt.remote_address = self.remote_address
        whole = self._send(head, body, attempt, reused=reused)
        try:
            answer = AnswerReader(self._receive, self._explain).read(method)
        except Fault as fault:
            if not whole and fault.kind is ErrorKind.PROTOCOL:
                raise self._explain(ConnectionResetError(), Stage.SEND) from None
            raise
        if not whole:
            answer.reusable = False
        return answer

    def idle_until(self, answer: Answer) -> float:
        """When to give this connection up, at the latest."""
        idle_s = IDLE_S
        if answer.keep_alive_s is not None:
            idle_s = min(idle_s, answer.keep_alive_s - 1.0)
        return monotonic() + idle_s

    def _send(self, head: bytes, body: bytes, attempt: Attempt, *, reused: bool) -> bool:
        """True when the whole request was taken. A receiver may answer before that, and close."""
        sock = self.sock
        data = memoryview(head + body if len(body) <= SEND_BYTES else head)
        try:
            sock.settimeout(attempt.remaining_s())
            sent = sock.send(data[:SEND_BYTES])
        except (ConnectionError, ssl.SSLEOFError, ssl.SSLZeroReturnError) as error:
            if reused:
                raise StaleConnectionError from None
            raise self._explain(error, Stage.SEND) from None
        except OSError as error:
            raise self._explain(error, Stage.SEND) from None
        attempt.request_sent = True
        if sent == len(data) and len(body) <= SEND_BYTES:
            return True
        try:
            self._send_rest(data[sent:], attempt)
            if len(body) > SEND_BYTES:
                self._send_rest(memoryview(body), attempt)
        except (ConnectionError, ssl.SSLEOFError):
            return False
        except OSError as error:
            raise self._explain(error, Stage.SEND) from None
        return True

    def _send_rest(self, data: memoryview, attempt: Attempt) -> None:
        while data:
            self.sock.settimeout(attempt.remaining_s())
            data = data[self.sock.send(data[:SEND_BYTES]) :]

    def _receive(self) -> bytes:
        attempt = self._attempt
        assert attempt is not None
        self.sock.settimeout(attempt.remaining_s())
        data: bytes = self.sock.recv(RECEIVE_BYTES)
        return data

    def _explain(self, error: OSError, stage: Stage) -> Fault:
        limit_s = self._attempt.timeout_s if self._attempt else 0.0
        return fault_of(error, stage, _where(self.route.origin, self.remote_address), limit_s)

    @property
    def is_connected(self) -> bool:
        """Open, and nothing to read: what comes without a request is the end, or not for us."""
        return self.sock is not None and not wait_for_read(self.sock, timeout=0.0)


class GuardedTlsConnection(GuardedConnection, HTTPSConnection):
    """The same over TLS: the certificate is checked for the name, the address is the judged one."""

    def open(self, attempt: Attempt) -> None:
        until = attempt.connect_by()
        sock = self._connect_tcp(attempt, until)
        attempt.remote_address = self.remote_address
        try:
            if self.route.proxy is not None:
                self._open_tunnel(sock, self.route.proxy, attempt)
            sock.settimeout(max(0.001, until - monotonic()))
            self.sock = self._handshake(sock, attempt)
        except BaseException:
            sock.close()
            raise

    def _handshake(self, sock: socket.socket, attempt: Attempt) -> ssl.SSLSocket:
        assert self.ssl_context is not None
        host = self.route.origin.host
        try:
            return self.ssl_context.wrap_socket(sock, server_hostname=host)
        except OSError as error:
            where = _where(self.route.origin, self.remote_address)
            raise fault_of(error, Stage.TLS, where, attempt.connect_timeout_s) from None
        except ValueError:
            raise Fault(
                ErrorKind.INVALID, f"`{host}` is not a name that a TLS certificate can have."
            ) from None

    def _open_tunnel(self, sock: socket.socket, proxy: Proxy, attempt: Attempt) -> None:
        origin = self.route.origin
        name = f"[{origin.host}]" if ":" in origin.host else origin.host
        authority = f"{name}:{origin.port}"
        where = f"the proxy {proxy.origin.host_header}"

        def receive() -> bytes:
            sock.settimeout(attempt.remaining_s())
            # Nothing can follow the proxy's answer yet: in TLS we have the first word.
            return sock.recv(SEND_BYTES)

        def explain(error: OSError, stage: Stage) -> Fault:
            return fault_of(error, stage, where, attempt.timeout_s)

        lines = [f"CONNECT {authority} HTTP/1.1", f"Host: {authority}", proxy.authorization]
        head = "".join(f"{line}\r\n" for line in lines if line) + "\r\n"
        try:
            sock.settimeout(attempt.remaining_s())
            sock.sendall(head.encode())
        except OSError as error:
            raise explain(error, Stage.SEND) from None
        answer = AnswerReader(receive, explain).read("HEAD")
        if not 200 <= answer.status < 300:
            raise Fault(
                ErrorKind.CONNECT,
                f"{where} refused to connect to {origin.host_header} (status {answer.status}).",
            )


def _connect(endpoint: Endpoint, timeout_s: float) -> socket.socket:
    if timeout_s <= 0:
        raise TimeoutError
    sock = socket.socket(endpoint.family, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.settimeout(timeout_s)
        sock.connect(endpoint.sockaddr)
    except BaseException:
        sock.close()
        raise
    return sock


def _where(origin: Origin, endpoint: Endpoint | str) -> str:
    """`example.com (192.0.2.1:443)`, or the address alone when the URL has it so."""
    text = endpoint if isinstance(endpoint, str) else endpoint.text
    if origin.address is not None or not text:
        return text or origin.host
    return f"{origin.host} ({text})"
