"""From exceptions of sockets and TLS to words that say what, where and how to mend it."""

import errno
import socket
import ssl
from enum import StrEnum

from webhooks.transport.outcome import ErrorKind, Fault


class Stage(StrEnum):
    CONNECT = "connect"
    TLS = "tls"
    SEND = "send"
    ANSWER = "answer"
    BODY = "body"


_UNREACHABLE = {errno.ENETUNREACH, errno.EHOSTUNREACH, errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT}

# X509_V_ERR_… of OpenSSL's x509_vfy.h
_CERTIFICATE_WORDS = {
    10: "has expired. The receiver has to renew it",
    9: "is not valid yet. Check the clocks of both sides",
    18: "is self-signed. Install a certificate from a public authority at the receiver",
    19: "comes from an authority that is not trusted here",
    20: "comes from an authority that is not trusted here, or the receiver does not send the"
    " intermediate certificates",
    21: "cannot be checked: the receiver does not send the intermediate certificates",
    23: "has been revoked",
    62: "is for another host name. Check the host in the URL, or the receiver's certificate",
    64: "is not for this IP address. Use the host name in the URL",
}


def fault_of(error: OSError, stage: Stage, where: str, limit_s: float) -> Fault:
    """`where`: host or address, for the words. `limit_s`: the limit that applied at this stage."""
    if isinstance(error, TimeoutError):
        return _timeout_fault(stage, where, limit_s)
    if isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError) and stage is not Stage.TLS:
        return _broken_fault(stage, where)
    if isinstance(error, ssl.SSLError):
        return Fault(ErrorKind.TLS, _tls_words(error, stage, where))
    if stage is Stage.CONNECT:
        return Fault(ErrorKind.CONNECT, _connect_words(error, where))
    if stage is Stage.TLS:
        return Fault(
            ErrorKind.TLS,
            f"{where} closed the connection while TLS was being set up. Does this port speak TLS?",
        )
    return _broken_fault(stage, where)


def dns_fault(error: OSError, host: str) -> Fault:
    """For what `getaddrinfo` raised."""
    if isinstance(error, socket.gaierror) and error.errno == socket.EAI_AGAIN:
        words = f"The name server gave no answer for host `{host}`. Try again later."
    else:
        words = f"No address found for host `{host}`. Check the spelling of the host name."
    return Fault(ErrorKind.DNS, words)


def _timeout_fault(stage: Stage, where: str, limit_s: float) -> Fault:
    limit = f"{limit_s:g} s"
    words = {
        Stage.CONNECT: f"No connection to {where} within {limit}. Is the receiver running, and does"
        " a firewall let us through?",
        Stage.TLS: f"{where} accepted the connection, but TLS was not set up within {limit}."
        " Does this port speak TLS?",
        Stage.SEND: f"{where} did not take the whole request within {limit}.",
        Stage.ANSWER: f"No answer within {limit} (the receiver accepted the connection but did not"
        " finish its answer).",
        Stage.BODY: f"The answer was not complete within {limit}: its headers came, its body"
        " stopped on the way.",
    }
    return Fault(ErrorKind.TIMEOUT, words[stage])


def _broken_fault(stage: Stage, where: str) -> Fault:
    words = {
        Stage.SEND: f"{where} broke off the connection while the request was being sent.",
        Stage.ANSWER: f"{where} closed the connection without an answer. It may have handled the"
        " request or not.",
        Stage.BODY: f"{where} broke off the connection in the middle of its answer's body.",
    }
    return Fault(ErrorKind.PROTOCOL, words.get(stage, words[Stage.ANSWER]))


def _connect_words(error: OSError, where: str) -> str:
    if error.errno == errno.ECONNREFUSED:
        return f"Connection refused by {where}. Is the receiver running?"
    if error.errno in _UNREACHABLE:
        return f"No way to {where}: the network is unreachable from here."
    if error.errno in (errno.EMFILE, errno.ENFILE):
        return "No connection could be opened: this machine has too many open files."
    reason = error.strerror or "it was closed at once"
    return f"Connection to {where} failed: {reason}."


def _tls_words(error: ssl.SSLError, stage: Stage, where: str) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        words = _CERTIFICATE_WORDS.get(error.verify_code, f"was refused: {error.verify_message}")
        return f"The TLS certificate of {where} {words}."
    # Errors that Python's own `ssl` raises, not OpenSSL, may have no reason.
    reason = (getattr(error, "reason", None) or "").replace("_", " ").lower()
    if "wrong version" in reason or "record layer" in reason or "http request" in reason:
        return f"{where} does not speak TLS on this port. Is it an `http://` address?"
    late_failure = "handshake failure" in reason and stage is not Stage.TLS
    if "certificate required" in reason or late_failure:
        return f"{where} asks for a client certificate. Choose one in the webhook."
    if "unknown ca" in reason or ("alert" in reason and "certificate" in reason):
        return f"{where} did not accept our client certificate ({reason})."
    return f"TLS with {where} failed ({reason or 'the connection was closed'})."
