"""Secrets in requests, bound late. Pure.

While a request is rendered, `{{ secrets.name }}` gives a placeholder with a random nonce of that job; only the
placeholder is stored. When the request is sent, placeholders make way for values. Text that merely looks like a
placeholder has no nonce, so that nobody's data can pull a secret in.
"""

import json
import re
import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote
from xml.sax.saxutils import escape as escape_xml

from records.expressions import ExpressionError, Namespace, Symbol, names_used
from webhooks.auth import Auth
from webhooks.jsontext import JSONTextError, read_json

if TYPE_CHECKING:
    from webhooks.rendering import RequestTemplate

# The error kind of an attempt for which a secret was missing or unreadable. Nothing was sent.
SECRET_ERROR: Final = "secret"  # noqa: S105
_ROOT: Final = "secrets"
_NONCE_BYTES: Final = 12
# Only characters that JSON, headers and percent-encoding leave alone.
_is_name = re.compile(r"[a-z][a-z0-9_]*").fullmatch
_PLACEHOLDER: Final = re.compile(r"secret~([a-z][a-z0-9_]*)~([0-9a-f]+)~")


class SecretNames(Namespace):
    """What `secrets` is while a request is rendered: the secrets that its template names, and no others."""

    __slots__ = ("nonce",)

    def __init__(self, names: Iterable[str], nonce: str) -> None:
        super().__init__(
            {name: Symbol(placeholder(name, nonce)) for name in names},
            label="`secrets`",
            noun="secret",
        )
        self.nonce = nonce


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a job has to do with secrets, by name: the nonce of its placeholders, its auth, its signing secret,
    its client certificate."""

    nonce: str = ""
    auth: Auth = field(default_factory=Auth)
    signing: str = ""
    certificate: str = ""

    @classmethod
    def from_json(cls, values: Mapping[str, Any] | None) -> "Credentials":
        values = values or {}
        auth = Auth.from_json(values.get("auth") or {})
        return cls(
            nonce=str(values.get("nonce", "")),
            auth=auth,
            signing=str(values.get("signing", "")),
            certificate=str(values.get("certificate", "")),
        )

    def to_json(self) -> dict[str, Any] | None:
        """None when there is nothing to say."""
        values = {
            "nonce": self.nonce,
            "auth": self.auth.to_json(),
            "signing": self.signing,
            "certificate": self.certificate,
        }
        return {name: value for name, value in values.items() if value} or None


# --- When it is rendered --------------------------------------------------------------------------


def new_nonce() -> str:
    return secrets.token_hex(_NONCE_BYTES)


def placeholder(name: str, nonce: str) -> str:
    return f"secret~{name}~{nonce}~"


def secret_names_in(template: "RequestTemplate") -> set[str]:
    """The names that follow `secrets.` in a request. What has mistakes in it names none."""
    rows = (
        *template.path_params, *template.query_params, *template.headers,
        *(template.body_rows if template.body_kind == "rows" else ()),
    )  # fmt: skip
    found = _names_in(template.url, "url")
    for row in rows:
        found |= _names_in(str(row["value"]))
    if template.body_kind == "text":
        found |= _names_in(template.body)
    elif template.body_kind == "json" and _ROOT in template.body:
        found |= _names_in_json(template.body)
    return found


def context_with_secrets(template: "RequestTemplate", context: Mapping[str, Any]) -> dict[str, Any]:
    """What the expressions of a request see: for a filter there is no `secrets`."""
    names = secret_names_in(template)
    return {**context, _ROOT: SecretNames(names, new_nonce() if names else "")}


def nonce_of(context: Mapping[str, Any]) -> str:
    """The nonce of the placeholders that a context gives; empty when it has none."""
    return getattr(context.get(_ROOT), "nonce", "")


def secret_names_of(paths: Iterable[str]) -> set[str]:
    """{"secrets.api_key", "record.id"} → {"api_key"}."""
    steps = (path.split(".") for path in paths)
    return {parts[1] for parts in steps if parts[0] == _ROOT and len(parts) > 1}


def _names_in(source: Any, mode: Any = "text") -> set[str]:
    if isinstance(source, str) and _ROOT not in source:
        return set()
    try:
        return {name for name in secret_names_of(names_used(source, mode)) if _is_name(name)}
    except ExpressionError:
        return set()


def _names_in_json(source: str) -> set[str]:
    try:
        return _names_in(read_json(source))
    except JSONTextError:
        return set()


# --- When it is shown -----------------------------------------------------------------------------


def shown(text: str, nonce: str) -> str:
    """For people's eyes: the placeholders as they were written."""
    return _replace(text, nonce, lambda name: f"{{{{ {_ROOT}.{name} }}}}") if nonce else text


