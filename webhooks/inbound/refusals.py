"""Why an endpoint does not take a request: beside those of `webhooks.intake.refusals`. Pure."""

from collections.abc import Sequence
from typing import Final

from webhooks.intake.refusals import Refusal
from webhooks.verification import Verdict

_ALLOW_MORE: Final = "Other methods can be allowed in the endpoint's settings."
# What is at an address, and what to send there.
_WHAT_TO_SEND: Final = {
    "automation": (
        "What arrives at this address sets off an automation.",
        f'Send the data in the body, for example as JSON: `curl --json \'{{"name": "Ada"}}\' ADDRESS`. {_ALLOW_MORE}',
    ),
    "test": (
        "This is the test address of an automation: it tells what the draft would do about a request and does nothing.",
        'Send what the automation is to get, for example as JSON: `curl --json \'{"name": "Ada"}\' ADDRESS`.',
    ),
    "form": (
        "This address takes what forms send.",
        f'Give the form `method="post"`, or send its fields as JSON. {_ALLOW_MORE}',
    ),
    "status": ("This address tells what became of a request.", "Ask for it with GET."),
}


class SwitchedOff(Refusal):
    """The endpoint is not active."""

    status = 503
    kind = "off"

    def __init__(self) -> None:
        super().__init__(
            "This endpoint is switched off for now: it, or its automation, is paused. "
            "Try again later, as the header Retry-After says.",
            headers={"Retry-After": "300"},
        )


class MethodRefused(Refusal):
    """A method that the endpoint is not open to. `address`: what there is at it, a key of `_WHAT_TO_SEND`."""

    status = 405
    kind = "method"

    def __init__(self, method: str, allowed: Sequence[str], address: str) -> None:
        listed = ", ".join(allowed)
        what, how = _WHAT_TO_SEND[address]
        shown = "".join(char for char in method if char.isprintable())
        super().__init__(
            f"{what} It takes {listed}, not {shown}. {how}",
            headers={"Allow": listed},
            details={"methods": list(allowed)},
        )


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
            "The request could not be verified: this endpoint does not know its sender. Its settings say what a "
            "request has to bring along, and the request log what was wrong with this one.",
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
            "A delivery with this id has arrived before, with another body. A new delivery needs a new id; "
            "to have it taken for the same one, send the same bytes."
        )


class NotStored(Refusal):
    """The database did not take it."""

    status = 503
    kind = "storage"

    def __init__(self) -> None:
        super().__init__(
            "The request could not be stored. Send it again, as the header Retry-After says.",
            headers={"Retry-After": "5"},
        )
