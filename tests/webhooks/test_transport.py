"""The transport against real sockets: honest receivers, broken ones and hostile ones."""

import errno
import gzip
import hashlib
import random
import socket
import ssl
import tempfile
import threading
import time
import tracemalloc
import zlib
from contextlib import ExitStack
from pathlib import Path

import pytest
import requests
import responses

from tests.webhooks.hostile import (
    OK,
    Authority,
    Behaviour,
    HostileServer,
    Peer,
    answering,
    answering_once,
    closed_port,
    gzip_bomb,
    serving,
    silent_listener,
)
from webhooks.addresses import NetworkPolicy
from webhooks.headers import SIGNING_HEADERS, check_headers
from webhooks.transport import (
    KEEP_BYTES,
    ClientCertificate,
    ErrorKind,
    OutboundRequest,
    Outcome,
    Transport,
    tls,
)
from webhooks.transport import client as client_room
from webhooks.transport import resolver as resolver_room
from webhooks.transport.answers import AnswerReader
from webhooks.transport.faults import Stage, fault_of
from webhooks.transport.idle import IdleConnections, IdleShelf
from webhooks.transport.outcome import Fault

LOOPBACK = NetworkPolicy.from_settings(allowed_networks=["127.0.0.0/8"])


@pytest.fixture
def transport():
    transport = Transport(LOOPBACK)
    yield transport
    transport.close()


@pytest.fixture
def serve():
    with ExitStack() as stack:
        yield lambda behave, **options: stack.enter_context(serving(behave, **options))


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


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


def zlib_broken_after_hello() -> bytes:
    compressor = zlib.compressobj(9, zlib.DEFLATED, 31)
    good = compressor.compress(b"hello") + compressor.flush(zlib.Z_FULL_FLUSH)
    return good + b"\xff" * len(good)


def wait_until_idle_ones_are_gone(transport: Transport) -> None:
    """Until what the receiver did to idle connections has arrived here."""
    ends = time.monotonic() + 3
    while any(connection.is_connected for connection in transport._idle._order):
        assert time.monotonic() < ends
        time.sleep(0.005)


def tls_error(reason: str) -> ssl.SSLError:
    error = ssl.SSLError(1, reason)
    error.reason = reason
    return error


# What goes out


def test_request_arrives_as_it_was_given(transport, serve):
    server = serve(answering(OK))
    outcome = post(
        transport,
        f"{server.url}?q=1#part",
        headers=[
            ("X-Twice", "a"),
            ("X-Twice", "b"),
            ("webhook-signature", "v1,x"),
            ("X-e", "é"),
        ],
        body=b'{"a": 1}',
    )
    assert outcome.status_code == 200
    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    assert lines[0] == b"POST /hook?q=1 HTTP/1.1"
    assert lines[1] == b"Host: 127.0.0.1:%d" % server.port
    assert lines[2:6] == [
        b"X-Twice: a",
        b"X-Twice: b",
        b"webhook-signature: v1,x",
        "X-e: é".encode(),
    ]
    assert b"Content-Length: 8" in lines
    assert b"Accept-Encoding: identity" in lines
    assert body == b'{"a": 1}'


def test_outcome_tells_what_happened(transport, serve):
    server = serve(
        raw(b"HTTP/1.1 418 I'm a teapot\r\nX-Kind: tea\r\nContent-Length: 3\r\n\r\n\xff\xfe!")
    )
    before = time.time()
    outcome = post(transport, server.url)
    assert outcome.status_code == 418
    assert outcome.headers == [("X-Kind", "tea"), ("Content-Length", "3")]
    assert outcome.body == b"\xff\xfe!"
    assert (outcome.error_kind, outcome.error, outcome.truncated) == ("", "", False)
    assert before <= outcome.started_at <= time.time()
    assert 0 <= outcome.duration_ms < 2000
    assert outcome.remote_address == f"127.0.0.1:{server.port}"
    assert outcome.request_sent


def test_get_without_body_has_no_content_length_and_empty_post_has(transport, serve):
    server = serve(answering(OK))
    post(transport, server.url, method="GET", body=b"")
    post(transport, server.url, method="POST", body=b"")
    assert b"Content-Length" not in server.requests[0]
    assert b"Content-Length: 0" in server.requests[1]


def test_large_request_body_arrives_whole(transport, serve):
    server = serve(answering(OK))
    body = bytes(range(256)) * 16384
    assert post(transport, server.url, body=body).status_code == 200
    assert server.requests[0].endswith(b"\r\n\r\n" + body)


@pytest.mark.parametrize(
    "headers",
    [
        [("X-Bad", "a\r\nX-Evil: 1")],
        [("X-Bad", "a\0b")],
        [("X Bad", "a")],
        [("", "a")],
        [("Host", "example.com")],
        [("content-LENGTH", "5")],
        [("Transfer-Encoding", "chunked")],
        [("Proxy-Authorization", "x")],
        [("Connection", "close")],
    ],
)
def test_unsendable_header_is_invalid_and_nothing_is_sent(transport, serve, headers):
    server = serve(answering(OK))
    outcome = post(transport, server.url, headers=headers)
    assert outcome.error_kind == ErrorKind.INVALID
    assert outcome.error.startswith("Header `")
    assert not outcome.request_sent
    assert server.connections == 0


@pytest.mark.parametrize("method", ["CONNECT", "TRACE", "GET /x HTTP/1.1\r\nA: b", "", "post"])
def test_unsendable_method_is_invalid(transport, method):
    assert post(transport, "http://127.0.0.1:1/", method=method).error_kind == ErrorKind.INVALID


def test_check_headers_names_each_problem_without_its_value():
    problems = check_headers(
        [("Fine", "é"), ("Webhook-Id", "x"), ("Bad Name", "s3cret"), ("X", "s3cret\n")],
        reserved=SIGNING_HEADERS,
    )
    assert [name for name, _ in problems] == ["Webhook-Id", "Bad Name", "X"]
    assert "s3cret" not in str([reason for _, reason in problems])
    assert check_headers([("webhook-id", "x"), ("X-Tab", "a\tb")]) == []


# Deadlines


def timed(transport, url, **options) -> tuple[Outcome, float]:
    started = time.monotonic()
    outcome = post(transport, url, **{"timeout_s": 0.4} | options)
    return outcome, time.monotonic() - started


def drip_headers(peer: Peer) -> None:
    peer.request()
    peer.drip(b"HTTP/1.1 200 OK\r\n" + b"X-Slow: 1\r\n" * 100)


def drip_body(peer: Peer) -> None:
    peer.request()
    peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n")
    peer.drip(b"x" * 5000)


def drip_chunks(peer: Peer) -> None:
    peer.request()
    peer.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    peer.drip(b"1\r\nx\r\n" * 5000)


def stall_after_headers(peer: Peer) -> None:
    peer.request()
    peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")
    peer.stall()


