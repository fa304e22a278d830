"""TypeIDs: `prefix_` and a sortable UUIDv7 in 26 characters of base 32.

Source: https://github.com/jetify-com/typeid/blob/main/spec/README.md and RFC 9562, section 5.7.
In the database an id is a plain UUID; everywhere else it is its text.
"""

import os
import threading
import time
import uuid
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from django.core.exceptions import BadRequest, ValidationError
from django.db import models

ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_VALUES = {character: value for value, character in enumerate(ALPHABET)}
_PAIRS = [a + b for a in ALPHABET for b in ALPHABET]
SUFFIX_LENGTH = 26
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_lock = threading.Lock()
_last = 0
# Random bytes for the next ids. Asking the system for eight at a time would have each id give its turn to run away to
# another thread, and wait for the next.
_random = memoryview(b"")


def uuid7() -> uuid.UUID:
    """A UUIDv7 that is later than every one this process made before (RFC 9562, 6.2, method 3)."""
    global _last, _random
    # 48 bits of milliseconds, then 12 bits of the fraction: order within a millisecond.
    stamp = time.time_ns() * 4096 // 1_000_000
    with _lock:
        _last = stamp = max(stamp, _last + 1)
        if not _random:
            _random = memoryview(os.urandom(4096))
        chance, _random = _random[:8], _random[8:]
    value = (stamp >> 12) << 80 | 0x7 << 76 | (stamp & 0xFFF) << 64
    value |= 0b10 << 62 | int.from_bytes(chance, "big") >> 2
    return uuid.UUID(int=value)


def _forget_random() -> None:
    """A process that was forked must not make the ids of its parent."""
    global _random
    _random = memoryview(b"")


os.register_at_fork(after_in_child=_forget_random)


def encode(prefix: str, value: uuid.UUID) -> str:
    """The text of an id: `rec_01h455vb4pex5vsknk084sn02q`."""
    number = value.int
    return f"{prefix}_" + "".join(
        [_PAIRS[(number >> shift) & 1023] for shift in range(120, -1, -10)]
    )


def decode(prefix: str, text: str) -> uuid.UUID:
    """The UUID in an id's text. Raises ValueError when the text is no id of this kind."""
    head, _, suffix = text.rpartition("_")
    if head != prefix or len(suffix) != SUFFIX_LENGTH or suffix[0] > "7":
        raise ValueError(f"“{text}” is not an id of the form {prefix}_ and 26 characters.")
    number = 0
    try:
        for character in suffix:
            number = number << 5 | _VALUES[character]
    except KeyError:
        raise ValueError(f"“{text}” has a character that no id has.") from None
    return uuid.UUID(int=number)


def new_id(prefix: str) -> str:
    """A new id of one kind."""
    return encode(prefix, uuid7())


def first_id_at(prefix: str, when: datetime) -> str:
    """The lowest id of that millisecond: a range of time is a range of ids, and needs no index."""
    milliseconds = (when - _EPOCH) // timedelta(milliseconds=1)
    return encode(prefix, uuid.UUID(int=max(0, milliseconds) << 80))


def moment_of(text: str) -> datetime:
    """When an id was made, to the millisecond. Raises ValueError when the text is no id."""
    value = decode(text.rpartition("_")[0], text)
    return _EPOCH + timedelta(milliseconds=value.int >> 80)


class NotAnId(ValidationError, BadRequest):
    """A text that is no id where one is looked up: whoever sent it is answered 400."""


class TypeIDField(models.UUIDField):  # type: ignore[type-arg]
    """A UUID column whose Python value is the TypeID's text."""

    # What django-stubs goes by.
    _pyi_private_set_type: str
    _pyi_private_get_type: str  # type: ignore[assignment]
    _pyi_lookup_exact_type: str

    def __init__(self, prefix: str, **kwargs: Any) -> None:
        self.prefix = prefix
        if kwargs.get("primary_key"):
            kwargs["default"] = partial(new_id, prefix)
            kwargs["editable"] = False
        super().__init__(**kwargs)

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        if self.primary_key:  # both follow from the prefix
            del kwargs["default"], kwargs["editable"]
        return name, path, [self.prefix, *args], kwargs

    def from_db_value(
        self, value: uuid.UUID | None, expression: Any, connection: Any
    ) -> str | None:
        return None if value is None else encode(self.prefix, value)

    def to_python(self, value: Any) -> str | None:
        if value is None:
            return value
        if isinstance(value, uuid.UUID):
            return encode(self.prefix, value)
        try:
            return encode(self.prefix, decode(self.prefix, str(value)))
        except ValueError as error:
            raise ValidationError(str(error)) from None

    def get_prep_value(self, value: Any) -> Any:
        """The UUID, or ValidationError at once: a filter by a text that is no id fails where it is written."""
        if not isinstance(value, str):
            return value
        try:
            return self._read(value)
        except ValueError as error:
            raise NotAnId(str(error)) from None

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:
        return super().get_db_prep_value(self.get_prep_value(value), connection, prepared)

    def _read(self, text: str) -> uuid.UUID:
        if len(text) == 32 and "_" not in text:
            # As SQLite stores it: prefetching a many-to-many relation asks for that form.
            return uuid.UUID(hex=text)
        return decode(self.prefix, text)

    def formfield(self, **kwargs: Any) -> Any:
        from django import forms

        return models.Field.formfield(self, **{"form_class": forms.CharField, **kwargs})
