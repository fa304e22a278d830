"""The expressions in the texts of a configuration: their syntax, and whether their names are there. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from records.expressions.documents import pointer_token
from webhooks.names import Known, Names
from webhooks.validation import check_text

# More than this of one step tells nobody more.
MAX_MISTAKES: Final = 20


def problems_in_texts(
    title: str, value: Any, names: Names, known: Known, *, is_url: bool = False
) -> Iterator[tuple[str, str]]:
    """(JSON Pointer within the value, words) for every text in a value that may hold expressions."""
    count = 0
    for path, text in texts_in(value):
        for error in check_text(title, text, names, known, "url" if is_url else "text"):
            yield path, str(error)
            count += 1
        if count >= MAX_MISTAKES:
            return


def texts_in(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Every text with a brace in it, with its JSON Pointer."""
    if isinstance(value, str):
        if "{" in value:
            yield path, value
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from texts_in(inner, f"{path}/{pointer_token(key)}")
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            yield from texts_in(inner, f"{path}/{place}")
