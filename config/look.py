"""The admin's look: names, colours, icons. What the sidebar holds is told by `config.sidebar`."""

from functools import lru_cache
from typing import Any

import environ
from django.conf import settings
from django.http import HttpRequest
from django.templatetags.static import static

# The settings take the look from here, so the name comes from where the settings take theirs.
SITE_NAME: str = environ.Env().str("SITE_NAME", default="Signalbox")


def logo(request: HttpRequest) -> str:
    return static("signalbox/logo.svg")


def favicon(request: HttpRequest) -> str:
    return static("signalbox/favicon.svg")


def login_image(request: HttpRequest) -> str:
    return static("admin_look/login.svg")


def style(request: HttpRequest) -> str:
    return static("admin_look/look.css")


def script(request: HttpRequest) -> str:
    return static("admin_look/look.js")


def login_context(request: HttpRequest) -> dict[str, Any]:
    """For the login page, in DEBUG only: who can log in. Looked up when the page asks for it."""
    return {"demo_login": _demo_login} if settings.DEBUG else {}


def _demo_login() -> dict[str, str] | None:
    from records.models import User

    user = User.objects.filter(username="admin", is_active=True, is_staff=True).first()
    if user is None or not _is_demo_password(user.password):
        return None  # whoever has changed the password knows it
    return {"username": user.username, "password": settings.DEMO_PASSWORD}


@lru_cache(maxsize=4)
def _is_demo_password(encoded: str) -> bool:
    """Asked once for each password: hashing takes its time on purpose."""
    from django.contrib.auth.hashers import check_password

    return check_password(settings.DEMO_PASSWORD, encoded)


# The green of a signal that says “line clear”; the same scale as static/signalbox/css/tokens.css.
PRIMARY = {
    "50": "oklch(97.6% .016 160)",
    "100": "oklch(94.6% .036 160)",
    "200": "oklch(89.4% .068 160)",
    "300": "oklch(81.5% .1 160)",
    "400": "oklch(72% .122 160)",
    "500": "oklch(63% .125 160)",
    "600": "oklch(55% .12 160)",
    "700": "oklch(47% .102 160)",
    "800": "oklch(39.5% .084 160)",
    "900": "oklch(33% .068 160)",
    "950": "oklch(23% .046 160)",
}

UNFOLD: dict[str, Any] = {
    "SITE_TITLE": SITE_NAME,
    "SITE_HEADER": SITE_NAME,
    "SITE_URL": "/",
    "SITE_ICON": logo,
    "SITE_SYMBOL": "switch_access_shortcut",
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": favicon}],
    "COLORS": {"primary": PRIMARY},
    "BORDER_RADIUS": "8px",
    "STYLES": [style],
    "SCRIPTS": [script],
    "LOGIN": {"image": login_image},
    "GLOBAL_CALLBACK": "config.look.login_context",
    "DASHBOARD_CALLBACK": "config.dashboard.dashboard",
    "SHOW_HISTORY": True,
    "SHOW_VIEW_ON_SITE": False,
    "SIDEBAR": {
        "show_search": True,
        "command_search": True,
        "navigation": "config.sidebar.navigation",
    },
}
