"""From a webhook and an event to the exact request: every dynamic value is an expression."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

from records.expressions import (
    ExpressionError,
    evaluate_condition,
    render_text,
    render_typed,
    render_url,
    render_value,
)

Context = Mapping[str, Any]
Rows = Sequence[Mapping[str, Any]]

ROW_TYPES: Final = ("string", "number", "boolean", "json")
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}


class RenderError(Exception):
    """A part of a request that can't be made: which one, and why."""

    def __init__(self, part: str, reason: str, *, line: int = 0, column: int = 0) -> None:
        super().__init__(f"{part}: {reason}")
        self.part = part
        self.reason = reason
        self.line = line
        self.column = column


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
    method: str
    url: str
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: str = ""


def matches(condition: str, context: Context) -> bool:
    """Whether a filter lets an event through; an empty one always does. Raises RenderError."""
    try:
        return evaluate_condition(condition, context)
    except ExpressionError as error:
        raise _located("Filter", error) from None


def render_request(
    template: RequestTemplate, context: Context, default_payload: Mapping[str, Any]
) -> RenderedRequest:
    """The request for this context. Raises RenderError, naming the part that can't be made."""
    content_type, body = _render_body(template, context, default_payload)
    headers = [(name, value) for name, value in _render_rows("Header", template.headers, context)]
    if content_type and not any(name.lower() == "content-type" for name, _ in headers):
        headers.insert(0, ("Content-Type", content_type))
    return RenderedRequest(template.method, _render_address(template, context), headers, body)


def lane_of(url: str) -> str:
    """The origin of a URL, with its port: "https://api.example.com:443"."""
    parts = urlsplit(url)
    port = parts.port or _DEFAULT_PORTS.get(parts.scheme, 0)
    return f"{parts.scheme}://{(parts.hostname or '').lower()}:{port}"[:270]


def _render_address(template: RequestTemplate, context: Context) -> str:
    values = {}
    for row in template.path_params:
        values[row["name"]] = _part(
            f"Path parameter “{row['name']}”", render_typed, row["value"], context
        )
    url: str = _part("URL", render_url, template.url, {**context, **values}).strip()
    query = _render_rows("Query parameter", template.query_params, context)
    if query:
        head, mark, fragment = url.partition("#")
        url = f"{head}{'&' if '?' in head else '?'}{urlencode(query)}{mark}{fragment}"
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as error:
        raise RenderError("URL", f"“{url}” is no valid address ({error}).") from None
    if parts.scheme not in _DEFAULT_PORTS or not parts.hostname:
        raise RenderError("URL", f"“{url}” is no address that begins with http:// or https://.")
    return url


def _render_rows(what: str, rows: Rows, context: Context) -> list[tuple[str, str]]:
    return [
        (row["name"], _part(f"{what} “{row['name']}”", render_text, row["value"], context))
        for row in rows
    ]


def _render_body(
    template: RequestTemplate, context: Context, default_payload: Mapping[str, Any]
) -> tuple[str, str]:
    match template.body_kind:
        case "default":
            return "application/json", to_json(default_payload)
        case "json":
            document = _parse_json("Body", template.body)
            return "application/json", to_json(_part("Body", render_value, document, context))
        case "rows":
            rows = {row["name"]: _typed_row(row, context) for row in template.body_rows}
            return "application/json", to_json(rows)
        case "text":
            return "text/plain; charset=utf-8", _part("Body", render_text, template.body, context)
        case _:
            return "", ""


def _typed_row(row: Mapping[str, Any], context: Context) -> Any:
    part = f"Body row “{row['name']}”"
    value = _part(part, render_typed, str(row["value"]), context)
    match row["type"]:
        case "string":
            return _part(part, render_text, str(row["value"]), context)
        case "number":
            return _number(part, value)
        case "boolean":
            return _boolean(part, value)
        case _:
            if not isinstance(value, str):
                return value
            return _part(part, render_value, _parse_json(part, value), context)


def _number(part: str, value: Any) -> Any:
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        return value
    try:
        text = str(value).strip()
        return int(text) if text.lstrip("+-").isdigit() else float(text)
    except ValueError:
        raise RenderError(part, f"“{value}” is no number.") from None


def _boolean(part: str, value: Any) -> bool:
    if isinstance(value, bool):
        return value
    words = {
        "true": True,
        "yes": True,
        "1": True,
        "false": False,
        "no": False,
        "0": False,
        "": False,
    }
    try:
        return words[str(value).strip().lower()]
    except KeyError:
        raise RenderError(part, f"“{value}” is neither true nor false.") from None


def _parse_json(part: str, text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise RenderError(
            part, f"not valid JSON: {error.msg}.", line=error.lineno, column=error.colno
        ) from None


def to_json(value: Any) -> str:
    """Compact JSON; numbers stay numbers, dates become ISO 8601 texts."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=_plain)


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, Iterable) and not isinstance(value, str | bytes):
        return list(value)
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def _part(part: str, render: Any, source: Any, context: Context) -> Any:
    try:
        return render(source, context)
    except ExpressionError as error:
        raise _located(part, error) from None


def _located(part: str, error: ExpressionError) -> RenderError:
    path = getattr(error, "path", "")
    return RenderError(
        f"{part} at {path}" if path else part, str(error), line=error.line, column=error.column
    )
