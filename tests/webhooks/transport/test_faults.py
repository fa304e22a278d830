"""Faults in words, also those of the libraries below."""

import errno
import ssl

import pytest
import requests
import responses

from tests.webhooks.hostile import OK, HostileServer, answering
from tests.webhooks.transport.sending import names, post
from webhooks.addresses import NetworkPolicy
from webhooks.transport import KEEP_BYTES, ErrorKind, Transport
from webhooks.transport import resolver as resolver_room
from webhooks.transport.faults import Stage, fault_of


def tls_error(reason: str) -> ssl.SSLError:
    error = ssl.SSLError(1, reason)
    error.reason = reason
    return error


# --- Words -------------------------------------------------------------------------------------


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


# --- Together with the `responses` library -----------------------------------------------------


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
