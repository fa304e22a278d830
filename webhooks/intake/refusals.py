"""Why a request from outside is not taken, said so that its sender can mend it. Pure."""

import math
from collections.abc import Mapping
from typing import Any, ClassVar


class Refusal(Exception):
    """A request that is answered with `status` and `words`, and gets no further.

    `kind`: what the request log keeps as the kind of error, 12 characters at most. `headers`: of the answer.
    `details`: what its JSON has beside the words.
    """

    status: ClassVar[int] = 400
    kind: ClassVar[str] = "malformed"

    def __init__(
        self,
        words: str,
        *,
        headers: Mapping[str, str] | None = None,
        details: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(words)
        self.words = words
        self.headers = dict(headers or {})
        self.details = dict(details or {})


class Malformed(Refusal):
    """It is not what it says it is: broken JSON, a body that ends too early."""


class TooSlow(Refusal):
    """The sender took too long."""

    status = 408
    kind = "slow"


class LengthRequired(Refusal):
    """The server that runs this cannot read a body without Content-Length."""

    status = 411
    kind = "no_length"


class TooLarge(Refusal):
    """It goes beyond a limit: bytes, depth, keys, parts."""

    status = 413
    kind = "too_large"


class UnsupportedMedia(Refusal):
    """A content type, charset or compression that is not taken here."""

    status = 415
    kind = "media_type"


class TooManyRequests(Refusal):
    """The sender or the endpoint is over its rate. `what`: too many of what, if not of all requests."""

    status = 429
    kind = "rate"

    def __init__(self, wait_s: float, what: str = "requests") -> None:
        seconds = max(1, math.ceil(wait_s))
        super().__init__(
            f"Too many {what}. Try again in {seconds} s, as the header Retry-After says.",
            headers={"Retry-After": str(seconds)},
        )


class LoopDetected(Refusal):
    """It has been through Signalbox too often."""

    status = 508
    kind = "loop"
