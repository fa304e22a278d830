"""The forms in which documents come: ours, and those that people know from elsewhere."""

from collections.abc import Mapping
from typing import Any

from automations.document.schema import Document


def read_document(values: Mapping[str, Any]) -> dict[str, Any]:
    """Any accepted form as the one that is kept. Raises DocumentInvalid, naming what can't be read and where."""
    return Document.model_validate(dict(values)).model_dump(mode="json", by_alias=True)
