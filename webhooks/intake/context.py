"""What expressions see of a request that came in: `{{ webhook.body.email }}`. Pure."""

from collections.abc import Iterable, Mapping
from typing import Any

from webhooks.intake.cleaning import clean_text
from webhooks.intake.content_types import media_type
from webhooks.intake.parsed import Parsed
from webhooks.masking import mask_header


def webhook_context(
    method: str, headers: Iterable[tuple[str, str]], query: Mapping[str, Any], parsed: Parsed
) -> dict[str, Any]:
    """`method`, `headers`, `query`, `body`, `raw` and `content_type` as JSON can hold them.

    Headers have lower-case names; one that comes several times is joined by commas (RFC 9110, section 5.3).
    Credentials among them are masked: this is stored with the run. `query` is that of `parse_query`.
    """
    joined = _joined(headers)
    return {
        "method": clean_text(method),
        "headers": joined,
        "query": dict(query),
        "body": parsed.value,
        "raw": parsed.raw_text,
        "content_type": media_type(joined.get("content-type", "")),
    }


def _joined(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    together: dict[str, list[str]] = {}
    for name, value in headers:
        clean_name = clean_text(name)
        masked = mask_header(clean_name, clean_text(value))
        together.setdefault(clean_name.lower(), []).append(masked)
    return {name: ", ".join(values) for name, values in together.items()}
