"""The Content-Security-Policy: what a page may load and run, so that injected markup can do little.

Our own pages run scripts from our own files only. The admin's look is built on Alpine, which evaluates
expressions in attributes, and on small scripts within the page: there both are allowed. A view that needs
something else sets the header itself, and is left alone.
"""

from collections.abc import Callable
from typing import Final

from django.http import HttpRequest, HttpResponse
from django.urls import reverse

HEADER: Final = "Content-Security-Policy"
_COMMON: Final = (
    "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; "
    "object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'; script-src 'self'"
)
PAGE_POLICY: Final = _COMMON
ADMIN_POLICY: Final = f"{_COMMON} 'unsafe-inline' 'unsafe-eval'"


def content_security_policy(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware that sets the policy of the page."""
    admin = reverse("admin:index")

    def respond(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        policy = ADMIN_POLICY if request.path.startswith(admin) else PAGE_POLICY
        response.headers.setdefault(HEADER, policy)
        return response

    return respond
