"""Addresses at which there is nothing: who tries too many of them has to wait. Nothing is stored about them."""

from typing import Final

from django.http import HttpRequest

from webhooks.intake.limiter import allow
from webhooks.intake.refusals import Refusal, TooManyRequests

# From one address. A sender that was not told of a new address tries the old one a few times; a scan tries thousands.
MISSES_PER_MINUTE: Final = 60


class NothingHere(Refusal):
    """No endpoint has this address, or no other one has it any more."""

    status = 404
    kind = "nothing"


def miss(request: HttpRequest) -> Refusal:
    """What a request is answered that has found nothing. Those that find something never pay for this."""
    address = str(request.META.get("REMOTE_ADDR") or "")
    wait_s = allow(
        "miss", address, per_endpoint_per_min=None, per_address_per_min=MISSES_PER_MINUTE
    )
    if wait_s is not None:
        return TooManyRequests(wait_s, "requests to addresses at which there is nothing")
    return NothingHere(
        "There is nothing at this address. Perhaps a part of it is missing, or it was replaced by a new one: "
        "compare it with the one on the endpoint's page."
    )
