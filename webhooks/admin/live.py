"""Pages that refresh a part of themselves while something is going on."""

import hashlib
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils.html import format_html_join


def wants_part(request: HttpRequest) -> bool:
    """Whether HTMX asks for the live part only; after a step back it wants the whole page."""
    return "HX-Request" in request.headers and "HX-History-Restore-Request" not in request.headers


def live_part(
    request: HttpRequest,
    template: str,
    context: dict[str, Any],
    *,
    is_open: bool,
    beside: dict[str, str] | None = None,
) -> dict[str, Any]:
    """The context of `_live.html`: the rendered part, its fingerprint, and whether to ask again.

    `beside`: templates of what is refreshed elsewhere on the page, by the id of the element they are in.
    """
    html = render_to_string(template, context, request)
    others = [
        (name, render_to_string(other, context, request)) for name, other in (beside or {}).items()
    ]
    # It tells the same from the new; nothing is kept safe by it.
    digest = hashlib.blake2b(repr([html, others]).encode(), digest_size=8).hexdigest()
    return {
        "live_html": html,
        "live_beside": others,
        "live_digest": digest,
        "live_open": is_open,
    }


def part_response(request: HttpRequest, part: dict[str, Any]) -> HttpResponse:
    """The part for HTMX: nothing at all (204) where the page has it already."""
    if request.headers.get("X-Live-Digest") == part["live_digest"]:
        response = HttpResponse(status=204)
    else:
        others = format_html_join(
            "", '<div id="{}" hx-swap-oob="innerHTML">{}</div>', part["live_beside"]
        )
        response = HttpResponse(part["live_html"] + others)
    response["X-Live-Digest"] = part["live_digest"]
    response["X-Live-Open"] = "1" if part["live_open"] else "0"
    return response