def shown_headers(headers: Iterable[Iterable[str]], nonce: str) -> list[tuple[str, str]]:
    return [(name, shown(value, nonce)) for name, value in headers]


def hidden(text: str, nonce: str) -> str:
    """The way back from `shown`, for texts that a person has edited."""
    if not nonce:
        return text
    pattern = rf"\{{\{{\s*{_ROOT}\.([a-z][a-z0-9_]*)\s*\}}\}}"
    return re.sub(pattern, lambda match: placeholder(match[1], nonce), text)


def secret_in_origin(url: str, nonce: str) -> str:
    """The name of the secret that decides where a URL leads, or ""; then the lane is the secret's."""
    if not nonce:
        return ""
    if (match := _PLACEHOLDER.match(url)) and match[2] == nonce:
        return match[1]
    authority = re.split("[/?#]", url.partition("://")[2], maxsplit=1)[0]
    return min(names_of_placeholders([authority], nonce), default="")


def names_of_placeholders(texts: Iterable[str], nonce: str) -> set[str]:
    """The secrets that texts have placeholders for."""
    if not nonce:
        return set()
    found = (pair for text in texts for pair in _PLACEHOLDER.findall(text))
    return {name for name, own in found if own == nonce}


# --- When it is sent ------------------------------------------------------------------------------


def bind_url(url: str, nonce: str, value_of: Callable[[str], str]) -> str:
    """A secret that a URL begins with is taken as it is: it is an address. Elsewhere it is percent-encoded."""
    match = _PLACEHOLDER.match(url)
    if not nonce or match is None or match[2] != nonce:
        return _replace(url, nonce, lambda name: quote(value_of(name), safe=""))
    rest = _replace(url[match.end() :], nonce, lambda name: quote(value_of(name), safe=""))
    start = value_of(match[1]).strip().partition("#")[0]
    if rest.startswith("?") and "?" in start:
        rest = f"&{rest[1:]}"
    return start + rest


def bind_text(text: str, nonce: str, value_of: Callable[[str], str]) -> str:
    return _replace(text, nonce, value_of)


def bind_body(body: str, content_type: str, nonce: str, value_of: Callable[[str], str]) -> str:
    """Each value is escaped as the content type asks for."""
    write = _escape_for(content_type)
    return _replace(body, nonce, lambda name: write(value_of(name)))


def _escape_for(content_type: str) -> Callable[[str], str]:
    kind = content_type.partition(";")[0].strip().lower()
    if kind.endswith(("/json", "+json")):
        return lambda value: json.dumps(value, ensure_ascii=False)[1:-1]
    if kind == "application/x-www-form-urlencoded":
        return lambda value: quote(value, safe="")
    if kind.endswith(("/xml", "+xml", "/html")):
        return lambda value: escape_xml(value, {'"': "&quot;", "'": "&#x27;"})
    return lambda value: value


def _replace(text: str, nonce: str, write: Callable[[str], str]) -> str:
    if not nonce or nonce not in text:
        return text
    return _PLACEHOLDER.sub(lambda match: write(match[1]) if match[2] == nonce else match[0], text)
