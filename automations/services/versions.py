"""Versions side by side, and automations as JSON that goes from one installation to another."""

from collections.abc import Mapping
from typing import Any, Final

from django.db import transaction

from automations.document.comparing import Change, compare_documents
from automations.document.forms import read_document
from automations.exceptions import DocumentInvalid
from automations.models import Automation, AutomationVersion
from automations.services.automations import create_automation
from automations.steps import ACTIONS
from records.models import User

FORMAT: Final = "signalbox.automation/1"
_UNNAMED: Final = "Imported automation"
_MAX_NAME: Final = 120


def compare_versions(one: AutomationVersion, other: AutomationVersion) -> list[Change]:
    """What `other` has that `one` has not, and the other way round. For a draft: `compare_documents`."""
    return compare_documents(one.document, other.document)


def export_automation(automation: Automation) -> dict[str, Any]:
    """The draft, which is what people see, as JSON. Secrets are in it by name only."""
    try:
        document = read_document(automation.draft)
    except DocumentInvalid:  # it is exported as it stands, for people to look at
        document = automation.draft
    return {
        "format": FORMAT,
        "name": automation.name,
        "description": automation.description,
        "document": document,
    }


@transaction.atomic
def import_automation(values: Any, actor: User | None = None) -> Automation:
    """A new automation, switched off, from an export, from a document in any form, or from steps alone.

    A name that there is already gets a number. Raises DocumentInvalid, with the places in what was given.
    """
    name, description, path, document = _parts(values)
    try:
        draft = read_document(document)
    except DocumentInvalid as invalid:
        raise DocumentInvalid([(path + at, words) for at, words in invalid.mistakes]) from None
    return create_automation(
        name=_free_name(name), draft=draft, description=description, actor=actor
    )


def _parts(values: Any) -> tuple[str, str, str, Any]:
    """Name, description, where the document is in what was given, and the document."""
    if isinstance(values, list):
        return _UNNAMED, "", "", {"steps": values}
    if not isinstance(values, Mapping):
        words = "An automation is an object, such as an exported one; this is something else."
        raise DocumentInvalid([("", words)])
    if values.get("format", FORMAT) != FORMAT:
        words = f"The format is “{str(values['format'])[:60]}”; only {FORMAT} can be read here."
        raise DocumentInvalid([("/format", words)])
    name = _text(values, "name", _MAX_NAME) or _UNNAMED
    if "trigger" not in values and values.get("type") in ACTIONS:
        return name, "", "", {"steps": [dict(values)]}
    description = _text(values, "description", 10_000)
    if "document" in values:
        unknown = values.keys() - {"format", "name", "description", "document"}
        if unknown:
            words = "This is not known here; beside the document there are name and description."
            raise DocumentInvalid([(f"/{key}", words) for key in sorted(map(str, unknown))])
        return name, description, "/document", values["document"]
    rest = {k: v for k, v in values.items() if k not in ("format", "name", "description")}
    return name, description, "", rest


def _text(values: Mapping[str, Any], key: str, length: int) -> str:
    value = values.get(key) or ""
    if not isinstance(value, str) or "\0" in value or not _can_be_stored(value):
        raise DocumentInvalid([(f"/{key}", "Enter text here.")])
    if len(value) > length:
        raise DocumentInvalid([(f"/{key}", f"It is too long; {length} characters are the most.")])
    return value.strip() if key == "name" else value


def _can_be_stored(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _free_name(name: str) -> str:
    """The name, or the name with the first number that makes it a new one: “Welcome (2)”."""
    taken = set(
        Automation.objects.filter(name__startswith=name[: _MAX_NAME - 10]).values_list(
            "name", flat=True
        )
    )
    number, candidate = 1, name
    while candidate in taken:
        number += 1
        candidate = f"{name[: _MAX_NAME - 10]} ({number})"
    return candidate
