"""Why an endpoint does not take a request: beside those of `webhooks.intake.refusals`. Pure."""

from collections.abc import Sequence

from webhooks.intake.refusals import Refusal
from webhooks.verification import Verdict


class SwitchedOff(Refusal):
    """The endpoint is not active."""

    status = 503
    kind = "off"

    def __init__(self) -> None:
        super().__init__(
            "This endpoint is switched off for now. Try again later.",
            headers={"Retry-After": "300"},
        )


class MethodRefused(Refusal):
    """A method that the endpoint is not open to."""

    status = 405
    kind = "method"

    def __init__(self, allowed: Sequence[str]) -> None:
        listed = ", ".join(allowed)
        super().__init__(f"This endpoint takes {listed}.", headers={"Allow": listed})


class OriginRefused(Refusal):
    """A page of a site that is not among the allowed ones."""

    status = 403
    kind = "origin"


class NotVerified(Refusal):
    """Who sent it is not who may. The sender learns no more than that; the log has the reason."""

    kind = "unverified"

    def __init__(self, verdict: Verdict) -> None:
        challenge = verdict.www_authenticate
        super().__init__(
            "The request could not be verified.",
            headers={"WWW-Authenticate": challenge} if challenge else None,
        )
        self.status = verdict.status  # type: ignore[misc]  # of this one
        self.reason = verdict.reason


class OtherBody(Refusal):
    """A delivery that is known, with another body than the first time."""

    status = 409
    kind = "duplicate"

    def __init__(self) -> None:
        super().__init__(
            "A delivery with this id has arrived before, with another body. A new delivery needs a new id."
        )


class NotStored(Refusal):
    """The database did not take it."""

    status = 503
    kind = "storage"

    def __init__(self) -> None:
        super().__init__(
            "The request could not be stored. Send it again.", headers={"Retry-After": "5"}
        )
