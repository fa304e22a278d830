"""Sets of HTTP statuses as people write them: "2xx", "404", "500-599", separated by commas. Pure."""

import re
from dataclasses import dataclass
from functools import lru_cache

_CLASS = re.compile(r"([1-5])xx\Z", re.IGNORECASE)
_RANGE = re.compile(r"(\d{3})\s*[-–]\s*(\d{3})\Z")
_ONE = re.compile(r"\d{3}\Z")


class StatusSyntaxError(ValueError):
    """A part of the text is no status, class or range."""

    def __init__(self, part: str, position: int) -> None:
        super().__init__(
            f"“{part}” (part {position}) is no status. Write a status (404), a class (5xx) or a range"
            " (500-599), separated by commas."
        )


@dataclass(frozen=True, slots=True)
class StatusSet:
    ranges: tuple[tuple[int, int], ...]

    def __contains__(self, status: object) -> bool:
        return isinstance(status, int) and any(low <= status <= high for low, high in self.ranges)

    def __bool__(self) -> bool:
        return bool(self.ranges)


@lru_cache(maxsize=512)
def parse_statuses(text: str) -> StatusSet:
    """The set that a text describes; an empty text is the empty set. Raises StatusSyntaxError."""
    parts = [part.strip() for part in text.split(",")]
    if parts == [""]:
        return StatusSet(())
    return StatusSet(tuple(_range_of(part, index) for index, part in enumerate(parts, start=1)))


def _range_of(part: str, position: int) -> tuple[int, int]:
    if found := _CLASS.match(part):
        low = int(found[1]) * 100
        return low, low + 99
    if found := _RANGE.match(part):
        low, high = int(found[1]), int(found[2])
    elif _ONE.match(part):
        low = high = int(part)
    else:
        raise StatusSyntaxError(part, position)
    if not 100 <= low <= high <= 599:
        raise StatusSyntaxError(part, position)
    return low, high
