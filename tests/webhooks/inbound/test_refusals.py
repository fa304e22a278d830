"""What is not taken is refused with its reason, and the log of it is bounded."""

import hashlib
import hmac
from datetime import timedelta

import pytest
import time_machine

from records.models import Event
from tests.webhooks.inbound.making import make_endpoint, send
from webhooks.inbound import logbook
from webhooks.inbound.endpoints import forget_endpoints, rotate_token
from webhooks.models import RequestLog, Secret
from webhooks.secret_services import create_secret

pytestmark = pytest.mark.django_db

KEY = "a-secret-of-some-length-0123456789"


@pytest.fixture
def secret():
    return create_secret(name="hub", kind="text", value=KEY)


@pytest.mark.parametrize(
    ("values", "sent", "status", "kind"),
    [
        ({"is_active": False}, {}, 503, "off"),
        ({}, {"method": "PUT"}, 405, "method"),
        ({}, {"method": "GET"}, 405, "method"),
        ({"allowed_networks": "192.0.2.0/24"}, {}, 403, "unverified"),
        ({"allowed_networks": "nonsense"}, {}, 403, "unverified"),
        ({"scheme": "bearer"}, {}, 401, "unverified"),
        ({"scheme": "bearer", "scheme_secrets": {"key": "gone"}}, {}, 401, "unverified"),
        ({"scheme": "no such scheme"}, {}, 401, "unverified"),
        ({"content_types": ["application/xml"]}, {}, 415, "media_type"),
        ({"max_body_bytes": 3}, {}, 413, "too_large"),
        ({}, {"body": b"{"}, 400, "malformed"),
        ({}, {"body": b"[" * 40 + b"]" * 40}, 413, "too_large"),
        ({}, {"body": b"x", "headers": {"content-encoding": "br"}}, 415, "media_type"),
        ({}, {"body": b"x", "headers": {"content-encoding": "gzip"}}, 400, "malformed"),
        ({}, {"headers": {"signalbox-depth": "99"}}, 508, "loop"),
        ({}, {"query": "?" + "a&" * 1001}, 413, "too_large"),
        ({"origins": ["https://a.example"]}, {"headers": {"origin": "null"}}, 403, "origin"),
    ],
)
def test_refused_and_logged_with_the_reason(client, values, sent, status, kind):
    answer = send(client, make_endpoint(**values), **sent)
    assert answer.status_code == status
    assert answer.json()["error"]
    row = RequestLog.objects.get()
    assert (row.status_code, row.error_kind, bool(row.error)) == (status, kind, True)
    assert not Event.objects.exists()


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("path", "sets off an automation. It takes POST, PUT, not GET. Send the data"),
        (
            "test_url",
            "what the draft would do about a request and does nothing. It takes POST, PUT",
        ),
    ],
)
def test_a_method_that_is_not_taken_is_told_what_to_send(client, address, words):
    endpoint = make_endpoint(methods=["POST", "PUT"])
    answer = client.get("/api" + getattr(endpoint, address).partition("/api")[2])
    assert (answer.status_code, answer["Allow"]) == (405, "POST, PUT")
    assert answer["Content-Type"] == "application/json"
    assert words in answer.json()["error"]
    assert answer.json()["methods"] == ["POST", "PUT"]


def test_other_methods_can_be_allowed(client):
    endpoint = make_endpoint(methods=["GET", "PUT"])
    assert send(client, endpoint, method="PUT").status_code == 202
    assert send(client, endpoint, method="GET", body=b"").status_code == 202
    answer = send(client, endpoint)
    assert (answer.status_code, answer["Allow"]) == (405, "GET, PUT")


def test_a_signature_decides(client, secret):
    endpoint = make_endpoint(scheme="github", scheme_secrets={"key": "hub"})
    signature = "sha256=" + hmac.new(KEY.encode(), b"{}", hashlib.sha256).hexdigest()
    headers = {"x-hub-signature-256": signature, "x-github-delivery": "7"}
    assert send(client, endpoint, body=b"{}", headers=headers).status_code == 202
    assert send(client, endpoint, body=b"{} ", headers=headers).status_code == 401
    row = RequestLog.objects.exclude(error_kind="").get()
    assert KEY not in row.error
    assert send(client, endpoint, body=b"{}", headers=headers).status_code == 202
    assert Event.objects.count() == 1


