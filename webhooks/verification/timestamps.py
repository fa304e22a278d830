"""Timestamps of requests: read strictly, and not too far from now. Pure."""

import re
from datetime import datetime

from webhooks.verification.verdicts import Refused

# Not int() alone: it also takes other scripts' digits, underscores, signs and blanks.
_is_timestamp = re.compile(r"[0-9]{1,12}").fullmatch


def require_recent(text: str, *, header: str, now: datetime, tolerance_s: int) -> None:
    """Raises Refused unless the text is Unix time in seconds, and not further from now than that."""
    if not _is_timestamp(text):
        raise Refused(f"The timestamp in `{header}` is no Unix time in seconds.")
    age_s = int(now.timestamp()) - int(text)
    if abs(age_s) > tolerance_s:
        where = "in the past" if age_s > 0 else "in the future"
        raise Refused(
            f"The timestamp in `{header}` is {abs(age_s)} seconds {where}, and {tolerance_s} are"
            " allowed: the request is an old one sent again, or one of the two clocks is wrong."
        )
