"""When a request is tried again. Pure: plain data in, a decision out."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

# After the first failure, the second, the third.
DEFAULT_DELAYS_S: Final = (60, 300, 1800)
# A worker that dies while it sends says nothing about the receiver, so the attempt is made up for.
# But a job that has seen so many workers die may be what kills them.
MAX_INTERRUPTIONS: Final = 10


@dataclass(frozen=True, slots=True)
class Verdict:
    """What an attempt's end means for its job."""

    status: Literal["succeeded", "pending", "failed"]
    next_attempt_at: datetime | None = None


def is_success(status_code: int | None, error_kind: str) -> bool:
    return not error_kind and status_code is not None and 200 <= status_code < 300


def judge_attempt(
    *,
    status_code: int | None,
    error_kind: str,
    delays_s: Sequence[int],
    tries: int,
    now: datetime,
) -> Verdict:
    """Succeeded, tried again later, or failed for good.

    `tries` counts the automatic attempts so far, this one included; manual retries and interruptions are
    not among them, so they neither reset nor use up the delays.
    """
    if is_success(status_code, error_kind):
        return Verdict("succeeded")
    if tries > len(delays_s):
        return Verdict("failed")
    return Verdict("pending", now + timedelta(seconds=delays_s[tries - 1]))
