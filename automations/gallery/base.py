"""What a template of the gallery is: words for its card, blanks to fill, and the document that they make. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

BlankKind = Literal["object", "field", "stage", "team", "secret", "url", "text"]
Values = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Blank:
    """One thing to choose or write. `field_kinds`: which fields of the object fit; none: all.

    `example` is what stands in the document while nothing is given, where nothing would be no mistake: its card
    then says what is missing.
    """

    name: str
    kind: BlankKind
    label: str
    help: str = ""
    example: str = ""
    field_kinds: tuple[str, ...] = ()
    is_optional: bool = False
    # A field: the first that fits is chosen beforehand.
    is_suggested: bool = False


@dataclass(frozen=True, slots=True)
class Template:
    """`use`: what it is good for, in one line. `make`: the document for what was filled in."""

    slug: str
    title: str
    use: str
    icon: str
    blanks: tuple[Blank, ...]
    make: Callable[[Values], dict[str, Any]]


NAMED_BY = Blank(
    "name_field", "field", "Named by", "The field that the message shows.", is_suggested=True
)
OBJECT = Blank("object", "object", "Object", "The records that it is about.")


def step(kind: str, step_id: str, title: str, /, **config: Any) -> dict[str, Any]:
    return {"id": step_id, "type": kind, "name": title, "config": config}


def document(trigger: Mapping[str, Any], *steps: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    """`more`: conditions, settings."""
    parts = {"conditions": None, "settings": {}} | more
    return {"trigger": dict(trigger), "steps": [dict(each) for each in steps], **parts}


def bearer(secret: str) -> dict[str, str]:
    return {"kind": "bearer", "secret": secret} if secret else {}
