"""When a request is tried again. Pure: plain data in, a decision out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Final, Literal

from webhooks.statuses import parse_statuses

# After the first failure, the second, the third.
DEFAULT_DELAYS_S: Final = (60, 300, 1800)
DEFAULT_SUCCESS: Final = "2xx"
# A worker that dies while it sends says nothing about the receiver, so the attempt is made up for.
# But a job that has seen so many workers die may be what kills them.
MAX_INTERRUPTIONS: Final = 10
# A receiver may ask for patience, not for eternity.
MAX_RETRY_AFTER_S: Final = 24 * 3600
GONE: Final = 410
ASKS_FOR_PATIENCE: Final = (429, 503)
# Nothing that time could mend: what is to be sent can't be sent.
_UNSENDABLE: Final = ("invalid",)


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """What succeeds, what is tried again, and when. Statuses are texts as in `webhooks.statuses`.

    `retry`: empty means everything that is neither success nor halt. `jitter_percent`: each delay is made
    longer by a random part of up to so much. `max_age_s`: a job this old is not tried again.
    """

    delays_s: Sequence[int] = DEFAULT_DELAYS_S
    jitter_percent: int = 0
    max_age_s: int | None = None
    success: str = DEFAULT_SUCCESS
    retry: str = ""
    halt: str = ""

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "RetryPolicy":
        return cls(**values)

    def to_json(self) -> dict[str, Any]:
        """Only what differs from the defaults."""
        values = {name: getattr(self, name) for name in self.__slots__}
        values["delays_s"] = list(self.delays_s)
        return {
            name: value
            for name, value in values.items()
            if name == "delays_s" or value != getattr(_DEFAULT, name)
        }


_DEFAULT: Final = RetryPolicy()


@dataclass(frozen=True, slots=True)
class Verdict:
    """What an attempt's end means for its job. `reason`: why there is no further attempt."""

    status: Literal["succeeded", "pending", "failed"]
    next_attempt_at: datetime | None = None
    reason: str = ""
    # 410 Gone: the receiver does not want this webhook any more.
    is_gone: bool = False


def exponential_delays_s(*, first_s: int, cap_s: int, count: int) -> list[int]:
    """Delays that double from `first_s` up to `cap_s`: exponential back-off as a list."""
    return [min(cap_s, first_s * 2**number) for number in range(count)]


def judge_attempt(
    policy: RetryPolicy,
    *,
    status_code: int | None,
    error_kind: str,
    is_hopeless: bool = False,
    retry_after: str = "",
    tries: int,
    age_s: float,
    now: datetime,
    chance: float = 0.0,
) -> Verdict:
    """Succeeded, tried again later, or failed for good.

    `tries` counts the automatic attempts so far, this one included; manual retries and interruptions are
    not among them, so they neither reset nor use up the delays. `is_hopeless`: the address as it is written is
    refused, whatever the name servers say later. `retry_after` is the answer's header.
    `chance` in [0, 1) is what the jitter is made of.
    """
    if not error_kind and status_code in parse_statuses(policy.success):
        return Verdict("succeeded")
    if reason := _why_hopeless(error_kind, is_hopeless) or _why_not_again(
        policy, status_code, error_kind, tries
    ):
        return Verdict("failed", reason=reason, is_gone=not error_kind and status_code == GONE)
    delay_s = policy.delays_s[tries - 1] * (1 + chance * policy.jitter_percent / 100)
    if status_code in ASKS_FOR_PATIENCE:
        delay_s = max(delay_s, retry_after_s(retry_after, now))
    if policy.max_age_s is not None and age_s + delay_s > policy.max_age_s:
        return Verdict(
            "failed", reason="The next attempt would come after the webhook's maximum age."
        )
    return Verdict("pending", now + timedelta(seconds=delay_s))


def _why_hopeless(error_kind: str, is_hopeless: bool) -> str:
    if error_kind in _UNSENDABLE:
        return "A retry can't help: what is to be sent can't be sent as it is."
    if is_hopeless:
        return (
            "A retry can't help: the URL names an address that this installation does not send to."
        )
    return ""


def _why_not_again(
    policy: RetryPolicy, status_code: int | None, error_kind: str, tries: int
) -> str:
    if status_code is not None and not error_kind:
        if status_code in parse_statuses(policy.halt):
            return f"The webhook halts on status {status_code}."
        if status_code == GONE and status_code not in parse_statuses(policy.retry):
            return "410 Gone: the receiver does not want these requests any more."
        retried = parse_statuses(policy.retry)
        if retried and status_code not in retried:
            return f"The webhook does not retry status {status_code}."
    if tries > len(policy.delays_s):
        return "All attempts are used up." if policy.delays_s else "The webhook does not retry."
    return ""


def retry_after_s(header: str, now: datetime) -> float:
    """Seconds that a `Retry-After` asks for (RFC 9110, 10.2.3): 0 when absent, past or nonsense, at most a day."""
    text = header.strip()
    if text.isascii() and text.isdigit():
        return float(min(int(text[:9]), MAX_RETRY_AFTER_S))
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return 0.0
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return min(max(0.0, (moment - now).total_seconds()), float(MAX_RETRY_AFTER_S))
