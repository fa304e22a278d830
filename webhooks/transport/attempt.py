"""One request on its way: its deadline, and what became known while it ran."""

from time import monotonic

from urllib3.util import Timeout

# `OutboundRequest.timeout_s` may be anything; a socket takes no infinite timeout.
_LONGEST_S = 24 * 3600.0


class Attempt(Timeout):
    """Travels through `HTTPAdapter.send` as its timeout, and is one: for the whole request."""

    def __init__(self, timeout_s: float, connect_timeout_s: float) -> None:
        super().__init__()
        self.timeout_s = timeout_s
        self.connect_timeout_s = min(connect_timeout_s, timeout_s)
        self.ends_at = monotonic() + min(timeout_s, _LONGEST_S)
        self.remote_address = ""
        self.request_sent = False

    def remaining_s(self) -> float:
        """Time left, always positive. TimeoutError when there is none."""
        left = self.ends_at - monotonic()
        if left <= 0:
            raise TimeoutError
        return left

    def connect_by(self) -> float:
        """The moment (monotonic clock) by which a connection begun now has to stand."""
        return min(self.ends_at, monotonic() + self.connect_timeout_s)
