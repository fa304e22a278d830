"""Requests that come back through other systems: each knows how many of ours lie behind it. Pure.

What we send carries the depth of what caused it; whoever answers it with a request to us, and passes the header on,
lets us see that it is our own voice coming back. Who drops the header is held by the rate limits.
"""

from collections.abc import Iterable
from typing import Final

from webhooks.intake.refusals import LoopDetected

DEPTH_HEADER: Final = "signalbox-depth"
# Real chains have two or three links.
MAX_DEPTH: Final = 10


def depth_of(headers: Iterable[tuple[str, str]]) -> int:
    """How many of our requests lie behind this one: 0 without the header or where it is no number.

    Of several the largest counts. Never more than MAX_DEPTH, so that it always fits a column.
    """
    written = (value for name, value in headers if name.lower() == DEPTH_HEADER)
    numbers = (_number(part.strip()) for value in written for part in value.split(","))
    return max(numbers, default=0)


def check_depth(headers: Iterable[tuple[str, str]]) -> int:
    """The depth of a request. Raises LoopDetected when it has come round too often."""
    depth = depth_of(headers)
    if depth >= MAX_DEPTH:
        raise LoopDetected(
            f"This request is the {MAX_DEPTH}th of a chain that goes through Signalbox again and again "
            f"(header `{DEPTH_HEADER}`): a webhook or an automation here calls a system that calls this endpoint, "
            "which sets off the webhook again. Give one of them a condition that ends it, for example that it fires "
            "only if the value really changes."
        )
    return depth


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        return 0
    digits = text.lstrip("0")
    return MAX_DEPTH if len(digits) > 4 else min(int(digits or "0"), MAX_DEPTH)
