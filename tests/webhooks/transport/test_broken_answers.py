"""Broken and unusual answers are read as far as they go, and told in words."""

import gzip
import random
import socket
import time
import zlib

import pytest

from tests.webhooks.hostile import OK, Peer, answering_once
from tests.webhooks.transport.sending import post, raw, with_body
from webhooks.transport import KEEP_BYTES, ErrorKind
from webhooks.transport.answers import AnswerReader
from webhooks.transport.faults import Stage, fault_of
from webhooks.transport.outcome import Fault


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
