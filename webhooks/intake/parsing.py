"""Making sense of a body by its content type. Pure."""

from collections.abc import Callable
from typing import Final

from webhooks.intake.charsets import decode, decode_leniently, xml_charset
from webhooks.intake.cleaning import clean_text
from webhooks.intake.content_types import split_content_type
from webhooks.intake.forms import parse_form
from webhooks.intake.json_bodies import parse_json
from webhooks.intake.multipart import parse_multipart
from webhooks.intake.parsed import Limits, Parsed
from webhooks.intake.refusals import Malformed, Refusal

DEFAULT_LIMITS: Final = Limits()
_NOT_ALL_UTF8: Final = "The body is not all UTF-8; marks stand where bytes are no text."


def parse(body: bytes, content_type: str, limits: Limits = DEFAULT_LIMITS) -> Parsed:
    """Understand a body. Whatever it is, nothing but a Refusal is raised.

    Without a content type it is JSON if it can be read as an object or an array, else text. XML stays text: it is
    never parsed, so it cannot expand or fetch anything. What is neither declared text nor UTF-8 is binary.
    """
    if not body:
        return Parsed("empty")
    name, parameters = split_content_type(content_type)
    charset = parameters.get("charset", "")
    if name == "multipart/form-data":
        return _multipart(body, parameters.get("boundary", ""), limits)
    return _reader_of(name)(body, charset, limits)


def _reader_of(name: str) -> Callable[[bytes, str, Limits], Parsed]:
    if not name:
        return _untyped
    if name in ("application/json", "text/json") or name.endswith("+json"):
        return _json
    if name == "application/x-www-form-urlencoded":
        return _form
    if name in ("application/xml", "text/xml") or name.endswith("+xml"):
        return _xml
    return _text if name.startswith("text/") else _other


def _json(body: bytes, charset: str, limits: Limits) -> Parsed:
    text = decode(body, charset)
    if not text.strip():
        return Parsed("empty", raw_text=clean_text(text))
    value, notes = parse_json(text, limits)
    return Parsed("json", value, clean_text(text), notes=notes)


def _form(body: bytes, charset: str, limits: Limits) -> Parsed:
    return Parsed("form", parse_form(body, charset, limits), _text(body, charset, limits).raw_text)


def _multipart(body: bytes, boundary: str, limits: Limits) -> Parsed:
    value, files = parse_multipart(body, boundary, limits)
    return Parsed("multipart", value, _raw_text(body), files)


def _xml(body: bytes, charset: str, limits: Limits) -> Parsed:
    text = clean_text(decode(body, charset or xml_charset(body)))
    return Parsed("xml", text, text)


def _text(body: bytes, charset: str, limits: Limits) -> Parsed:
    if charset:
        text = clean_text(decode(body, charset))
        return Parsed("text", text, text)
    decoded, is_exact = decode_leniently(body)
    text = clean_text(decoded)
    return Parsed("text", text, text, notes=() if is_exact else (_NOT_ALL_UTF8,))


def _other(body: bytes, charset: str, limits: Limits) -> Parsed:
    """YAML, GraphQL, images: text if it can be."""
    if charset:
        return _text(body, charset, limits)
    text = _raw_text(body)
    return Parsed("text", text, text) if text else Parsed("binary")


def _untyped(body: bytes, charset: str, limits: Limits) -> Parsed:
    if body.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"{", b"["):
        try:
            return _json(body, charset, limits)
        except Refusal:  # it never said that it is JSON
            pass
    return _other(body, charset, limits)


def _raw_text(body: bytes) -> str:
    """The body if it is all text, else nothing."""
    if b"\0" in body and not body.startswith((b"\xff\xfe", b"\xfe\xff")):
        return ""
    try:
        return clean_text(decode(body))
    except Malformed:
        return ""
