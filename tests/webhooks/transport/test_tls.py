"""TLS: who is trusted, what is explained, and client certificates."""

import hashlib
import ssl
import tempfile
from pathlib import Path

import pytest

from tests.webhooks.hostile import OK, Authority, Peer, answering
from tests.webhooks.transport.sending import LOOPBACK, names, post, redirect_to
from webhooks.transport import ClientCertificate, ErrorKind, Transport, tls


def test_tls_checks_the_name_and_connects_to_the_judged_address(serve, authority, monkeypatch):
    server = serve(answering(OK), tls=authority.server_context("receiver.example"))
    names(monkeypatch, receiver_example=["127.0.0.1"])
    transport = Transport(LOOPBACK, ca_bundle=authority.file)
    for _ in range(3):
        outcome = post(transport, f"https://receiver.example:{server.port}/", body=b"x" * 100_000)
        assert (outcome.status_code, outcome.error) == (200, "")
        assert outcome.remote_address == f"127.0.0.1:{server.port}"
    assert server.connections == 1


def test_tls_without_trust_is_explained(serve, authority, monkeypatch):
    names(monkeypatch, receiver_example=["127.0.0.1"], other_example=["127.0.0.1"])
    server = serve(answering(OK), tls=authority.server_context("receiver.example"))
    old = serve(answering(OK), tls=authority.server_context("receiver.example", expired=True))
    trusting = Transport(LOOPBACK, ca_bundle=authority.file)
    cases = [
        (Transport(LOOPBACK), "receiver.example", server, "not trusted"),
        (trusting, "other.example", server, "another host name"),
        (trusting, "127.0.0.1", server, "IP address"),
        (trusting, "receiver.example", old, "has expired"),
    ]
    for transport, host, receiver, words in cases:
        outcome = post(transport, f"https://{host}:{receiver.port}/")
        assert outcome.error_kind == ErrorKind.TLS
        assert words in outcome.error
        assert not outcome.request_sent
    assert server.requests == []


def test_self_signed_certificate_is_explained_and_accepted_without_verification(serve, tmp_path):
    own = Authority(tmp_path, "receiver.example")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    key = tmp_path / "own.key"
    key.write_bytes(own.key_pem())
    context.load_cert_chain(own.file, key)
    server = serve(answering(OK), tls=context)
    transport = Transport(LOOPBACK)
    outcome = post(transport, server.url)
    assert outcome.error_kind == ErrorKind.TLS
    assert "self-signed" in outcome.error
    assert post(transport, server.url, verify_tls=False).status_code == 200
    # The connection made without verification is not lent to those who want it.
    assert post(transport, server.url).error_kind == ErrorKind.TLS


def test_plain_http_on_the_tls_port_is_explained(transport, serve):
    def behave(peer: Peer) -> None:
        peer.sock.recv(1000)
        peer.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    outcome = post(transport, serve(behave).url.replace("http:", "https:"))
    assert outcome.error_kind == ErrorKind.TLS
    assert "does not speak TLS" in outcome.error


def test_connection_closed_during_handshake_is_explained(transport, serve):
    outcome = post(transport, serve(lambda peer: peer.reset()).url.replace("http:", "https:"))
    # On a busy machine the reset may come before the handshake has begun.
    assert outcome.error_kind in (ErrorKind.TLS, ErrorKind.CONNECT)
    assert not outcome.request_sent


# In TLS 1.3 the refusal comes after our side is done; the reset behind it may overtake its words.
REFUSED = (ErrorKind.TLS, ErrorKind.PROTOCOL)


def client_cert(pem: str) -> ClientCertificate:
    return ClientCertificate(hashlib.sha256(pem.encode()).hexdigest(), pem)


