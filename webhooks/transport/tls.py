"""TLS contexts: one for each way of trusting and each client certificate."""

import ssl
import threading
from collections import OrderedDict
from pathlib import Path

import certifi

from webhooks.transport.outcome import ErrorKind, Fault

MAX_CONTEXTS = 32

ClientCert = tuple[str, str]
# A certificate file that was renewed in place is another certificate.
ContextKey = tuple[bool, ClientCert | None, int, int]


class TlsContexts:
    """Builds contexts and keeps the latest. Thread-safe. `ca_bundle`: file of trusted authorities
    (PEM); certifi's when not given."""

    def __init__(self, ca_bundle: str | None = None) -> None:
        self._ca_bundle = ca_bundle or certifi.where()
        self._lock = threading.Lock()
        self._contexts: OrderedDict[ContextKey, ssl.SSLContext] = OrderedDict()

    def key(self, *, verify: bool, client_cert: ClientCert | None) -> ContextKey:
        """Names a context; raises Fault when the certificate's files cannot be read."""
        if client_cert is None:
            return verify, None, 0, 0
        try:
            times = [Path(path).stat().st_mtime_ns for path in client_cert]
        except OSError as error:
            raise _unusable(client_cert, error.strerror or "it cannot be read") from None
        return verify, client_cert, times[0], times[1]

    def context(self, key: ContextKey) -> ssl.SSLContext:
        with self._lock:
            context = self._contexts.get(key)
            if context is None:
                context = self._contexts[key] = self._build(*key[:2])
                if len(self._contexts) > MAX_CONTEXTS:
                    self._contexts.popitem(last=False)
            else:
                self._contexts.move_to_end(key)
            return context

    def _build(self, verify: bool, client_cert: ClientCert | None) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=self._ca_bundle)
        context.set_alpn_protocols(["http/1.1"])
        if not verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        if client_cert is not None:
            try:
                # An encrypted key would make OpenSSL ask at the terminal, and wait.
                context.load_cert_chain(*client_cert, password=lambda: b"")
            except (OSError, ValueError) as error:
                reason = getattr(error, "reason", None) or type(error).__name__
                raise _unusable(client_cert, str(reason).replace("_", " ").lower()) from None
        return context


def _unusable(client_cert: ClientCert, reason: str) -> Fault:
    return Fault(
        ErrorKind.TLS,
        f"The client certificate `{client_cert[0]}` with key `{client_cert[1]}` cannot be used:"
        f" {reason}. Both have to be PEM files, the key without a password.",
    )
