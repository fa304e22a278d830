"""From a webhook and an event to the exact request: every dynamic value is an expression."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final, TypeVar
from urllib.parse import urlencode

from records.expressions import (
    ExpressionError,
    Symbol,
    evaluate_condition,
    render_text,
    render_typed,
    render_url,
    render_value,
)
from webhooks.addresses import NetworkPolicy, Refusal, Target, judge_url
from webhooks.binding import nonce_of, secret_in_origin
from webhooks.headers import check_headers
from webhooks.jsontext import JSONTextError, read_json, write_json

Context = Mapping[str, Any]
Rows = Sequence[Mapping[str, Any]]
T = TypeVar("T")

ROW_TYPES: Final = ("string", "number", "boolean", "json")
# These send a body only if one is asked for: the default payload is for the others.
BODILESS_METHODS: Final = frozenset({"GET", "DELETE"})
# Receivers commonly refuse more; a larger one is a mistake in an expression.
MAX_BODY_BYTES: Final = 1024 * 1024

# Judges how a URL is written. Whether it may be reached is asked when it is sent.
_ANY_NETWORK: Final = NetworkPolicy()
_is_number = re.compile(r"[+-]?[0-9]+(?P<fraction>\.[0-9]+)?([eE][+-]?[0-9]{1,3})?").fullmatch
_WORDS: Final = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


class RenderError(Exception):
    """A part of a request that can't be made: which one, where in it (from 1; 0 is unknown), and why."""

    def __init__(self, part: str, reason: str, *, line: int = 0, column: int = 0) -> None:
        super().__init__(f"{part}{position(line, column)}: {reason}")
        self.part = part
        self.reason = reason
        self.line = line
        self.column = column


def position(line: int, column: int) -> str:
    """For messages: “, line 3, column 5”. The first line goes without saying."""
    if line > 1:
        return f", line {line}, column {column}"
    return f", column {column}" if column else ""


@dataclass(frozen=True, slots=True)
class RequestTemplate:
    """What a webhook (or an automation's step) says about its request; all texts may hold expressions.

    Rows are mappings with `name` and `value`, for bodies also `type` (one of ROW_TYPES).
    """

    method: str
    url: str
    path_params: Rows = ()
    query_params: Rows = ()
    headers: Rows = ()
    body_kind: str = "default"
    body: str = ""
    body_rows: Rows = ()


@dataclass(frozen=True, slots=True)
class RenderedRequest:
    """`lane` is the destination's origin with its port: "https://api.example.com:443"."""

    method: str
    url: str
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: str = ""
    lane: str = ""


def matches(condition: str, context: Context) -> bool:
    """Whether a filter lets an event through; an empty one always does. Raises RenderError."""
    return _part("Filter", evaluate_condition, condition, context)


def render_request(
    template: RequestTemplate, context: Context, default_payload: Mapping[str, Any]
) -> RenderedRequest:
    """The request for this context. Raises RenderError, naming the part that can't be made."""
    content_type, body = render_body(template, context, default_payload)
    headers = render_headers(template, context, content_type)
    url, lane = render_address(template, context)
    return RenderedRequest(template.method, url, headers, body, lane)


def lane_of(url: str, nonce: str = "") -> str:
    """The origin of a URL, with its port: "https://api.example.com:443"; "none" for no URL at all.

    Where a secret decides on the origin it is "secret:" and its name; `nonce` is that of the placeholders.
    """
    if secret := secret_in_origin(url, nonce):
        return f"secret:{secret}"
    target = judge_url(url, _ANY_NETWORK)
    if isinstance(target, Target):
        return _lane(target)
    # What may not be reached still has an origin; what is malformed may have none. It is never
    # empty: jobs are claimed lane by lane, and the sending says what is wrong.
    match = re.match(r"(https?)://([^/?#@]+)", url, re.IGNORECASE)
    if match is None:
        return "none"
    scheme, host = match[1].lower(), match[2].lower()
    port = "" if re.search(r":[0-9]+\Z", host) else {"http": ":80", "https": ":443"}[scheme]
    return f"{scheme}://{host}{port}"[:270]


def render_address(template: RequestTemplate, context: Context) -> tuple[str, str]:
    """URL and lane. What the URL has of a query stays, the query parameters are added to it.

    A fragment is dropped: it is meant for browsers and never sent.
    """
    values = {
        row["name"]: _part(f"Path parameter `{row['name']}`", render_typed, row["value"], context)
        for row in template.path_params
    }
    url = _part("URL", render_url, template.url, {**context, **values}).strip()
    url = url.partition("#")[0]
    if not url:
        raise RenderError("URL", "it is empty.")
    query = _render_rows("Query parameter", template.query_params, context)
    if query:
        mark = "?" if "?" not in url else "" if url.endswith(("?", "&")) else "&"
        url = f"{url}{mark}{_encode_query(query)}"
    if secret_in_origin(url, nonce_of(context)):  # it is judged when it is sent
        return url, lane_of(url, nonce_of(context))
    judged = judge_url(url, _ANY_NETWORK)
    if isinstance(judged, Refusal) and judged.kind == "invalid":
        raise RenderError("URL", f"`{url[:200]}`: {judged.reason}")
    return url, _lane(judged) if isinstance(judged, Target) else lane_of(url)