def test_client_certificate(serve, authority):
    server = serve(answering(OK), tls=authority.demanding_context("127.0.0.1"))
    transport = Transport(LOOPBACK, ca_bundle=authority.file)
    assert post(transport, server.url).error_kind in REFUSED
    certificate = client_cert(authority.issue_pem("client"))
    assert post(transport, server.url, client_cert=certificate).status_code == 200
    # Nor is the connection made with the certificate lent to those without.
    assert post(transport, server.url).error_kind in REFUSED
    assert len(server.requests) == 1


def test_connections_of_one_client_certificate_are_not_lent_to_another(serve, authority, tmp_path):
    server = serve(answering(OK), tls=authority.demanding_context("127.0.0.1"))
    transport = Transport(LOOPBACK, ca_bundle=authority.file)
    first, second = (client_cert(authority.issue_pem(name)) for name in ("one", "two"))
    for certificate in (first, first, second):
        assert post(transport, server.url, client_cert=certificate).status_code == 200
    assert server.connections == 2
    (tmp_path / "other").mkdir()
    stranger = client_cert(Authority(tmp_path / "other", "Another").issue_pem("client"))
    assert post(transport, server.url, client_cert=stranger).error_kind in REFUSED


def test_client_certificate_does_not_follow_to_another_origin(serve, authority):
    inner = serve(answering(OK), tls=authority.demanding_context("127.0.0.1"))
    outer = serve(
        answering(redirect_to(inner.url, 307)), tls=authority.demanding_context("127.0.0.1")
    )
    transport = Transport(LOOPBACK, ca_bundle=authority.file)
    certificate = client_cert(authority.issue_pem("client"))
    outcome = post(transport, outer.url, client_cert=certificate, max_redirects=2)
    assert outcome.error_kind in REFUSED
    assert (len(outer.requests), len(inner.requests)) == (1, 0)


@pytest.mark.parametrize("has_memory_files", [True, False])
def test_client_certificate_leaves_no_file(
    serve, authority, tmp_path, monkeypatch, has_memory_files
):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "scratch"))
    (tmp_path / "scratch").mkdir()
    server = serve(answering(OK), tls=authority.demanding_context("127.0.0.1"))
    modes = []
    if not has_memory_files:
        load = ssl.SSLContext.load_cert_chain

        def watched(context, path, **kwargs):
            modes.append(Path(path).stat().st_mode & 0o777)
            return load(context, path, **kwargs)

        monkeypatch.setattr(ssl.SSLContext, "load_cert_chain", watched)
        monkeypatch.setattr(tls, "_memory_file", lambda: None)
    transport = Transport(LOOPBACK, ca_bundle=authority.file)
    certificate = client_cert(authority.issue_pem("client"))
    assert post(transport, server.url, client_cert=certificate).status_code == 200
    assert modes == ([] if has_memory_files else [0o600])
    assert list((tmp_path / "scratch").iterdir()) == []
    assert not any("client-certificate" in where(file) for file in Path("/proc/self/fd").iterdir())
    assert certificate.pem not in repr(certificate)


def where(link: Path) -> str:
    try:
        return str(link.readlink())
    except OSError:  # it is gone by now
        return ""


def test_contexts_of_client_certificates_are_bounded(authority):
    contexts = tls.TlsContexts()
    pem = authority.issue_pem("client")
    for number in range(tls.MAX_CONTEXTS + 3):
        certificate = ClientCertificate(f"digest {number}", pem)
        key = contexts.key(verify=True, client_cert=certificate)
        assert contexts.context(key, certificate) is contexts.context(key, certificate)
    assert len(contexts._contexts) == tls.MAX_CONTEXTS


def test_unusable_client_certificate_is_explained(transport, authority):
    for pem in (
        "",
        "not a certificate",
        authority.issue_pem("client").partition("-----BEGIN P")[0],
    ):
        outcome = post(transport, "https://127.0.0.1:1/", client_cert=client_cert(pem))
        assert outcome.error_kind == ErrorKind.TLS
        assert "The client certificate cannot be used" in outcome.error
        assert not outcome.request_sent
