"""Times between retries as people write them: "1 min, 5 min, 30 min", or exponential back-off with a cap:
"doubling from 30 s up to 1 h, 8 times". Pure."""

import re
from collections.abc import Iterable
from decimal import Decimal
from typing import Final

from webhooks.retries import exponential_delays_s

MIN_DELAY_S: Final = 1
MAX_DELAY_S: Final = 7 * 86_400
MAX_RETRIES: Final = 20

_UNITS: Final = {
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), 1),
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes"), 60),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours"), 3600),
    **dict.fromkeys(("d", "day", "days"), 86_400),
}
_SHOWN: Final = ((86_400, "day"), (3600, "h"), (60, "min"), (1, "s"))
_amount = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*([^\W\d_]*)")
_MAX_LENGTH: Final = 60
_doubling = re.compile(
    r"doubling\s+from\s+(.+?)\s+up\s+to\s+(.+?)[,\s]\s*([0-9]{1,4})\s+times", re.IGNORECASE
)


class DelayError(ValueError):
    """Text that is no list of delays; says which part, and how to write it."""


def parse_delays(text: str) -> list[int]:
    """Seconds, in order: "1 min, 1.5 h" → [60, 5400]. Nothing means no retries. Raises DelayError.

    "doubling from 1 min up to 5 min, 4 times" → [60, 120, 240, 300].
    """
    if doubling := _doubling.fullmatch(text.strip()):
        first, cap, count = doubling.groups()
        _check_count(int(count))
        return exponential_delays_s(
            first_s=parse_delay(first), cap_s=parse_delay(cap), count=int(count)
        )
    parts = [part.strip() for part in re.split(r"[,;\n]", text)]
    parts = [part for part in parts if part]
    _check_count(len(parts))
    return [parse_delay(part) for part in parts]


def _check_count(count: int) -> None:
    if count > MAX_RETRIES:
        raise DelayError(f"There are {count} retries; {MAX_RETRIES} are the most.")


def format_delays(delays_s: Iterable[int]) -> str:
    """[60, 5400] → "1 min, 1 h 30 min"."""
    return ", ".join(format_delay(delay) for delay in delays_s)


def format_delay(delay_s: int) -> str:
    words = []
    for size, unit in _SHOWN:
        count, delay_s = divmod(delay_s, size)
        if count:
            words.append(f"{count} {unit}{'s' if unit == 'day' and count > 1 else ''}")
    return " ".join(words) or "0 s"


def parse_delay(part: str) -> int:
    """Seconds: "1 h 30 min" → 5400. Raises DelayError."""
    amounts = _amount.findall(part[:_MAX_LENGTH])
    if len(part) > _MAX_LENGTH or not amounts or _amount.sub("", part).strip():
        raise DelayError(f"“{part[:40]}” is no time. Write it like 30 s, 5 min, 2 h or 1 day.")
    total = Decimal(0)
    for amount, unit in amounts:
        if not unit:
            raise DelayError(
                f"“{part[:40]}” has no unit. Write {amount} s, {amount} min or {amount} h."
            )
        if unit.lower() not in _UNITS:
            raise DelayError(f"“{unit[:20]}” is no unit of time. Use s, min, h or days.")
        total += Decimal(amount) * _UNITS[unit.lower()]
    if not MIN_DELAY_S <= total <= MAX_DELAY_S:
        raise DelayError(f"“{part[:40]}” is out of bounds: from 1 s to 7 days.")
    return round(total)