def render_headers(
    template: RequestTemplate, context: Context, content_type: str
) -> list[tuple[str, str]]:
    """The headers, with the content type of the body unless there is one. Raises RenderError."""
    headers = [
        (name, value.strip()) for name, value in _render_rows("Header", template.headers, context)
    ]
    for name, reason in check_headers(headers):
        raise RenderError(f"Header `{name}`", reason)
    if content_type and not any(name.lower() == "content-type" for name, _ in headers):
        headers.insert(0, ("Content-Type", content_type))
    return headers


def render_body(
    template: RequestTemplate, context: Context, default_payload: Mapping[str, Any]
) -> tuple[str, str]:
    """Content type and body, both empty when there is none. Raises RenderError."""
    content_type, body = _write_body(template, context, default_payload)
    try:
        size = len(body.encode())
    except UnicodeEncodeError:
        raise RenderError("Body", "It has half a character (a lone surrogate).") from None
    if size > MAX_BODY_BYTES:
        raise RenderError("Body", f"It has {size:,} bytes; at most {MAX_BODY_BYTES:,} can be sent.")
    return content_type, body


def _write_body(
    template: RequestTemplate, context: Context, default_payload: Mapping[str, Any]
) -> tuple[str, str]:
    match template.body_kind:
        case "default" if template.method not in BODILESS_METHODS:
            return "application/json", _json("Body", default_payload)
        case "json":
            document = _part_of_json("Body", template.body, context)
            return "application/json", _json("Body", document)
        case "rows":
            rows = {row["name"]: _typed_row(row, context) for row in template.body_rows}
            return "application/json", _json("Body", rows)
        case "text":
            text = _part("Body", render_text, template.body, context)
            if "\0" in text:
                raise RenderError("Body", "It has a NUL character.")
            return "text/plain; charset=utf-8", text
        case _:
            return "", ""


def render_static_row(row: Mapping[str, Any]) -> Any:
    """The value of a body row that holds no expressions. Raises RenderError."""
    return _typed_row(row, {})


def _typed_row(row: Mapping[str, Any], context: Context) -> Any:
    part, source = f"Body row `{row['name']}`", str(row["value"])
    match row["type"]:
        case "number":
            return _number(part, _part(part, render_typed, source, context))
        case "boolean":
            return _boolean(part, _part(part, render_typed, source, context))
        case "json":
            return _json_value(part, source, context)
        case _:
            return _part(part, render_text, source, context)


def _number(part: str, value: Any) -> Any:
    """Numbers as they are, texts of numbers with all their digits, nothing as null."""
    _refuse_secret(part, value)
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        return value
    text = "" if value is None else str(value).strip()
    if not text:
        return None
    match = _is_number(text)
    if match is None:
        raise RenderError(part, f"`{text[:100]}` is no number.")
    return Decimal(text) if match["fraction"] or "e" in text.lower() else int(text)


def _refuse_secret(part: str, value: Any) -> None:
    if isinstance(value, Symbol):
        raise RenderError(part, "a secret is sent as text; choose the type string.")


def _boolean(part: str, value: Any) -> bool | None:
    _refuse_secret(part, value)
    if isinstance(value, bool):
        return value
    text = "" if value is None else str(value).strip().lower()
    if not text:
        return None
    if text not in _WORDS:
        raise RenderError(part, f"`{text[:100]}` is neither true nor false.")
    return _WORDS[text]


def _json_value(part: str, source: str, context: Context) -> Any:
    """One expression gives its value; anything else is JSON whose texts may hold expressions.

    Values are put into the JSON after it is read, so that none of them can add to it.
    """
    text = source.strip()
    if not text:
        return None
    if text.startswith("{{"):
        return _part(part, render_typed, text, context)
    return _part_of_json(part, text, context)


def _part_of_json(part: str, source: str, context: Context) -> Any:
    try:
        document = read_json(source)
    except JSONTextError as error:
        raise RenderError(part, str(error), line=error.line, column=error.column) from None
    try:
        return render_value(document, context)
    except ExpressionError as error:
        raise locate_in_json(part, source, error) from None


def locate_in_json(part: str, source: str, error: ExpressionError) -> RenderError:
    """An error within a text of a JSON document: its place in the document, if it can be told."""
    found = source.find(error.expression) if error.expression else -1
    if found < 0 or source.count(error.expression) > 1:
        return RenderError(f"{part} at {error.path}" if error.path else part, str(error))
    before = source[:found]
    line, column = before.count("\n") + 1, found - before.rfind("\n")
    return RenderError(part, str(error), line=line, column=column)


def _json(part: str, value: Any) -> str:
    try:
        return write_json(value)
    except JSONTextError as error:
        raise RenderError(part, str(error)) from None


def _render_rows(what: str, rows: Rows, context: Context) -> list[tuple[str, str]]:
    return [
        (row["name"], _part(f"{what} `{row['name']}`", render_text, row["value"], context))
        for row in rows
    ]


def _encode_query(query: Sequence[tuple[str, str]]) -> str:
    try:
        return urlencode(query)
    except UnicodeEncodeError:
        raise RenderError(
            "Query parameters", "One has half a character (a lone surrogate)."
        ) from None


def _lane(target: Target) -> str:
    origin = target.origin
    host = f"[{origin.host}]" if ":" in origin.host else origin.host
    return f"{origin.scheme}://{host}:{origin.port}"


def _part(part: str, render: Callable[[str, Context], T], source: str, context: Context) -> T:
    try:
        return render(source, context)
    except ExpressionError as error:
        column = error.column if error.expression or error.column > 1 else 0
        raise RenderError(part, str(error), line=error.line, column=column) from None
