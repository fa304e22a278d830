"""How a request shows who sends it: each kind of authentication, and the headers it comes to. Pure."""

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Final

from webhooks.headers import SIGNING_HEADERS, check_headers
from webhooks.signing import ALGORITHMS, ENCODINGS, hmac_signature

KINDS: Final = {
    "none": "None",
    "bearer": "Bearer token",
    "basic": "User name and password",
    "header": "API key in a header",
    "hmac": "HMAC signature of the body",
}
# What each kind is made of, beside the secret.
_PARTS: Final[dict[str, tuple[str, ...]]] = {
    "none": (),
    "bearer": (),
    "basic": ("username",),
    "header": ("header", "prefix"),
    "hmac": ("header", "prefix", "algorithm", "encoding"),
}
_MAX_LENGTH: Final = 200
# Headers about the body or the sender: a key in one of them would break the request.
_TAKEN: Final = frozenset(
    {"accept", "accept-encoding", "content-encoding", "content-type", "user-agent"}
)
_find_control = re.compile(r"[\x00-\x1f\x7f]").search


@dataclass(frozen=True, slots=True)
class Auth:
    """A kind and its parts. `secret` is the name of a secret, never its value.

    `prefix` stands directly before the key or signature: "sha256=", or "Token " with its blank.
    """

    kind: str = "none"
    secret: str = ""
    username: str = ""
    header: str = ""
    prefix: str = ""
    algorithm: str = "sha256"
    encoding: str = "hex"

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "Auth":
        """Unknown names are passed over, so that a job outlives a change of this class."""
        known = {field.name for field in fields(cls)}
        return cls(**{name: str(value) for name, value in values.items() if name in known})

    def to_json(self) -> dict[str, str]:
        """Only what the kind is made of; nothing at all for none."""
        if self.kind == "none":
            return {}
        names = ("kind", "secret", *_PARTS.get(self.kind, ()))
        return {name: getattr(self, name) for name in names}

    @property
    def header_name(self) -> str:
        """The header that carries it; empty for none."""
        if self.kind == "none":
            return ""
        return self.header if self.kind in ("header", "hmac") else "Authorization"


def check_auth(auth: Auth) -> list[tuple[str, str]]:
    """What is wrong with it: (part, words). Whether the secret exists is not asked here."""
    if auth.kind not in KINDS:
        return [("kind", f"`{auth.kind[:40]}` is no kind of authentication.")]
    problems = []
    if auth.kind != "none" and not auth.secret:
        problems.append(("secret", "Choose the secret that it is made with."))
    if auth.kind == "basic":
        problems += _check_username(auth.username)
    if auth.kind in ("header", "hmac"):
        problems += _check_header(auth)
    if auth.kind == "hmac":
        problems += _check_hmac(auth)
    return problems


def auth_header(auth: Auth, value: str, body: bytes) -> tuple[str, str]:
    """The header for a secret's value and the raw body. Not for kind none."""
    match auth.kind:
        case "bearer":
            content = f"Bearer {value}"
        case "basic":
            content = "Basic " + base64.b64encode(f"{auth.username}:{value}".encode()).decode()
        case "header":
            content = f"{auth.prefix}{value}"
        case "hmac":
            signature = hmac_signature(
                value.encode(), body, algorithm=auth.algorithm, encoding=auth.encoding
            )
            content = f"{auth.prefix}{signature}"
        case _:
            raise ValueError(f"There is no header for authentication of kind {auth.kind}.")
    return auth.header_name, content


def shown_auth_header(auth: Auth) -> tuple[str, str]:
    """The same header for people's eyes: it names the secret."""
    secret = f"{{{{ secrets.{auth.secret} }}}}"
    match auth.kind:
        case "bearer":
            content = f"Bearer {secret}"
        case "basic":
            content = f"Basic base64({auth.username}:{secret})"
        case "header":
            content = f"{auth.prefix}{secret}"
        case _:
            content = f"{auth.prefix}{auth.encoding}(HMAC-{auth.algorithm.upper()}, {secret})"
    return auth.header_name, content


def _check_username(username: str) -> list[tuple[str, str]]:
    if not username:
        return [("username", "Enter the user name.")]
    if ":" in username:
        return [("username", "A user name can't have a colon (RFC 7617).")]
    return _check_text("username", username)


def _check_header(auth: Auth) -> list[tuple[str, str]]:
    if not auth.header:
        return [("header", "Enter the header's name.")]
    problems = [
        ("header", reason)
        for _, reason in check_headers([(auth.header, "")], reserved=SIGNING_HEADERS)
    ]
    if auth.header.lower() in _TAKEN:
        problems.append(("header", "This header has a meaning of its own. Choose another name."))
    return problems + _check_text("prefix", auth.prefix)


def _check_hmac(auth: Auth) -> list[tuple[str, str]]:
    problems = []
    if auth.algorithm not in ALGORITHMS:
        problems.append(("algorithm", f"The algorithm is one of {', '.join(ALGORITHMS)}."))
    if auth.encoding not in ENCODINGS:
        problems.append(("encoding", f"The encoding is one of {', '.join(ENCODINGS)}."))
    return problems


def _check_text(part: str, text: str) -> list[tuple[str, str]]:
    if len(text) > _MAX_LENGTH:
        return [(part, f"It is longer than {_MAX_LENGTH} characters.")]
    if _find_control(text):
        return [(part, "It has a line break or another control character.")]
    return []
