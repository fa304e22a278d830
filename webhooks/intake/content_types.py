"""Content types: taken apart, and held against what an endpoint allows. Pure.

Syntax: RFC 9110, section 8.3.
"""

import re
from collections.abc import Sequence
from typing import Final

from webhooks.intake.refusals import Malformed, UnsupportedMedia

# Far more than any sender needs; what is longer is no content type.
MAX_LENGTH: Final = 1_000
_TOKEN: Final = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"  # noqa: S105
_is_media_type = re.compile(rf"{_TOKEN}/{_TOKEN}").fullmatch
_PARAMETER: Final = re.compile(rf';\s*({_TOKEN})\s*=\s*("(?:[^"\\]++|\\.)*+"|[^;"]*)', re.DOTALL)
_ESCAPED: Final = re.compile(r'\\(["\\])')


def media_type(content_type: str) -> str:
    """`application/json` of `Application/JSON; charset=utf-8`; "" where there is none."""
    return content_type.partition(";")[0].strip().lower()


def split_content_type(content_type: str) -> tuple[str, dict[str, str]]:
    """The media type in lower case, and the parameters with their names in lower case.

    Raises Malformed for what is no content type.
    """
    name = media_type(content_type)
    if len(content_type) > MAX_LENGTH or (name and not _is_media_type(name)):
        raise Malformed(
            f"The header Content-Type is no content type: `{_shown(content_type)}`. "
            "Send one like `application/json`, or none."
        )
    return name, parameters(content_type)


def parameters(header: str) -> dict[str, str]:
    """`; name=value; other="quoted"` of a header; of a name that comes twice, the first."""
    found: dict[str, str] = {}
    for name, value in _PARAMETER.findall(header):
        found.setdefault(name.lower(), _unquoted(value))
    return found


def is_allowed(content_type: str, patterns: Sequence[str]) -> bool:
    """Whether one of the patterns (`application/json`, `text/*`, `*/*`) has it. No patterns allow everything."""
    if not patterns:
        return True
    name = media_type(content_type)
    return any(_matches(name, pattern.strip().lower()) for pattern in patterns)


def check_content_type(content_type: str, patterns: Sequence[str]) -> None:
    """Raise UnsupportedMedia, with what is allowed, unless one of the patterns has it. Not for empty bodies."""
    if is_allowed(content_type, patterns):
        return
    allowed = ", ".join(pattern.strip() for pattern in patterns)
    sent = f"`{_shown(media_type(content_type))}`" if content_type.strip() else "no content type"
    raise UnsupportedMedia(
        f"This endpoint does not take {sent}. It takes: {allowed}. "
        "Send one of these, or allow more in the endpoint's settings.",
        headers={"Accept": allowed},
    )


def pattern_problem(pattern: str) -> str | None:
    """Why this cannot be among the allowed content types, in words; None when it can."""
    name = pattern.strip()
    if _is_media_type(name) and not name.startswith("*/") and "*" not in name[:-1]:
        if name.endswith("*") and not name.endswith("/*"):
            return f"“{name}”: the star stands for a whole name: `text/*`."
        return None
    if name == "*/*":
        return None
    return f"“{name}” is no content type. Write one like `application/json`, `text/*` or `*/*`."


def _matches(name: str, pattern: str) -> bool:
    if pattern == "*/*":
        return True
    if pattern.endswith("/*"):
        return name.startswith(pattern[:-1])
    return name == pattern


def _unquoted(value: str) -> str:
    if value.startswith('"'):
        return _ESCAPED.sub(r"\1", value[1:-1])
    return value.strip()


def _shown(text: str) -> str:
    """Of what a sender wrote, so much as an answer may repeat."""
    shown = "".join(char if char.isprintable() else "?" for char in text[:100])
    return f"{shown}…" if len(text) > 100 else shown
