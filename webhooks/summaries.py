"""What became of a request, in words for people: a short summary, and what to do about it. Pure."""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Final, Literal

Tone = Literal["good", "warn", "bad", "busy", "quiet"]

# Statuses that are in use though no RFC has them, as Cloudflare and nginx send them.
_UNOFFICIAL: Final = {
    419: "Page Expired",
    420: "Enhance Your Calm",
    499: "Client Closed Request",
    520: "Unknown Error",
    521: "Web Server Is Down",
    522: "Connection Timed Out",
    523: "Origin Is Unreachable",
    524: "A Timeout Occurred",
    525: "SSL Handshake Failed",
    526: "Invalid SSL Certificate",
    529: "Site Is Overloaded",
}

# The transport's kinds of errors and, from “template” on, our own.
ERROR_NAMES: Final[dict[str, str]] = {
    "dns": "DNS",
    "connect": "No connection",
    "tls": "TLS",
    "timeout": "Timeout",
    "protocol": "Broken answer",
    "too_large": "Answer too large",
    "blocked": "Blocked",
    "invalid": "Can't be sent",
    "template": "Mistake in the webhook",
    "interrupted": "Interrupted",
    "secret": "Secret",
    "disabled": "Destination disabled",
    "internal": "Signalbox's own mistake",
}
_ICONS: Final = {"interrupted": "power_off", "timeout": "timer_off", "template": "edit_off"}

# What to do about them.
_ERROR_HINTS: Final[dict[str, str]] = {
    "dns": "Check the host name in the URL. If it is right, its owner has to look after its DNS entry.",
    "connect": "Nobody answers at this host and port: check both, and whether the receiver is running and "
    "a firewall lets us through.",
    "tls": "The receiver's certificate or TLS settings have to be mended by whoever runs it; if it asks for a "
    "client certificate, choose one in the webhook that it knows.",
    "timeout": "The receiver is too slow. It should answer at once and work afterwards; or give the webhook "
    "a longer timeout.",
    "protocol": "The receiver, or a proxy before it, did not answer in proper HTTP. It may have handled the "
    "request all the same: check there before you retry.",
    "too_large": "The receiver's answer is larger than we read. It should answer with a few lines.",
    "blocked": "This installation does not send to that address. An administrator can allow it with "
    "OUTBOUND_ALLOWED_HOSTS or OUTBOUND_ALLOWED_NETWORKS.",
    "invalid": "The URL, the method or a header is not valid. Mend it with “Edit and retry”, and in the "
    "webhook for what comes later.",
    "template": "Mend the expression in the webhook, then retry: the request is made anew from the same event.",
    "secret": "Add the secret, or give it a value that fits, then retry. The webhook's page names what it uses.",
    "disabled": "Once the destination works again, enable it on its page, which then offers to retry what "
    "failed meanwhile.",
    "internal": "This is no fault of the receiver or the webhook: the log of the worker has the details for whoever "
    "runs this installation. A retry helps once it is mended.",
    "interrupted": "The receiver can tell a repeated request by its webhook-id, which stays the same.",
}

_STATUS_HINTS: Final = {
    400: "The receiver did not understand the body. Compare it with the receiver's documentation; "
    "its answer below often says what is wrong.",
    401: "The receiver wants a valid login. Check the Authorization header or API key of the webhook.",
    403: "The receiver knows who asks, and refuses. Check the key's permissions there.",
    404: "There is nothing at this path. Check the URL; an expression in it may have come out empty.",
    405: "The receiver does not take this method here. Check method and URL of the webhook.",
    408: "The receiver waited too long for the request. A retry usually helps.",
    409: "The receiver has something that is in the way, often the same thing sent before.",
    410: "This address is gone for good. Take the webhook out of use, or give it the new URL.",
    413: "The body is too large for the receiver.",
    415: "The receiver does not take this content type. Check the Content-Type header.",
    422: "The receiver understood the body and found its values wrong; its answer below often says which.",
    429: "Too many requests for the receiver. Retry later, or send less.",
    502: "A proxy before the receiver got no proper answer from it. The receiver is probably down.",
    503: "The receiver is overloaded or down for maintenance. A later retry usually helps.",
    504: "A proxy before the receiver waited in vain for it. The receiver is too slow or down.",
}
_CLASS_HINTS: Final = {
    1: "The receiver never finished its answer.",
    2: "The webhook does not count this status as a success: see its success statuses.",
    3: "The receiver has moved, and redirects are not followed. Put the address from its Location "
    "header into the webhook.",
    4: "The receiver refuses the request as it is; its answer below may say why. Without a change, a "
    "retry will end the same.",
    5: "Something is wrong at the receiver. A later retry usually helps.",
}


@dataclass(frozen=True, slots=True)
class Summary:
    """`icon` is a Material symbol; `tone` a colour that says nothing which `text` does not say too."""

    tone: Tone
    icon: str
    text: str


def status_words(status_code: int) -> str:
    """404 → "404 Not Found"."""
    try:
        phrase = HTTPStatus(status_code).phrase
    except ValueError:
        phrase = _UNOFFICIAL.get(status_code, "")
    return f"{status_code} {phrase}".strip()


def summary_of(*, status: str, status_code: int | None, error_kind: str, error: str) -> Summary:
    """What a job came to: its HTTP status or error; before there is one, where it stands."""
    if status == "sending":
        return Summary("busy", "sync", "Sending")
    if status == "cancelled":
        return Summary("quiet", "block", "Cancelled")
    if status_code is None and not error_kind:
        return Summary("busy", "schedule", "Waiting to be sent")
    return attempt_summary(
        is_success=status == "succeeded",
        status_code=status_code,
        error_kind=error_kind,
        error=error,
    )


def attempt_summary(
    *, is_success: bool, status_code: int | None, error_kind: str, error: str
) -> Summary:
    """What one attempt came to. Which statuses succeed is for the webhook to say, not for HTTP."""
    if error_kind:
        return Summary("bad", _ICONS.get(error_kind, "error"), error_words(error_kind, error))
    words = status_words(status_code or 0)
    if is_success:
        return Summary("good", "check_circle", words)
    if (status_code or 0) >= 500:
        return Summary("bad", "error", words)
    return Summary("warn", "warning", words)


def error_words(error_kind: str, error: str) -> str:
    """The kind and the first sentence: "DNS: No address found for host example.invalid."."""
    name = ERROR_NAMES.get(error_kind, error_kind)
    first = error.replace("`", "").split(". ")[0].split("\n")[0].strip()
    if not first:
        return name
    return f"{name}: {first[:117]}…" if len(first) > 120 else f"{name}: {first}"


def hint_of(*, is_success: bool, status_code: int | None, error_kind: str) -> str:
    """What to do about it; empty where all is well."""
    if error_kind:
        return _ERROR_HINTS.get(error_kind, "")
    if is_success or not status_code:
        return ""
    return _STATUS_HINTS.get(status_code) or _CLASS_HINTS.get(status_code // 100, "")
