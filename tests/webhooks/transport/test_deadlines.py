"""The deadline is for the whole exchange, whatever the receiver does."""

import time

import pytest

from tests.webhooks.hostile import OK, HostileServer, Peer, answering, silent_listener
from tests.webhooks.transport.sending import LOOPBACK, names, post
from webhooks.transport import ErrorKind, Outcome, Transport


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