def test_a_secret_that_is_gone_lets_nothing_in(client, secret):
    endpoint = make_endpoint(scheme="bearer", scheme_secrets={"key": "hub"})
    headers = {"authorization": f"Bearer {KEY}"}
    assert send(client, endpoint, headers=headers).status_code == 202
    Secret.objects.all().delete()
    from webhooks.vault import forget_keyring

    forget_keyring()
    assert send(client, endpoint, headers=headers).status_code == 401


def test_a_key_in_a_header_of_any_name_is_not_stored(client, secret):
    settings = {"header": "X-Shop"}
    endpoint = make_endpoint(
        scheme="api_key", scheme_settings=settings, scheme_secrets={"key": "hub"}
    )
    wrong = "nearly-the-secret-0123456789"
    assert send(client, endpoint, headers={"x-shop": KEY}).status_code == 202
    assert send(client, endpoint, headers={"x-shop": wrong}).status_code == 401
    stored = repr(list(RequestLog.objects.values())) + repr(list(Event.objects.values()))
    assert KEY not in stored
    assert wrong not in stored


def test_slack_is_told_its_challenge_and_nothing_runs(client, secret):
    endpoint = make_endpoint(scheme="slack", scheme_secrets={"key": "hub"})
    body = b'{"type":"url_verification","challenge":"c4"}'
    with time_machine.travel(1_700_000_000, tick=False):
        message = b"v0:1700000000:" + body
        headers = {
            "x-slack-request-timestamp": "1700000000",
            "x-slack-signature": "v0="
            + hmac.new(KEY.encode(), message, hashlib.sha256).hexdigest(),
        }
        answer = send(client, endpoint, body=body, headers=headers)
    assert (answer.status_code, b"c4" in answer.content) == (200, True)
    assert RequestLog.objects.get().error_kind == "challenge"
    assert not Event.objects.exists()


def test_who_sends_too_much_is_told_when_to_come_again(client):
    endpoint = make_endpoint(per_address_per_minute=2)
    answers = [send(client, endpoint) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [202, 202, 429]
    assert int(answers[2]["Retry-After"]) >= 1
    other = send(client, endpoint, REMOTE_ADDR="192.0.2.9")
    assert other.status_code == 202


def test_a_flood_does_not_fill_the_log(client, monkeypatch):
    monkeypatch.setattr(logbook, "REFUSED_PER_MINUTE", 5)
    endpoint = make_endpoint(scheme="bearer")
    for _ in range(20):
        assert send(client, endpoint).status_code == 401
    assert RequestLog.objects.count() == 5
    logbook._buckets.clear()
    send(client, endpoint)
    assert "15 more were refused before it" in RequestLog.objects.first().error


def test_only_the_latest_refusals_are_kept(client, monkeypatch):
    monkeypatch.setattr(logbook, "KEEP_REFUSED", 3)
    monkeypatch.setattr(logbook, "_CLEAR_EVERY", 1)
    endpoint = make_endpoint()
    send(client, endpoint)
    for _ in range(6):
        send(client, endpoint, body=b"{")
    assert RequestLog.objects.exclude(error_kind="").count() == 3
    assert RequestLog.objects.filter(error_kind="").count() == 1


def test_of_a_refused_body_the_beginning_is_kept(client):
    send(client, make_endpoint(), body=b"{" + b"x" * 10_000)
    row = RequestLog.objects.get()
    assert (len(row.request_body), row.request_truncated) == (4096, True)


def test_after_a_rotation_the_old_address_is_good_for_a_while(client):
    endpoint = make_endpoint()
    old = endpoint.path
    with time_machine.travel("2026-01-01T10:00:00Z", tick=False) as clock:
        new = rotate_token(endpoint=endpoint, grace=timedelta(hours=1))
        assert new.path != old
        assert [send(client, new, path=path).status_code for path in (old, new.path)] == [202, 202]
        clock.shift(timedelta(hours=2))
        forget_endpoints()
        assert [send(client, new, path=path).status_code for path in (old, new.path)] == [404, 202]


def test_a_rotation_without_grace_ends_the_old_address(client):
    endpoint = make_endpoint()
    old = endpoint.path
    rotate_token(
        endpoint=rotate_token(endpoint=endpoint, grace=timedelta(hours=1)), grace=timedelta(0)
    )
    assert send(client, endpoint, path=old).status_code == 404
