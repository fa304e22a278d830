"""Requests through a proxy, and none from the environment."""

import pytest

from tests.webhooks.hostile import OK, Peer, answering
from tests.webhooks.transport.sending import post
from webhooks.addresses import NetworkPolicy
from webhooks.transport import ErrorKind, Transport


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
