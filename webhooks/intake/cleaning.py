"""Text and values as any database takes them. Pure.

PostgreSQL's jsonb refuses NUL, and halves of characters (lone surrogates) cannot be written as UTF-8. Both get the mark
that Unicode has for what cannot be shown.
"""

import re
from typing import Any, Final

_UNSTORABLE: Final = re.compile("[\0\ud800-\udfff]")
_MARK: Final = "\N{REPLACEMENT CHARACTER}"


def clean_text(text: str) -> str:
    return _UNSTORABLE.sub(_MARK, text)


def clean_value(value: Any) -> Any:
    """A JSON value with all its texts and keys cleaned. As deep as it is, so deep does this call itself."""
    if isinstance(value, str):
        return clean_text(value)
    if isinstance(value, dict):
        return {clean_text(key): clean_value(item) for key, item in value.items()}
    if isinstance(value, list):
        return [clean_value(item) for item in value]
    return value
