"""Pages of other sites that send here from a browser: which may, and what the browser is told (CORS). Pure.

Source: https://fetch.spec.whatwg.org/#http-cors-protocol
"""

from collections.abc import Sequence
from typing import Final
from urllib.parse import urlsplit

from webhooks.inbound.refusals import OriginRefused

ANY: Final = "*"
# How long a browser need not ask again.
_MAX_AGE_S: Final = "600"


def check_origin(origin: str, allowed: Sequence[str]) -> None:
    """Raise OriginRefused for a page of a site that is not among the allowed ones, if there are such.

    Whoever is no browser sends no Origin, or any: this protects visitors, not the endpoint.
    """
    if origin and allowed and not is_allowed(origin, allowed):
        raise OriginRefused(
            "Pages of this origin may not send here. Add it to the endpoint's allowed origins."
        )


def is_allowed(origin: str, allowed: Sequence[str]) -> bool:
    return ANY in allowed or origin.lower() in allowed


def cors_headers(origin: str, allowed: Sequence[str]) -> dict[str, str]:
    """So that the page may read the answer; nothing for others."""
    if not origin or not allowed or not is_allowed(origin, allowed):
        return {}
    if ANY in allowed:
        return {"Access-Control-Allow-Origin": ANY}
    return {"Access-Control-Allow-Origin": origin, "Vary": "Origin"}


def preflight_headers(
    origin: str, allowed: Sequence[str], methods: Sequence[str]
) -> dict[str, str]:
    """What a browser asks for before it sends; nothing for pages that may not."""
    headers = cors_headers(origin, allowed)
    if headers:
        headers |= {
            "Access-Control-Allow-Methods": ", ".join(methods),
            # A star does not stand for this one.
            "Access-Control-Allow-Headers": "*, Authorization",
            "Access-Control-Max-Age": _MAX_AGE_S,
        }
    return headers


def origin_problem(text: str) -> str:
    """Why this is no origin, in words; "" when it is one."""
    if text == ANY:
        return ""
    try:
        parts = urlsplit(text)
        is_origin = bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_origin = False
    if (
        is_origin
        and parts.scheme in ("http", "https")
        and text == f"{parts.scheme}://{parts.netloc}"
    ):
        return "" if "@" not in parts.netloc else f"“{text}” has a user's name in it."
    return f"“{text[:100]}” is no origin. Write one like `https://www.example.com`, or `*` for every site."
