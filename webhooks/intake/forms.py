"""Form-encoded bodies and queries. Pure.

Names stay as they are: `a[b]` is a name like any other. A name that comes several times has a list.
"""

from collections.abc import Iterable
from typing import Any
from urllib.parse import parse_qsl

from webhooks.intake.charsets import codec_of
from webhooks.intake.cleaning import clean_text
from webhooks.intake.parsed import Limits
from webhooks.intake.refusals import TooLarge


def parse_form(body: bytes, charset: str, limits: Limits) -> dict[str, Any]:
    """The fields of a body. Bytes that are no text of the charset get marks. Raises TooLarge, UnsupportedMedia."""
    codec = codec_of(charset or "utf-8")
    return gather(split_pairs(body.decode(codec, errors="replace"), codec, limits, what="The form"))


def split_pairs(text: str, codec: str, limits: Limits, *, what: str) -> list[tuple[str, str]]:
    """Names and values, decoded, also those without a value. `what` begins the words of a refusal."""
    if text.count("&") + 1 > limits.fields:
        raise TooLarge(f"{what} has more than {limits.fields:,} fields. Send fewer.")
    return parse_qsl(text, keep_blank_values=True, encoding=codec, errors="replace")


def gather(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """A mapping of pairs: one value stays itself, several are a list."""
    together: dict[str, list[Any]] = {}
    for name, value in pairs:
        clean = clean_text(value) if isinstance(value, str) else value
        together.setdefault(clean_text(name), []).append(clean)
    return {name: found[0] if len(found) == 1 else found for name, found in together.items()}
