"""Which headers a caller may set on an outbound request: pure, for forms and for sending alike."""

import re
from collections.abc import Collection, Iterable, Sequence
from functools import lru_cache

# Set by the transport, or about one connection only (RFC 9110, section 7.6.1): a caller who could
# set them could smuggle a second request or break the pooled connection.
_CONNECTION_HEADERS = frozenset(
    {
        "connection",
        "content-length",
        "expect",
        "host",
        "http2-settings",
        "keep-alive",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
# Standard Webhooks: signing sets these. Forms pass them as `reserved`.
SIGNING_HEADERS = frozenset({"webhook-id", "webhook-timestamp", "webhook-signature"})

MAX_NAME_LENGTH = 256
# Receivers commonly refuse lines beyond 8 or 16 KiB.
MAX_VALUE_LENGTH = 16 * 1024

_is_token = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+").fullmatch
_find_control = re.compile(r"[\x00-\x08\x0a-\x1f\x7f\ud800-\udfff]").search


def check_headers(
    headers: Iterable[tuple[str, str]], *, reserved: Collection[str] = ()
) -> list[tuple[str, str]]:
    """The headers that cannot be sent, each with the reason in words; empty when all is well.

    Reasons never quote a value: it may be a secret. `reserved`: further names, in lower case.
    """
    problems = []
    for name, value in headers:
        reason = _name_problem(name) or _value_problem(value)
        if reason is None and name.lower() in reserved:
            reason = "Signing sets this header. Leave it away, or choose another name."
        if reason:
            problems.append((name, reason))
    return problems


def set_headers(
    headers: Iterable[tuple[str, str]], new: Sequence[tuple[str, str]]
) -> list[tuple[str, str]]:
    """Headers with some set, instead of others of their names."""
    names = {name.lower() for name, _ in new}
    return [*new, *((name, value) for name, value in headers if name.lower() not in names)]


@lru_cache(1024)
def _name_problem(name: str) -> str | None:
    if not name:
        return "The name is empty."
    if len(name) > MAX_NAME_LENGTH:
        return f"The name is longer than {MAX_NAME_LENGTH} characters."
    if not _is_token(name):
        return "The name may only have letters, digits, hyphens and !#$%&'*+.^_`|~ (RFC 9110)."
    lower = name.lower()
    if lower in _CONNECTION_HEADERS or lower.startswith("proxy-"):
        return "Signalbox sets this header itself. Leave it away."
    return None


def _value_problem(value: str) -> str | None:
    if _find_control(value):
        return "The value has a line break or another control character."
    if len(value) > MAX_VALUE_LENGTH:
        return f"The value is longer than {MAX_VALUE_LENGTH} characters."
    return None
