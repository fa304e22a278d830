"""TLS contexts: one for each way of trusting and each client certificate."""

import os
import ssl
import tempfile
import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import certifi

from webhooks.transport.outcome import ClientCertificate, ErrorKind, Fault

MAX_CONTEXTS = 32

# Whether to verify, and the digest of the client certificate or "".
ContextKey = tuple[bool, str]


class TlsContexts:
    """Builds contexts and keeps the latest. Thread-safe. `ca_bundle`: file of trusted authorities
    (PEM); certifi's when not given."""

    def __init__(self, ca_bundle: str | None = None) -> None:
        self._ca_bundle = ca_bundle or certifi.where()
        self._lock = threading.Lock()
        self._contexts: OrderedDict[ContextKey, ssl.SSLContext] = OrderedDict()

    def key(self, *, verify: bool, client_cert: ClientCertificate | None) -> ContextKey:
        """Names a context."""
        return verify, client_cert.digest if client_cert else ""

    def context(self, key: ContextKey, client_cert: ClientCertificate | None) -> ssl.SSLContext:
        """The context of that name. Raises Fault when the certificate cannot be used."""
        with self._lock:
            context = self._contexts.get(key)
            if context is None:
                context = self._contexts[key] = self._build(key[0], client_cert)
                if len(self._contexts) > MAX_CONTEXTS:
                    self._contexts.popitem(last=False)
            else:
                self._contexts.move_to_end(key)
            return context

    def _build(self, verify: bool, client_cert: ClientCertificate | None) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=self._ca_bundle)
        context.set_alpn_protocols(["http/1.1"])
        if not verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        if client_cert is not None:
            _load(context, client_cert)
        return context


def check_client_cert(client_cert: ClientCertificate) -> None:
    """Raises Fault when OpenSSL does not take it."""
    _load(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), client_cert)


def _load(context: ssl.SSLContext, client_cert: ClientCertificate) -> None:
    try:
        with _as_file(client_cert.pem.encode()) as path:
            # An encrypted key would make OpenSSL ask at the terminal, and wait.
            context.load_cert_chain(path, password=lambda: b"")
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", None) or type(error).__name__
        words = str(reason).replace("_", " ").lower()
        raise Fault(
            ErrorKind.TLS, f"The client certificate cannot be used: TLS says “{words}”."
        ) from None


@contextmanager
def _as_file(data: bytes) -> Iterator[str]:
    """A path under which OpenSSL finds what is in memory only: it reads files and nothing else."""
    descriptor = _memory_file()
    if descriptor is None:
        with _private_file(data) as path:
            yield path
        return
    try:
        _write(descriptor, data)
        yield f"/proc/self/fd/{descriptor}"
    finally:
        os.close(descriptor)


def _memory_file() -> int | None:
    """A file without a disk, closed in child processes; None where there is no such thing."""
    if not hasattr(os, "memfd_create") or not Path("/proc/self/fd").is_dir():
        return None
    try:
        return os.memfd_create("client-certificate", os.MFD_CLOEXEC)
    except OSError:
        return None


@contextmanager
def _private_file(data: bytes) -> Iterator[str]:
    """A file that only we may read, removed at once."""
    descriptor, path = tempfile.mkstemp(prefix="signalbox-")  # mode 0600
    try:
        try:
            _write(descriptor, data)
        finally:
            os.close(descriptor)
        yield path
    finally:
        Path(path).unlink()


def _write(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]
