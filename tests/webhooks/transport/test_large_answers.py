"""Answers beyond measure are cut, and cost no more memory than what is kept."""

import gzip
import time
import tracemalloc
import zlib

import pytest

from tests.webhooks.hostile import OK, Peer, answering, gzip_bomb
from tests.webhooks.transport.sending import post, raw, with_body
from webhooks.transport import KEEP_BYTES, ErrorKind


def zlib_broken_after_hello() -> bytes:
    compressor = zlib.compressobj(9, zlib.DEFLATED, 31)
    good = compressor.compress(b"hello") + compressor.flush(zlib.Z_FULL_FLUSH)
    return good + b"\xff" * len(good)


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