def stall_at_once(peer: Peer) -> None:
    peer.request()
    peer.stall()


def never_read(peer: Peer) -> None:
    peer.stall()


@pytest.mark.parametrize(
    ("behave", "status", "body"),
    [
        (drip_headers, None, b""),
        (drip_body, 200, None),
        (drip_chunks, 200, None),
        (stall_after_headers, 200, b"half"),
        (stall_at_once, None, b""),
    ],
)
def test_deadline_is_total(transport, serve, behave, status, body):
    outcome, took_s = timed(transport, serve(behave).url)
    assert outcome.error_kind == ErrorKind.TIMEOUT
    assert "0.4 s" in outcome.error
    assert outcome.status_code == status
    assert outcome.body.startswith(b"x") if body is None else outcome.body == body
    assert outcome.request_sent
    assert 0.3 < took_s < 2


def test_deadline_holds_against_receiver_that_does_not_read(transport, serve):
    outcome, took_s = timed(transport, serve(never_read).url, body=b"x" * 30_000_000)
    assert outcome.error_kind == ErrorKind.TIMEOUT
    assert "did not take the whole request" in outcome.error
    assert took_s < 2


def test_deadline_holds_during_tls_handshake(transport, serve):
    server = serve(never_read)
    outcome, took_s = timed(transport, server.url.replace("http:", "https:"))
    assert outcome.error_kind == ErrorKind.TIMEOUT
    assert "TLS" in outcome.error
    assert not outcome.request_sent
    assert took_s < 2


def test_deadline_holds_when_tls_handshake_drips(transport, serve):
    def behave(peer: Peer) -> None:
        peer.sock.recv(10)
        peer.drip(b"\x16\x03\x03\x40\x00" + b"\x02" * 5000)

    outcome, took_s = timed(transport, serve(behave).url.replace("http:", "https:"))
    assert outcome.error_kind in (ErrorKind.TIMEOUT, ErrorKind.TLS)
    assert took_s < 2


def test_deadline_holds_over_tls(serve, authority):
    server = serve(drip_body, tls=authority.server_context("127.0.0.1"))
    outcome, took_s = timed(Transport(LOOPBACK, ca_bundle=authority.file), server.url)
    assert (outcome.error_kind, outcome.status_code) == (ErrorKind.TIMEOUT, 200)
    assert took_s < 2


def test_deadline_holds_over_redirects(transport, serve):
    def behave(peer: Peer) -> None:
        while peer.request() is not None:
            time.sleep(0.15)
            peer.send(b"HTTP/1.1 302 Found\r\nLocation: /again\r\nContent-Length: 0\r\n\r\n")

    outcome, took_s = timed(transport, serve(behave).url, max_redirects=50)
    assert outcome.error_kind == ErrorKind.TIMEOUT
    assert took_s < 2


def test_deadline_holds_during_name_lookup(transport, monkeypatch):
    def slow():
        time.sleep(3)
        return ["127.0.0.1"]

    names(monkeypatch, slow_example=slow)
    outcome, took_s = timed(transport, "http://slow.example/")
    assert outcome.error_kind == ErrorKind.DNS
    assert "slow.example" in outcome.error
    assert took_s < 2


def test_pooled_connection_gets_a_fresh_deadline(transport, serve):
    def behave(peer: Peer) -> None:
        while peer.request() is not None:
            time.sleep(0.25)
            peer.send(OK)

    server = serve(behave)
    outcomes = [post(transport, server.url, timeout_s=0.5) for _ in range(3)]
    assert [outcome.status_code for outcome in outcomes] == [200, 200, 200]
    assert server.connections == 1


def test_silent_address_is_given_up_after_the_connect_timeout(transport):
    with silent_listener("127.0.0.1") as port:
        outcome, took_s = timed(
            transport, f"http://127.0.0.1:{port}/", timeout_s=5, connect_timeout_s=0.3
        )
    assert outcome.error_kind == ErrorKind.TIMEOUT
    assert outcome.error.startswith(f"No connection to 127.0.0.1:{port} within 0.3 s.")
    assert not outcome.request_sent
    assert took_s < 2


def test_silent_address_leaves_time_for_the_next(transport, serve, monkeypatch):
    with silent_listener("127.0.0.4") as port:
        server = HostileServer(answering(OK), host="127.0.0.5", port=port)
        names(monkeypatch, half_example=["127.0.0.4", "127.0.0.5"])
        outcome, took_s = timed(
            transport, f"http://half.example:{port}/", timeout_s=5, connect_timeout_s=0.6
        )
        server.stop()
    assert (outcome.status_code, outcome.remote_address) == (200, f"127.0.0.5:{port}")
    assert took_s < 2


def test_no_time_at_all_is_a_timeout(transport, serve):
    assert post(transport, serve(answering(OK)).url, timeout_s=0).error_kind == ErrorKind.TIMEOUT


# Answers beyond measure


def test_endless_chunked_body_is_cut(transport, serve):
    def behave(peer: Peer) -> None:
        peer.request()
        peer.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            peer.send(b"400\r\n" + b"y" * 0x400 + b"\r\n")

    server = serve(behave)
    outcome = post(transport, server.url)
    assert (outcome.status_code, outcome.error_kind, outcome.truncated) == (200, "", True)
    assert outcome.body == b"y" * KEEP_BYTES


def test_body_of_50_mb_is_a_success_cut_to_what_is_kept(transport, serve):
    def behave(peer: Peer) -> None:
        peer.request()
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 52428800\r\n\r\n")
        for _ in range(800):
            peer.send(b"z" * 65536)

    server = serve(behave)
    started = time.monotonic()
    outcome = post(transport, server.url)
    assert time.monotonic() - started < 2
    assert (outcome.status_code, outcome.error_kind, outcome.truncated) == (200, "", True)
    assert len(outcome.body) == KEEP_BYTES
    server.behave = answering(OK)
    assert post(transport, server.url).body == b"ok"  # not what was left of the 50 MB
    assert server.connections == 2


def test_body_of_exactly_what_is_kept_is_whole(transport, serve):
    server = serve(raw(with_body(b"k" * KEEP_BYTES)))
    for _ in range(2):
        outcome = post(transport, server.url)
        assert (len(outcome.body), outcome.truncated) == (KEEP_BYTES, False)
    assert server.connections == 1


