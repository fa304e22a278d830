"""Following a redirect: pure. What changes from one hop to the next (RFC 9110, section 15.4)."""

import re
from contextlib import suppress
from dataclasses import replace
from urllib.parse import urljoin

from webhooks.addresses import Origin
from webhooks.transport.outcome import OutboundRequest

REDIRECT_STATUSES = frozenset({301, 302, 303, 307, 308})

# Whatever another origin must not get to see: credentials, and signatures that would prove to it
# what was meant for the first.
_SENSITIVE = re.compile(r"auth|cookie|signature|token|secret|api-?key|password|session|credential")
_ABOUT_THE_BODY = re.compile(r"content-.+|digest|content-md5")


def location_of(headers: list[tuple[str, str]]) -> str | None:
    """The target of a redirect. Its bytes came as latin-1; people write UTF-8."""
    for name, value in headers:
        if name.lower() == "location" and value:
            with suppress(UnicodeError):
                value = value.encode("latin-1").decode()
            return value.replace(" ", "%20")
    return None


def next_url(url: str, location: str) -> str | None:
    """None when `location` cannot be read."""
    try:
        return urljoin(url, location)
    except ValueError:
        return None


def next_request(request: OutboundRequest, status: int, url: str) -> OutboundRequest:
    """The request for the next hop, while it stays at the same origin."""
    method = request.method
    if (status == 303 and method != "HEAD") or (status in (301, 302) and method == "POST"):
        headers = [
            pair for pair in request.headers if not _ABOUT_THE_BODY.fullmatch(pair[0].lower())
        ]
        return replace(request, url=url, method="GET", body=b"", headers=headers)
    return replace(request, url=url)


def leave_origin(request: OutboundRequest, old: Origin, new: Origin) -> OutboundRequest:
    """Without what is only meant for the first origin, when the next one is another."""
    if (old.scheme, old.host, old.port) == (new.scheme, new.host, new.port):
        return request
    marked = {name.lower() for name in request.sensitive_headers}
    headers = [
        (name, value)
        for name, value in request.headers
        if name.lower() not in marked and not _SENSITIVE.search(name.lower())
    ]
    return replace(request, headers=headers, client_cert=None)
