"""Redirects: what is followed, with what, and what stays behind."""

import pytest

from tests.webhooks.hostile import OK, answering
from tests.webhooks.transport.sending import post, redirect_to
from webhooks.addresses import NetworkPolicy
from webhooks.transport import ErrorKind, Transport


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