@pytest.mark.parametrize("chunked", [False, True])
def test_gzip_bomb_stays_small(transport, serve, chunked):
    bomb = gzip_bomb(1024)  # a gigabyte
    if chunked:
        framing, body = b"Transfer-Encoding: chunked", b"%x\r\n%b\r\n0\r\n\r\n" % (len(bomb), bomb)
    else:
        framing, body = b"Content-Length: %d" % len(bomb), bomb
    server = serve(
        raw(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n%b\r\n\r\n%b" % (framing, body))
    )
    tracemalloc.start()
    try:
        outcome = post(transport, server.url)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert (outcome.status_code, outcome.error_kind, outcome.truncated) == (200, "", True)
    assert outcome.body == b"\0" * KEEP_BYTES
    assert peak < 4_000_000  # the server's own copy of the bomb included


def test_compressed_nothing_for_ever_ends(transport, serve):
    compressor = zlib.compressobj(9, zlib.DEFLATED, 31)
    head = compressor.compress(b"") + compressor.flush(zlib.Z_SYNC_FLUSH)
    nothing = b"\x00\x00\x00\xff\xff"  # an empty stored block

    def behave(peer: Peer) -> None:
        peer.request()
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n" + head)
        while True:
            peer.send(nothing * 10000)

    outcome = post(transport, serve(behave).url)
    assert (outcome.status_code, outcome.error_kind) == (200, ErrorKind.TOO_LARGE)


@pytest.mark.parametrize(
    ("coding", "data"),
    [
        (b"gzip", gzip.compress(b"hello")),
        (b"X-GZIP", gzip.compress(b"hello")),
        (b"deflate", zlib.compress(b"hello")),
        (b"deflate", zlib.compress(b"hello")[2:-4]),
        (b"identity", b"hello"),
        (b"gzip", b"hello"),  # labelled wrongly
        (b"br", b"hello"),  # not understood: as it came
    ],
)
def test_body_is_decompressed(transport, serve, coding, data):
    server = serve(raw(with_body(data, b"Content-Encoding: " + coding)))
    for _ in range(2):
        outcome = post(transport, server.url)
        assert (outcome.body, outcome.error_kind, outcome.truncated) == (b"hello", "", False)
    assert server.connections == 1


@pytest.mark.parametrize(
    ("data", "split"),
    [
        (gzip.compress(b"hello") + gzip.compress(b"more"), 30),
        (gzip.compress(b"hello") + gzip.compress(b"more"), len(gzip.compress(b"hello"))),
        (gzip.compress(b"hello") + b"junk", 5),
        (zlib_broken_after_hello(), len(zlib_broken_after_hello()) // 2),
    ],
)
def test_what_follows_a_compressed_body_is_dropped(transport, serve, data, split):
    body = b"%x\r\n%b\r\n%x\r\n%b\r\n0\r\n\r\n" % (
        split,
        data[:split],
        len(data) - split,
        data[split:],
    )
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n"
    outcome = post(transport, serve(raw(head + body)).url)
    assert (outcome.status_code, outcome.error_kind, outcome.truncated) == (200, "", True)
    assert outcome.body == b"hello"


def test_headers_of_10_mb_are_too_large(transport, serve):
    def behave(peer: Peer) -> None:
        peer.request()
        peer.send(b"HTTP/1.1 200 OK\r\n")
        for _ in range(1000):
            peer.send(b"X-Big: " + b"h" * 10_000 + b"\r\n")

    outcome = post(transport, serve(behave).url)
    assert outcome.error_kind == ErrorKind.TOO_LARGE
    assert outcome.status_code is None


@pytest.mark.parametrize(
    "head", [b"X-Endless: " + b"h" * 100_000, b"".join(b"X-%d: 1\r\n" % i for i in range(150))]
)
def test_headers_beyond_the_limits_are_too_large(transport, serve, head):
    outcome = post(transport, serve(raw(b"HTTP/1.1 200 OK\r\n" + head + b"\r\n\r\n")).url)
    assert outcome.error_kind == ErrorKind.TOO_LARGE


def test_flood_of_interim_answers_is_refused(transport, serve):
    def behave(peer: Peer) -> None:
        peer.request()
        while True:
            peer.send(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" * 10)

    outcome = post(transport, serve(behave).url)
    assert outcome.error_kind == ErrorKind.PROTOCOL
    assert "1xx" in outcome.error


def test_few_interim_answers_are_passed_over(transport, serve):
    server = serve(raw(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hi\r\nA: b\r\n\r\n" + OK))
    for _ in range(2):
        assert post(transport, server.url).body == b"ok"
    assert server.connections == 1


# Broken answers


@pytest.mark.parametrize(
    ("behave", "kind", "status", "words"),
    [
        (lambda p: p.request() and p.reset(), "protocol", None, "without an answer"),
        (lambda p: p.request(), "protocol", None, "without an answer"),
        (answering_once(b"SSH-2.0-OpenSSH_9.6 secret\r\n"), "protocol", None, "`SSH-2.0-OpenSSH_9.6`"),
        (answering_once(b"HTTP/2 200\r\n\r\n"), "protocol", None, "HTTP/2"),
        (answering_once(b"HTTP/1.1 OK\r\n\r\n"), "protocol", None, "status line"),
        (answering_once(b"HTTP/1.1 099 No\r\n\r\n"), "protocol", None, "status line"),
        (answering_once(b"\x00\xff\x80 \r\n\r\n"), "protocol", None, "begins with `???`"),
        (answering_once(b"HTTP/1.1 200 OK\r\nA: b\r\n"), "protocol", None, "answer's headers"),
        (answering_once(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"), "protocol", 200, "broke off"),
        (answering_once(b"HTTP/1.1 200 OK\r\nContent-Length: 3, 4\r\n\r\nabc"), "protocol", 200, "not a number"),
        (answering_once(b"HTTP/1.1 200 OK\r\nContent-Length: -3\r\n\r\nabc"), "protocol", 200, "not a number"),
        (
            answering_once(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\nabc"),
            "protocol", 200, "chunk without a size",
        ),
        (
            answering_once(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n"),
            "protocol", 200, "wrong length",
        ),
        (
            answering_once(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc"),
            "protocol", 200, "broke off",
        ),
        (
            answering_once(
                b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;" + b"e" * 9000 + b"\r\n"
            ),
            "protocol", 200, "chunk without end",
        ),
        (
            answering_once(
                b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n" + b"T: r\r\n" * 9000
            ),
            "too_large", 200, "trailer",
        ),
    ],
)  # fmt: skip
def test_broken_answer_is_told_in_words(transport, serve, behave, kind, status, words):
    server = serve(behave)
    outcome = post(transport, server.url)
    assert (outcome.error_kind, outcome.status_code) == (kind, status)
    assert words in outcome.error
    assert "secret" not in outcome.error
    assert outcome.request_sent
    assert server.connections == 1  # no second attempt behind the caller's back
    assert outcome.remote_address == f"127.0.0.1:{server.port}"


def test_body_that_broke_off_is_kept_as_far_as_it_came(transport, serve):
    server = serve(answering_once(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"))
    assert post(transport, server.url).body == b"abc"


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\n\r\nhello",  # until the end of the connection
        b"HTTP/1.0 200 OK\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nhello",
        b"HTTP/1.1 200 OK\nContent-Length: 5\n\nhello",
        b"HTTP/1.1 200\r\nContent-Length: 5, 5\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nContent-Length : 5\r\nnonsense\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nX-Fold: a\r\n  b\r\nContent-Length: 5\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n2;x=y\r\nhe\r\n3 \r\nllo\r\n0\r\nT: r\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    ],
)  # fmt: skip
def test_unusual_but_readable_answer_is_read(transport, serve, answer):
    outcome = post(transport, serve(answering_once(answer)).url)
    assert (outcome.status_code, outcome.body, outcome.error) == (200, b"hello", "")


def test_header_values_lose_line_breaks_and_nul(transport, serve):
    server = serve(
        raw(b"HTTP/1.1 200 OK\r\nX-A: a\0b\rc\r\nX-F: d\r\n\te\r\nContent-Length: 0\r\n\r\n")
    )
    headers = dict(post(transport, server.url).headers)
    assert (headers["X-A"], headers["X-F"]) == ("a b c", "d e")


def test_half_closed_receiver_still_answers(transport, serve):
    def behave(peer: Peer) -> None:
        peer.request()
        peer.send(b"HTTP/1.1 200 OK\r\n\r\nbye")
        peer.sock.shutdown(socket.SHUT_WR)
        peer.stall()

    assert post(transport, serve(behave).url).body == b"bye"


def test_early_answer_to_a_large_request_is_read(transport, serve):
    def behave(peer: Peer) -> None:
        peer.sock.recv(1000)
        peer.send(b"HTTP/1.1 413 Too Large\r\nConnection: close\r\nContent-Length: 3\r\n\r\nbig")
        peer.sock.shutdown(socket.SHUT_WR)
        while peer.sock.recv(65536):
            pass

    outcome = post(transport, serve(behave).url, body=b"x" * 3_000_000)
    assert (outcome.status_code, outcome.body) == (413, b"big")


def test_connection_reset_while_sending(transport, serve):
    def behave(peer: Peer) -> None:
        peer.sock.recv(1000)
        time.sleep(0.05)
        peer.reset()

    outcome = post(transport, serve(behave).url, body=b"x" * 30_000_000)
    assert outcome.error_kind == ErrorKind.PROTOCOL
    assert "while the request was being sent" in outcome.error


def test_no_answer_however_garbled_gets_out_of_hand():
    """Mutations of honest answers end in an answer or a fault, and read a bounded number of bytes."""
    seeds = [
        OK,
        with_body(gzip.compress(b"hello" * 50), b"Content-Encoding: gzip"),
        with_body(zlib.compress(b"hello" * 50), b"Content-Encoding: deflate"),
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nA: b\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.0 200 OK\r\nConnection: keep-alive\r\n\r\nhello",
    ]
    chance = random.Random(1)
    for _ in range(4000):
        data = bytearray(chance.choice(seeds))
        for _ in range(chance.randint(1, 6)):
            at = chance.randrange(len(data))
            data[at : at + chance.randint(0, 2)] = chance.choice(
                [
                    b"",
                    b"\r\n",
                    b"\n",
                    b":",
                    b"9999",
                    b"-1",
                    b"\x00",
                    b"\xff",
                    b";",
                    b" ",
                    b"HTTP/1.1",
                ]
            )
        pieces = [bytes(data[i : i + 7]) for i in range(0, len(data), 7)]
        reader = AnswerReader(lambda: pieces.pop(0) if pieces else b"", explain)  # noqa: B023
        try:
            answer = reader.read("POST")
        except Fault:
            continue
        assert len(answer.body) <= KEEP_BYTES
        assert 100 <= answer.status <= 999


def explain(error: OSError, stage: Stage) -> Fault:
    return fault_of(error, stage, "the receiver", 1.0)


# Connections


def test_connection_refused(transport):
    port = closed_port()
    outcome = post(transport, f"http://127.0.0.1:{port}/x")
    assert outcome.error_kind == ErrorKind.CONNECT
    assert outcome.error == f"Connection refused by 127.0.0.1:{port}. Is the receiver running?"
    assert (outcome.request_sent, outcome.remote_address) == (False, "")


def test_connections_are_kept_and_used_again(transport, serve):
    server = serve(answering(OK))
    for _ in range(10):
        assert post(transport, server.url).status_code == 200
    assert server.connections == 1


def test_threads_share_one_transport(transport, serve):
    server = serve(answering(OK))
    outcomes = []

    def work() -> None:
        outcomes.extend(post(transport, server.url, body=b"%d" % i) for i in range(25))

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [outcome.status_code for outcome in outcomes] == [200] * 200
    assert server.connections <= 8
    assert len(server.requests) == 200


def test_connection_closed_while_idle_is_replaced(transport, serve):
    server = serve(answering_once(OK))
    for count in (1, 2, 3):
        assert post(transport, server.url).status_code == 200
        assert server.connections == count
        wait_until_idle_ones_are_gone(transport)
    assert len(server.requests) == 3


def test_connection_that_dies_under_the_request_is_not_tried_again(transport, serve):
    def behave(peer: Peer) -> None:
        peer.request()
        peer.send(OK)
        peer.request()

    server = serve(behave)
    assert post(transport, server.url).status_code == 200
    outcome = post(transport, server.url)
    assert outcome.error_kind == ErrorKind.PROTOCOL
    assert "may have handled" in outcome.error
    assert (server.connections, len(server.requests)) == (1, 2)


def test_connection_that_takes_no_byte_is_replaced(transport, serve, monkeypatch):
    server = serve(answering(OK))
    post(transport, server.url)
    connection = next(iter(transport._idle._order))
    real = connection.sock

    class Dead:
        def settimeout(self, value): ...
        def send(self, data):
            raise BrokenPipeError

        def close(self):
            real.close()

        def fileno(self):
            return real.fileno()

    connection.sock = Dead()
    assert post(transport, server.url).status_code == 200
    assert server.connections == 2


@pytest.mark.parametrize("status", [b"204 No Content", b"304 Not Modified"])
def test_body_where_none_may_be_does_not_poison_the_next_answer(transport, serve, status):
    evil = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nEVIL"
    server = serve(answering(b"HTTP/1.1 " + status + b"\r\nContent-Length: 4\r\n\r\n" + evil, OK))
    first = post(transport, server.url)
    assert (first.status_code, first.body, first.error) == (int(status[:3]), b"", "")
    assert post(transport, server.url).body == b"ok"
    assert server.connections == 2


def test_late_bytes_do_not_poison_the_next_answer(transport, serve):
    evil = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nEVIL"

    def behave(peer: Peer) -> None:
        first = peer.server.connections == 1
        while peer.request() is not None:
            peer.send(OK)
            if first:
                time.sleep(0.05)
                peer.send(evil)

    server = serve(behave)
    assert post(transport, server.url).body == b"ok"
    wait_until_idle_ones_are_gone(transport)
    assert post(transport, server.url).body == b"ok"
    assert server.connections == 2


@pytest.mark.parametrize(
    ("answer", "connections"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 1),
        (b"HTTP/1.1 204 None\r\n\r\n", 1),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n", 1),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: Close\r\n\r\n", 2),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", 2),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\nConnection: keep-alive\r\n\r\n", 1),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nKeep-Alive: timeout=1\r\n\r\n", 2),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nKeep-Alive: timeout=60, max=9\r\n\r\n", 1),
        (b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\n", 2),
    ],
)
def test_connection_is_kept_when_the_answer_allows(transport, serve, answer, connections):
    server = serve(raw(answer))
    for _ in range(2):
        assert post(transport, server.url).error == ""
    assert server.connections == connections


def test_idle_connections_expire(transport, serve, monkeypatch):
    server = serve(answering(OK))
    post(transport, server.url)
    assert len(transport._idle) == 1
    now = time.monotonic()
    monkeypatch.setattr(client_room, "monotonic", lambda: now + 60)
    monkeypatch.setattr("webhooks.transport.idle.monotonic", lambda: now + 60)
    transport.sweep()
    assert len(transport._idle) == 0


def test_expired_connection_is_not_used(transport, serve):
    server = serve(answering(OK))
    post(transport, server.url)
    next(iter(transport._idle._order)).expires_at = 0.0
    post(transport, server.url)
    assert server.connections == 2


class Waiting:
    def __init__(self) -> None:
        self.expires_at = 0.0
        self.is_connected = True
        self.closed = False

    def close(self) -> None:
        self.closed = True


def test_idle_connections_are_bounded_for_each_origin_and_in_all():
    idle = IdleConnections(per_origin=2, total=3)
    one, two = IdleShelf(idle), IdleShelf(idle)
    a, b, c, d, e, f = (Waiting() for _ in range(6))
    for connection in (a, b, c):
        one.put(connection)
    assert [x.closed for x in (a, b, c)] == [True, False, False]
    two.put(d)
    two.put(e)
    assert [x.closed for x in (b, c, d, e)] == [True, False, False, False]
    assert len(idle) == 3
    assert one.take() is c
    assert one.take() is None
    idle.close()
    assert d.closed
    assert e.closed
    one.put(f)
    assert f.closed


def test_the_last_idle_connection_of_a_full_house_gives_way_to_its_own_shelf():
    idle = IdleConnections(per_origin=2, total=1)
    shelf = IdleShelf(idle)
    a, b = Waiting(), Waiting()
    shelf.put(a)
    shelf.put(b)
    assert a.closed
    assert shelf.take() is b


def test_close_closes_idle_connections_and_later_ones(serve):
    server = serve(answering(OK))
    transport = Transport(LOOPBACK)
    post(transport, server.url)
    transport.close()
    assert len(transport._idle) == 0
    post(transport, server.url)
    assert len(transport._idle) == 0


def test_pools_that_are_forgotten_close_their_connections(serve, monkeypatch):
    monkeypatch.setattr("webhooks.transport.pools.MAX_ORIGINS", 2)
    transport = Transport(LOOPBACK)
    for _ in range(4):
        post(transport, serve(answering(OK)).url)
    assert len(transport._idle) == 2


def test_ipv6_receiver(serve):
    try:
        server = serve(answering(OK), host="::1")
    except OSError:
        pytest.skip("no IPv6 on this machine")
    outcome = post(Transport(NetworkPolicy.from_settings(allowed_networks=["::1"])), server.url)
    assert outcome.status_code == 200
    assert outcome.remote_address == f"[::1]:{server.port}"
    assert b"Host: [::1]:%d\r\n" % server.port in server.requests[0]


# Names and addresses


def test_unknown_host(transport, monkeypatch):
    names(monkeypatch)
    outcome = post(transport, "http://exmaple.invalid/")
    assert outcome.error_kind == ErrorKind.DNS
    assert outcome.error == (
        "No address found for host `exmaple.invalid`. Check the spelling of the host name."
    )


def test_name_server_without_answer(transport, monkeypatch):
    names(monkeypatch, example_com=socket.gaierror(socket.EAI_AGAIN, "again"))
    assert "name server" in post(transport, "http://example.com/").error


def test_name_is_connected_to_the_address_that_was_judged(serve, monkeypatch):
    policy = NetworkPolicy.from_settings(allowed_networks=["127.0.0.2/32"])
    transport = Transport(policy)
    good = serve(answering(OK), host="127.0.0.2")
    asked = names(monkeypatch, rebind_example=[["127.0.0.2"], ["127.0.0.1"]])
    url = f"http://rebind.example:{good.port}/"
    outcome = post(transport, url)
    assert outcome.remote_address == f"127.0.0.2:{good.port}"
    assert b"Host: rebind.example:%d" % good.port in good.requests[0]
    assert asked == ["rebind.example"]  # asked once: judged and connected to are the same answer
    good.drop_clients()
    monkeypatch.setattr(resolver_room, "FRESH_S", 0.0)
    wait_until_idle_ones_are_gone(transport)
    outcome = post(transport, url)
    assert outcome.error_kind == ErrorKind.BLOCKED
    assert "127.0.0.1, a loopback address" in outcome.error
    assert len(good.requests) == 1


def test_name_with_one_private_answer_is_refused(serve, monkeypatch):
    policy = NetworkPolicy.from_settings(allowed_networks=["127.0.0.2/32"])
    server = serve(answering(OK), host="127.0.0.2")
    names(monkeypatch, mixed_example=["127.0.0.2", "10.0.0.5"])
    outcome = post(Transport(policy), f"http://mixed.example:{server.port}/")
    assert outcome.error_kind == ErrorKind.BLOCKED
    assert "10.0.0.5, a private network address (RFC 1918)" in outcome.error
    assert "OUTBOUND_ALLOWED_HOSTS" in outcome.error
    assert server.connections == 0


@pytest.mark.parametrize("address", ["::1", "fe80::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1"])
def test_name_with_refused_ipv6_answer_is_refused(transport, monkeypatch, address):
    names(monkeypatch, six_example=[address])
    assert post(transport, "http://six.example/").error_kind == ErrorKind.BLOCKED


def test_allowed_host_may_be_anywhere(serve, monkeypatch):
    server = serve(answering(OK))
    names(monkeypatch, inside_example=["127.0.0.1"])
    url = f"http://inside.example:{server.port}/"
    assert post(Transport(NetworkPolicy()), url).error_kind == ErrorKind.BLOCKED
    policy = NetworkPolicy(allowed_hosts=frozenset({"inside.example"}))
    assert post(Transport(policy), url).status_code == 200


def test_further_addresses_are_tried(transport, serve, monkeypatch):
    server = serve(answering(OK), host="127.0.0.3")
    names(monkeypatch, many_example=["127.0.0.1", "127.0.0.2", "127.0.0.3"])
    outcome = post(transport, f"http://many.example:{server.port}/")
    assert outcome.status_code == 200
    assert outcome.remote_address == f"127.0.0.3:{server.port}"


def test_answers_are_remembered_for_a_moment(transport, serve, monkeypatch):
    server = serve(answering(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"))
    asked = names(monkeypatch, often_example=["127.0.0.1"])
    for _ in range(3):
        assert post(transport, f"http://often.example:{server.port}/").status_code == 200
    assert (len(asked), server.connections) == (1, 3)


def test_waiting_requests_share_one_lookup(transport, monkeypatch):
    def slow():
        time.sleep(0.3)
        return ["10.1.2.3"]

    asked = names(monkeypatch, shared_example=slow)
    kinds = []
    threads = [
        threading.Thread(
            target=lambda: kinds.append(post(transport, "http://shared.example/").error_kind)
        )
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert kinds == [ErrorKind.BLOCKED] * 8
    assert len(asked) == 1


def test_resolver_forgets_old_names(monkeypatch):
    names(monkeypatch, a_example=["10.0.0.1"], b_example=["10.0.0.1"], c_example=["10.0.0.1"])
    monkeypatch.setattr(resolver_room, "MAX_NAMES", 2)
    transport = Transport(NetworkPolicy())
    for host in "abc":
        assert post(transport, f"http://{host}.example/").error_kind == ErrorKind.BLOCKED
    assert len(transport._adapter._resolver._names) == 2


@pytest.mark.parametrize(
    "url",
    [
        "http://10.0.0.5/",
        "http://[::1]/",
        "http://127.1/",
        "http://2130706433/",
        "http://localhost/",
    ],
)
def test_refused_url_opens_no_connection(url, monkeypatch):
    monkeypatch.setattr(socket, "socket", None)
    outcome = post(Transport(NetworkPolicy()), url)
    assert outcome.error_kind in (ErrorKind.BLOCKED, ErrorKind.INVALID)
    assert not outcome.request_sent


def test_words_never_quote_path_or_query():
    outcome = post(Transport(NetworkPolicy()), "http://10.0.0.5/T0/s3cret?key=s3cret")
    assert outcome.error == (
        "`http://10.0.0.5/` points to 10.0.0.5, a private network address (RFC 1918). Signalbox only"
        " sends to public addresses; an administrator can allow it in `OUTBOUND_ALLOWED_NETWORKS`."
    )


# TLS


def test_tls_checks_the_name_and_connects_to_the_judged_address(serve, authority, monkeypatch):
    server = serve(answering(OK), tls=authority.server_context("receiver.example"))
    names(monkeypatch, receiver_example=["127.0.0.1"])
    transport = Transport(LOOPBACK, ca_bundle=authority.file)
    for _ in range(3):
        outcome = post(transport, f"https://receiver.example:{server.port}/", body=b"x" * 100_000)
        assert (outcome.status_code, outcome.error) == (200, "")
        assert outcome.remote_address == f"127.0.0.1:{server.port}"
    assert server.connections == 1


def test_tls_without_trust_is_explained(serve, authority, monkeypatch):
    names(monkeypatch, receiver_example=["127.0.0.1"], other_example=["127.0.0.1"])
    server = serve(answering(OK), tls=authority.server_context("receiver.example"))
    old = serve(answering(OK), tls=authority.server_context("receiver.example", expired=True))
    trusting = Transport(LOOPBACK, ca_bundle=authority.file)
    cases = [
        (Transport(LOOPBACK), "receiver.example", server, "not trusted"),
        (trusting, "other.example", server, "another host name"),
        (trusting, "127.0.0.1", server, "IP address"),
        (trusting, "receiver.example", old, "has expired"),
    ]
    for transport, host, receiver, words in cases:
        outcome = post(transport, f"https://{host}:{receiver.port}/")
        assert outcome.error_kind == ErrorKind.TLS
        assert words in outcome.error
        assert not outcome.request_sent
    assert server.requests == []


def test_self_signed_certificate_is_explained_and_accepted_without_verification(serve, tmp_path):
    own = Authority(tmp_path, "receiver.example")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    key = tmp_path / "own.key"
    key.write_bytes(own.key_pem())
    context.load_cert_chain(own.file, key)
    server = serve(answering(OK), tls=context)
    transport = Transport(LOOPBACK)
    outcome = post(transport, server.url)
    assert outcome.error_kind == ErrorKind.TLS
    assert "self-signed" in outcome.error
    assert post(transport, server.url, verify_tls=False).status_code == 200
    # The connection made without verification is not lent to those who want it.
    assert post(transport, server.url).error_kind == ErrorKind.TLS


def test_plain_http_on_the_tls_port_is_explained(transport, serve):
    def behave(peer: Peer) -> None:
        peer.sock.recv(1000)
        peer.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    outcome = post(transport, serve(behave).url.replace("http:", "https:"))
    assert outcome.error_kind == ErrorKind.TLS
    assert "does not speak TLS" in outcome.error


def test_connection_closed_during_handshake_is_explained(transport, serve):
    outcome = post(transport, serve(lambda peer: peer.reset()).url.replace("http:", "https:"))
    # On a busy machine the reset may come before the handshake has begun.
    assert outcome.error_kind in (ErrorKind.TLS, ErrorKind.CONNECT)
    assert not outcome.request_sent


# In TLS 1.3 the refusal comes after our side is done; the reset behind it may overtake its words.
REFUSED = (ErrorKind.TLS, ErrorKind.PROTOCOL)


def client_cert(pem: str) -> ClientCertificate:
    return ClientCertificate(hashlib.sha256(pem.encode()).hexdigest(), pem)


def test_client_certificate(serve, authority):
    server = serve(answering(OK), tls=authority.demanding_context("127.0.0.1"))
    transport = Transport(LOOPBACK, ca_bundle=authority.file)
    assert post(transport, server.url).error_kind in REFUSED
    certificate = client_cert(authority.issue_pem("client"))
    assert post(transport, server.url, client_cert=certificate).status_code == 200
    # Nor is the connection made with the certificate lent to those without.
    assert post(transport, server.url).error_kind in REFUSED
    assert len(server.requests) == 1


def test_connections_of_one_client_certificate_are_not_lent_to_another(serve, authority, tmp_path):
    server = serve(answering(OK), tls=authority.demanding_context("127.0.0.1"))
    transport = Transport(LOOPBACK, ca_bundle=authority.file)
    first, second = (client_cert(authority.issue_pem(name)) for name in ("one", "two"))
    for certificate in (first, first, second):
        assert post(transport, server.url, client_cert=certificate).status_code == 200
    assert server.connections == 2
    (tmp_path / "other").mkdir()
    stranger = client_cert(Authority(tmp_path / "other", "Another").issue_pem("client"))
    assert post(transport, server.url, client_cert=stranger).error_kind in REFUSED


def test_client_certificate_does_not_follow_to_another_origin(serve, authority):
    inner = serve(answering(OK), tls=authority.demanding_context("127.0.0.1"))
    outer = serve(
        answering(redirect_to(inner.url, 307)), tls=authority.demanding_context("127.0.0.1")
    )
    transport = Transport(LOOPBACK, ca_bundle=authority.file)
    certificate = client_cert(authority.issue_pem("client"))
    outcome = post(transport, outer.url, client_cert=certificate, max_redirects=2)
    assert outcome.error_kind in REFUSED
    assert (len(outer.requests), len(inner.requests)) == (1, 0)


@pytest.mark.parametrize("has_memory_files", [True, False])
def test_client_certificate_leaves_no_file(
    serve, authority, tmp_path, monkeypatch, has_memory_files
):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "scratch"))
    (tmp_path / "scratch").mkdir()
    server = serve(answering(OK), tls=authority.demanding_context("127.0.0.1"))
    modes = []
    if not has_memory_files:
        load = ssl.SSLContext.load_cert_chain

        def watched(context, path, **kwargs):
            modes.append(Path(path).stat().st_mode & 0o777)
            return load(context, path, **kwargs)

        monkeypatch.setattr(ssl.SSLContext, "load_cert_chain", watched)
        monkeypatch.setattr(tls, "_memory_file", lambda: None)
    transport = Transport(LOOPBACK, ca_bundle=authority.file)
    certificate = client_cert(authority.issue_pem("client"))
    assert post(transport, server.url, client_cert=certificate).status_code == 200
    assert modes == ([] if has_memory_files else [0o600])
    assert list((tmp_path / "scratch").iterdir()) == []
    assert not any("client-certificate" in where(file) for file in Path("/proc/self/fd").iterdir())
    assert certificate.pem not in repr(certificate)


def where(link: Path) -> str:
    try:
        return str(link.readlink())
    except OSError:  # it is gone by now
        return ""


def test_contexts_of_client_certificates_are_bounded(authority):
    contexts = tls.TlsContexts()
    pem = authority.issue_pem("client")
    for number in range(tls.MAX_CONTEXTS + 3):
        certificate = ClientCertificate(f"digest {number}", pem)
        key = contexts.key(verify=True, client_cert=certificate)
        assert contexts.context(key, certificate) is contexts.context(key, certificate)
    assert len(contexts._contexts) == tls.MAX_CONTEXTS


def test_unusable_client_certificate_is_explained(transport, authority):
    for pem in (
        "",
        "not a certificate",
        authority.issue_pem("client").partition("-----BEGIN P")[0],
    ):
        outcome = post(transport, "https://127.0.0.1:1/", client_cert=client_cert(pem))
        assert outcome.error_kind == ErrorKind.TLS
        assert "The client certificate cannot be used" in outcome.error
        assert not outcome.request_sent


# Redirects


def redirect_to(location: str, status: int = 302) -> bytes:
    return b"HTTP/1.1 %d Moved\r\nLocation: %b\r\nContent-Length: 0\r\n\r\n" % (
        status,
        location.encode(),
    )


def test_redirect_is_an_ordinary_answer(transport, serve):
    server = serve(answering(redirect_to("http://127.0.0.1:1/")))
    outcome = post(transport, server.url)
    assert (outcome.status_code, outcome.error_kind) == (302, "")
    assert len(server.requests) == 1


def test_redirect_to_private_address_is_refused_and_not_connected(serve):
    inner = serve(answering(OK))
    policy = NetworkPolicy.from_settings(allowed_networks=["127.0.0.2/32"])
    server = serve(answering(redirect_to(inner.url)), host="127.0.0.2")
    outcome = post(Transport(policy), server.url, max_redirects=3)
    assert (outcome.error_kind, outcome.status_code) == (ErrorKind.BLOCKED, 302)
    assert "redirected (302)" in outcome.error
    assert "loopback" in outcome.error
    assert inner.connections == 0


@pytest.mark.parametrize(
    ("status", "request_line", "body"),
    [
        (301, b"GET /next HTTP/1.1", b""),
        (302, b"GET /next HTTP/1.1", b""),
        (303, b"GET /next HTTP/1.1", b""),
        (307, b"POST /next HTTP/1.1", b"{}"),
        (308, b"POST /next HTTP/1.1", b"{}"),
    ],
)
def test_redirect_rules(transport, serve, status, request_line, body):
    server = serve(answering(redirect_to("/next", status), OK))
    headers = [("Content-Type", "text/plain"), ("Authorization", "x"), ("Accept", "*/*")]
    assert post(transport, server.url, max_redirects=1, headers=headers).body == b"ok"
    second = server.requests[1]
    assert second.startswith(request_line)
    assert second.partition(b"\r\n\r\n")[2] == body
    assert (b"Content-Type" in second) == bool(body)
    assert b"Authorization: x" in second  # still the same origin


def test_put_stays_put_on_302_but_not_on_303(transport, serve):
    server = serve(answering(redirect_to("/a"), redirect_to("/b", 303), OK))
    post(transport, server.url, method="PUT", max_redirects=2)
    assert [request.split()[0] for request in server.requests] == [b"PUT", b"PUT", b"GET"]


def test_secrets_do_not_follow_to_another_origin(transport, serve):
    other = serve(answering(OK))
    server = serve(answering(redirect_to(other.url, 307)))
    headers = [
        ("Authorization", "Bearer s3cret"),
        ("Cookie", "s3cret"),
        ("webhook-signature", "s3cret"),
        ("X-Hub-Signature-256", "s3cret"),
        ("X-Api-Key", "s3cret"),
        ("X-Marked", "s3cret"),
        ("X-Plain", "kept"),
    ]
    marked = frozenset({"x-marked"})
    post(transport, server.url, headers=headers, max_redirects=1, sensitive_headers=marked)
    assert b"s3cret" in server.requests[0]
    assert b"s3cret" not in other.requests[0]
    assert b"X-Plain: kept" in other.requests[0]
    assert other.requests[0].endswith(b"{}")


@pytest.mark.parametrize("status", [307, 308])
def test_a_body_with_a_secret_is_not_sent_on_to_another_origin(transport, serve, status):
    other = serve(answering(OK))
    server = serve(answering(redirect_to(other.url, status)))
    outcome = post(transport, server.url, max_redirects=1, sensitive_body=True)
    assert (outcome.error_kind, outcome.status_code) == ("blocked", status)
    assert "holds a secret" in outcome.error
    assert other.requests == []


def test_a_body_with_a_secret_is_sent_on_within_its_origin(transport, serve):
    server = serve(answering(redirect_to("/next", 307), OK))
    assert post(transport, server.url, max_redirects=1, sensitive_body=True).status_code == 200


def test_too_many_redirects(transport, serve):
    server = serve(answering(redirect_to("/again")))
    outcome = post(transport, server.url, max_redirects=3)
    assert (outcome.error_kind, outcome.status_code) == (ErrorKind.PROTOCOL, 302)
    assert "more than 3" in outcome.error
    assert len(server.requests) == 4


@pytest.mark.parametrize(
    ("location", "kind"),
    [
        ("ftp://127.0.0.1/", "invalid"),
        ("http://user:pw@127.0.0.1/", "invalid"),
        ("http://[::1", "protocol"),
        ("\\\\evil", "invalid"),
    ],
)
def test_unusable_location_is_told(transport, serve, location, kind):
    outcome = post(transport, serve(answering(redirect_to(location))).url, max_redirects=3)
    assert (outcome.error_kind, outcome.status_code) == (kind, 302)


def test_location_with_spaces_and_utf8(transport, serve):
    server = serve(answering(redirect_to("/ä b"), OK))
    assert post(transport, server.url, max_redirects=1).status_code == 200
    assert server.requests[1].startswith(b"GET /%C3%A4%20b HTTP/1.1")


# Proxies


def test_environment_proxies_are_not_used(transport, serve, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    assert post(transport, serve(answering(OK)).url).status_code == 200


def test_plain_request_through_a_proxy(serve):
    proxy = serve(answering(OK))
    transport = Transport(NetworkPolicy(), proxy=f"http://us%40er:pw@127.0.0.1:{proxy.port}")
    outcome = post(transport, "http://receiver.example/x?y=1")
    assert outcome.status_code == 200
    lines = proxy.requests[0].split(b"\r\n")
    assert lines[0] == b"POST http://receiver.example/x?y=1 HTTP/1.1"
    assert lines[1] == b"Host: receiver.example"
    assert b"Proxy-Authorization: Basic dXNAZXI6cHc=" in lines
    assert post(transport, "http://10.0.0.1/").error_kind == ErrorKind.BLOCKED


def test_tls_through_a_proxy(serve, authority):
    context = authority.server_context("receiver.example")

    def behave(peer: Peer) -> None:
        peer.request()
        peer.send(b"HTTP/1.1 200 Connection established\r\n\r\n")
        peer.sock = context.wrap_socket(peer.sock, server_side=True)
        answering(OK)(peer)

    proxy = serve(behave)
    transport = Transport(
        NetworkPolicy(), proxy=f"http://127.0.0.1:{proxy.port}", ca_bundle=authority.file
    )
    outcome = post(transport, "https://receiver.example/x")
    assert (outcome.status_code, outcome.error) == (200, "")
    assert proxy.requests[0].startswith(b"CONNECT receiver.example:443 HTTP/1.1\r\n")
    assert proxy.requests[1].startswith(b"POST /x HTTP/1.1\r\n")


def test_proxy_that_refuses_is_explained(serve):
    proxy = serve(answering(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"))
    transport = Transport(NetworkPolicy(), proxy=f"http://127.0.0.1:{proxy.port}")
    outcome = post(transport, "https://receiver.example/x")
    assert outcome.error_kind == ErrorKind.CONNECT
    assert "403" in outcome.error
    assert not outcome.request_sent


def test_unusable_proxy_is_refused_at_once():
    with pytest.raises(ValueError, match="proxy"):
        Transport(NetworkPolicy(), proxy="socks5://127.0.0.1:1080")


# Words


@pytest.mark.parametrize(
    ("error", "stage", "kind", "words"),
    [
        (OSError(errno.ENETUNREACH, "unreachable"), Stage.CONNECT, "connect", "unreachable from here"),
        (OSError(errno.EMFILE, "files"), Stage.CONNECT, "connect", "too many open files"),
        (OSError(errno.EPERM, "Not permitted"), Stage.CONNECT, "connect", "failed: Not permitted."),
        (ConnectionResetError(), Stage.CONNECT, "connect", "closed at once"),
        (ssl.SSLEOFError(), Stage.ANSWER, "protocol", "without an answer"),
        (ssl.SSLEOFError(), Stage.TLS, "tls", "TLS with the receiver failed"),
        (tls_error("TLSV13_ALERT_CERTIFICATE_REQUIRED"), Stage.ANSWER, "tls", "asks for a client"),
        (tls_error("SSLV3_ALERT_HANDSHAKE_FAILURE"), Stage.ANSWER, "tls", "asks for a client"),
        (tls_error("SSLV3_ALERT_HANDSHAKE_FAILURE"), Stage.TLS, "tls", "alert handshake failure"),
        (tls_error("TLSV1_ALERT_UNKNOWN_CA"), Stage.ANSWER, "tls", "did not accept our client"),
    ],
)  # fmt: skip
def test_faults_in_words(error, stage, kind, words):
    fault = fault_of(error, stage, "the receiver", 1.0)
    assert fault.kind == kind
    assert words in fault.words


def test_lookups_are_bounded(monkeypatch):
    monkeypatch.setattr(resolver_room, "MAX_LOOKUPS", 0)
    asked = names(monkeypatch, example_com=["10.0.0.1"])
    outcome = post(Transport(NetworkPolicy()), "http://example.com/", timeout_s=0.1)
    assert outcome.error_kind == ErrorKind.DNS
    assert asked == []


# Together with the `responses` library


@responses.activate
@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (requests.ConnectTimeout("late"), ErrorKind.TIMEOUT),
        (requests.ReadTimeout("late"), ErrorKind.TIMEOUT),
        (requests.exceptions.SSLError("no trust"), ErrorKind.TLS),
        (requests.ConnectionError("refused"), ErrorKind.CONNECT),
        (requests.exceptions.ContentDecodingError("garbled"), ErrorKind.PROTOCOL),
    ],
)
def test_errors_of_requests_itself_are_told(transport, error, kind):
    responses.post("http://receiver.example/x", body=error)
    outcome = post(transport, "http://receiver.example/x")
    assert (outcome.error_kind, outcome.error) == (kind, str(error))


@responses.activate
def test_long_answer_of_the_responses_library_is_cut(transport):
    responses.post("http://receiver.example/x", body=b"x" * (KEEP_BYTES + 1))
    outcome = post(transport, "http://receiver.example/x")
    assert (len(outcome.body), outcome.truncated) == (KEEP_BYTES, True)


@responses.activate
def test_requests_can_be_answered_by_the_responses_library(transport):
    responses.post("http://receiver.example/x", json={"a": 1}, status=201)
    outcome = post(transport, "http://receiver.example/x", headers=[("X-A", "b")])
    assert (outcome.status_code, outcome.body) == (201, b'{"a": 1}')
    assert ("Content-Type", "application/json") in outcome.headers
    assert responses.calls[0].request.headers["x-a"] == "b"
    assert responses.calls[0].request.body == b"{}"
    unknown = post(transport, "http://receiver.example/other")
    assert unknown.error_kind == ErrorKind.CONNECT


def test_receivers_listen_only_on_loopback():
    server = HostileServer(answering(OK))
    assert server._listener.getsockname()[0] == "127.0.0.1"
    server.stop()
