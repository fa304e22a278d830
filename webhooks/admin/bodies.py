"""Bodies for people: JSON indented and coloured, text as it is, and what is no text said to be none."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString, mark_safe

# Beyond, a body is shown as it is: colouring it would make the page heavy.
_MAX_PRETTY: Final = 200_000
_MAX_INDENT: Final = 40
_TOKENS: Final = re.compile(
    r'(?P<string>"(?:[^"\\]|\\.)*")|(?P<number>-?\d[\d.eE+-]*)|(?P<word>true|false|null)'
    r"|(?P<open>[{\[])|(?P<close>[}\]])|(?P<comma>,)|(?P<colon>:)"
)
_STRANGE: Final = re.compile("[\ufffd\x00-\x08\x0e-\x1f]")


@dataclass(frozen=True, slots=True)
class BodyView:
    """`pretty` is set for JSON. `note` says what the reader does not see."""

    raw: str
    pretty: SafeString | None
    note: str
    is_binary: bool
    # It was too old to keep.
    is_removed: bool = False

    @property
    def size(self) -> int:
        return len(self.raw.encode())


def view_body(text: str, *, truncated: bool = False, removed: bool = False) -> BodyView:
    is_binary = len(_STRANGE.findall(text)) > max(2, len(text) // 50)
    note = ""
    if is_binary:
        note = "This is no text; what can't be shown is marked �."
    if truncated:
        note = f"{note} Only the beginning was kept; there was more.".strip()
    pretty = None if is_binary else pretty_json(text)
    return BodyView(text, pretty, note, is_binary, is_removed=removed and not text)


def pretty_json(text: str) -> SafeString | None:
    """Indented, coloured JSON; every value is written as it was. None for what is no JSON object or list."""
    if len(text) > _MAX_PRETTY or text.lstrip()[:1] not in ("{", "["):
        return None
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return None
    return mark_safe("".join(_pieces(text)))  # every piece is escaped


def _pieces(text: str) -> Iterator[str]:
    depth = 0
    after_open = False
    for match in _TOKENS.finditer(text):
        kind = match.lastgroup or ""
        if kind == "close":
            depth -= 1
        if (kind == "close") != after_open and (after_open or kind == "close"):
            yield _new_line(depth)
        yield _coloured(kind, match.group(), text, match.end())
        after_open = kind == "open"
        if after_open:
            depth += 1
        elif kind == "comma":
            yield _new_line(depth)


def _new_line(depth: int) -> str:
    return "\n" + "  " * min(depth, _MAX_INDENT)


def _coloured(kind: str, token: str, text: str, end: int) -> str:
    match kind:
        case "string":
            is_key = text[end : end + 20].lstrip()[:1] == ":"
            return format_html('<span class="json-{}">{}</span>', "key" if is_key else kind, token)
        case "number" | "word":
            return format_html('<span class="json-{}">{}</span>', kind, token)
        case "colon":
            return ": "
        case _:
            return conditional_escape(token)


def with_code(text: str) -> SafeString:
    """Words with `marks` around code, as errors have them."""
    parts = text.split("`")
    if len(parts) % 2 == 0:  # a mark without its pair
        return conditional_escape(text)
    return mark_safe(  # the parts are escaped
        "".join(
            format_html("<code>{}</code>", part) if index % 2 else conditional_escape(part)
            for index, part in enumerate(parts)
        )
    )
