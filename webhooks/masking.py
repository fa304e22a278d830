"""Credentials in what is recorded: enough is left to tell one from another, not enough to use it. Pure."""

import re
from collections.abc import Iterable
from typing import Final

MASK: Final = "•••"
# Of a long secret so many characters stay at either end; of a short one, none.
_SHOWN: Final = 4
_LONG_ENOUGH: Final = 16

# Whole words of a name: “X-Api-Key” and “access_token” are meant, “X-Keyboard” is not.
_SECRET_NAME: Final = re.compile(
    r"(?:^|[-_.])(?:proxy[-_])?(?:authori[sz]ation|auth|api[-_]?key|access[-_]?key|token|secret|password|passwd|pwd"
    r"|credentials?|session|sessionid|key)(?:$|[-_.])"
    # Also at the end of a longer word: “accessToken”, “clientsecret”.
    r"|(?:token|secret|password|apikey)$",
    re.IGNORECASE,
)
_COOKIE_NAMES: Final = ("cookie", "set-cookie")
_COOKIE_ATTRIBUTES: Final = frozenset({"path", "domain", "expires", "max-age", "samesite"})
# Names that look like secrets and are none.
_PUBLIC_NAMES: Final = frozenset({"idempotency-key", "x-idempotency-key", "sec-websocket-key"})


def mask_headers(headers: Iterable[tuple[str, str]]) -> list[list[str]]:
    """Pairs as they are stored, with the middle of credentials left out."""
    return [[name, mask_header(name, value)] for name, value in headers]


def mask_header(name: str, value: str) -> str:
    lower = name.lower()
    if lower in _COOKIE_NAMES:
        return "; ".join(_mask_cookie(part) for part in value.split("; "))
    if lower in _PUBLIC_NAMES or not _SECRET_NAME.search(lower):
        return value
    return mask_credentials(value)


def mask_credentials(value: str) -> str:
    """`Bearer sk_live_…`: the scheme stays. Of Basic's name and password nothing is left to decode."""
    scheme, blank, rest = value.partition(" ")
    if not blank:
        return mask(value)
    if scheme.lower() == "basic":
        return f"{scheme} {MASK}"
    return f"{scheme} {mask(rest)}"


def mask_query(address: str) -> str:
    """The path and query of a request, with the values of parameters that are named like secrets masked."""
    path, mark, query = address.partition("?")
    if not mark:
        return address
    return f"{path}?{'&'.join(_mask_parameter(part) for part in query.split('&'))}"


def mask(secret: str) -> str:
    """A secret without its middle."""
    if len(secret) < _LONG_ENOUGH:
        return MASK if secret else ""
    return f"{secret[:_SHOWN]}{MASK}{secret[-_SHOWN:]}"


def _mask_parameter(part: str) -> str:
    name, sign, value = part.partition("=")
    return f"{name}{sign}{mask(value)}" if _SECRET_NAME.search(name.lower()) else part


def _mask_cookie(part: str) -> str:
    name, sign, value = part.partition("=")
    if not sign or name.strip().lower() in _COOKIE_ATTRIBUTES:
        return part
    return f"{name}{sign}{mask(value)}"
