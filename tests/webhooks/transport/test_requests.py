"""What goes out arrives as it was given, and what can't be sent is told."""

import time

import pytest

from tests.webhooks.hostile import OK, answering
from tests.webhooks.transport.sending import post, raw
from webhooks.headers import SIGNING_HEADERS, check_headers
from webhooks.transport import ErrorKind


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
