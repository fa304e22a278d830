"""What is understood of a body, and how much of it may be there to understand. Pure."""

from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal["empty", "json", "form", "multipart", "text", "xml", "binary"]


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one body may hold, whatever its size in bytes. Beyond any of them it is refused with 413."""

    # Python's parsers, and what walks a value later, go one call deeper for each level.
    depth: int = 32
    # Keys and items of all objects and arrays together.
    items: int = 10_000
    # Of a form or a query.
    fields: int = 1_000
    # Of a multipart body, files and fields alike.
    parts: int = 100


@dataclass(frozen=True, slots=True)
class IncomingFile:
    """A file of a multipart body. Its name has no path, its content type is what the sender says it is."""

    field: str
    filename: str
    content_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Parsed:
    """A body that was understood.

    `value` and `raw_text` hold nothing that a database refuses (no NUL, no half of a character). `value` is what JSON
    can hold; None for an empty and for a binary body. `raw_text` is empty where the body is no text.
    `notes`: what was done to it that its sender may not expect, in words.
    """

    kind: Kind
    value: Any = None
    raw_text: str = ""
    files: tuple[IncomingFile, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def is_binary(self) -> bool:
        return self.kind == "binary"
