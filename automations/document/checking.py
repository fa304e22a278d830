"""Every mistake in a document, each with the place where it is."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from automations.document.schema import Document


@dataclass(frozen=True, slots=True)
class Mistake:
    """`path`: a JSON Pointer into the document, such as /steps/0/config/url."""

    path: str
    message: str


def check_document(values: Mapping[str, Any]) -> list[Mistake]:
    """All mistakes, in the document's order; none when it can be published."""
    try:
        Document.model_validate(dict(values))
    except ValidationError as error:
        return [
            Mistake("".join(f"/{part}" for part in each["loc"]), each["msg"])
            for each in error.errors()
        ]
    return []
