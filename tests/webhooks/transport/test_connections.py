"""Connections are kept, shared, bounded, and never poison the next answer."""

import threading
import time

import pytest

from tests.webhooks.hostile import OK, Peer, answering, answering_once, closed_port
from tests.webhooks.transport.sending import LOOPBACK, post, raw, wait_until_idle_ones_are_gone
from webhooks.addresses import NetworkPolicy
from webhooks.transport import ErrorKind, Transport
from webhooks.transport import client as client_room
from webhooks.transport.idle import IdleConnections, IdleShelf


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
