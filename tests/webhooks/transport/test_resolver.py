"""Names are resolved once, judged, and connected to as they were judged."""

import socket
import threading
import time

import pytest

from tests.webhooks.hostile import OK, answering
from tests.webhooks.transport.sending import names, post, wait_until_idle_ones_are_gone
from webhooks.addresses import NetworkPolicy
from webhooks.transport import ErrorKind, Transport
from webhooks.transport import resolver as resolver_room


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
