"""What came in, as verification sees it. Pure."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from webhooks.verification.verdicts import Refused

# Beyond this no sender's header goes, and the work that a header makes is bounded.
MAX_HEADER_LENGTH: Final = 8 * 1024


class Headers:
    """Headers by name, upper or lower case alike.

    Values are as WSGI has them: one character for each byte (latin-1).
    """

    __slots__ = ("_values",)

    def __init__(self, pairs: Iterable[tuple[str, str]]) -> None:
        self._values: defaultdict[str, list[str]] = defaultdict(list)
        for name, value in pairs:
            self._values[name.lower()].append(value)

    def __contains__(self, name: str) -> bool:
        return name.lower() in self._values

    def one(self, name: str) -> str | None:
        """The header's value, or None when it is absent. Raises Refused when it is there twice or too long."""
        values = self._values.get(name.lower())
        if values is None:
            return None
        if len(values) > 1:
            raise Refused(f"Expected one header `{name}`, but it came {len(values)} times.")
        if len(values[0]) > MAX_HEADER_LENGTH:
            raise Refused(f"The header `{name}` is longer than {MAX_HEADER_LENGTH} characters.")
        return values[0]

    def required(self, name: str) -> str:
        """The header's value. Raises Refused when it is absent, empty, there twice or too long."""
        value = self.one(name)
        if value is None:
            raise Refused(f"The header `{name}` is missing.")
        if not value:
            raise Refused(f"The header `{name}` is empty.")
        return value


@dataclass(frozen=True, slots=True)
class Arrival:
    """A request that came in: the body is the raw bytes, and `now` the aware time it arrived."""

    method: str
    path: str
    headers: Headers = field(repr=False)
    body: bytes = field(repr=False)
    remote_address: str
    now: datetime
