"""Short ways to send a request and to answer it."""

import socket
import time

from tests.webhooks.hostile import Behaviour, answering
from webhooks.addresses import NetworkPolicy
from webhooks.transport import OutboundRequest, Outcome, Transport

LOOPBACK = NetworkPolicy.from_settings(allowed_networks=["127.0.0.0/8"])


def post(transport: Transport, url: str, **options) -> Outcome:
    options = {
        "method": "POST",
        "headers": [("Content-Type", "application/json")],
        "body": b"{}",
        "timeout_s": 5.0,
    } | options
    return transport.send(OutboundRequest(url=url, **options))


def names(monkeypatch, **hosts):
    """Let host names (dots as underscores) resolve to lists of addresses, or to what is raised.

    A list of lists answers each lookup with the next list.
    """
    asked = []

    def getaddrinfo(host, port, *args, **kwargs):
        asked.append(host)
        answer = hosts.get(host.replace(".", "_"), socket.gaierror(socket.EAI_NONAME, "unknown"))
        if isinstance(answer, Exception):
            raise answer
        if callable(answer):
            answer = answer()
        if isinstance(answer[0], list):
            answer = answer.pop(0) if len(answer) > 1 else answer[0]
        return [
            (
                socket.AF_INET6 if ":" in address else socket.AF_INET,
                socket.SOCK_STREAM,
                6,
                "",
                (address, 0, 0, 0) if ":" in address else (address, 0),
            )
            for address in answer
        ]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return asked


def raw(answer: bytes) -> Behaviour:
    return answering(answer)


def with_body(body: bytes, *headers: bytes) -> bytes:
    head = b"".join(header + b"\r\n" for header in headers)
    return b"HTTP/1.1 200 OK\r\n%bContent-Length: %d\r\n\r\n%b" % (head, len(body), body)


def wait_until_idle_ones_are_gone(transport: Transport) -> None:
    """Until what the receiver did to idle connections has arrived here."""
    ends = time.monotonic() + 3
    while any(connection.is_connected for connection in transport._idle._order):
        assert time.monotonic() < ends
        time.sleep(0.005)


def redirect_to(location: str, status: int = 302) -> bytes:
    return b"HTTP/1.1 %d Moved\r\nLocation: %b\r\nContent-Length: 0\r\n\r\n" % (
        status,
        location.encode(),
    )
