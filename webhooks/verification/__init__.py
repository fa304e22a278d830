"""Who sent this request? One file for each way of telling. Pure.

`verify` gives a Verdict, whatever came in. Rooms: `arrivals` (what came), `verdicts` (what is said
of it), `scheme` and `fields` (what all have in common), `signatures`, `timestamps`, `credentials`
and `deliveries` (their parts), `addresses` (who may send at all).
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from webhooks.verification.api_key import APIKey
from webhooks.verification.arrivals import Arrival, Headers
from webhooks.verification.basic import Basic
from webhooks.verification.bearer import Bearer
from webhooks.verification.fields import Field, Mistake
from webhooks.verification.github import GitHub
from webhooks.verification.none import NoVerification
from webhooks.verification.plain_hmac import PlainHMAC
from webhooks.verification.scheme import Scheme
from webhooks.verification.shopify import Shopify
from webhooks.verification.slack import Slack
from webhooks.verification.standard_webhooks import StandardWebhooks
from webhooks.verification.stripe import Stripe
from webhooks.verification.verdicts import ChallengeAnswer, Verdict, refuse

__all__ = [
    "SCHEMES",
    "Arrival",
    "ChallengeAnswer",
    "Field",
    "Headers",
    "Mistake",
    "Scheme",
    "Verdict",
    "check_settings",
    "verify",
]

# In the order of the form.
_ALL: Final[tuple[Scheme, ...]] = (
    NoVerification(),
    Bearer(),
    Basic(),
    APIKey(),
    StandardWebhooks(),
    GitHub(),
    Stripe(),
    Slack(),
    Shopify(),
    PlainHMAC(),
)
SCHEMES: Final[dict[str, Scheme]] = {scheme.name: scheme for scheme in _ALL}


def verify(
    scheme_name: str,
    arrival: Arrival,
    settings: Mapping[str, Any],
    secrets: Mapping[str, Sequence[str]],
) -> Verdict:
    """Whether to accept a request. Never raises; a scheme that doesn't exist accepts nothing."""
    scheme = SCHEMES.get(scheme_name)
    if scheme is None:
        return refuse(f"There is no verification `{scheme_name[:40]}`, so nothing is accepted.")
    return scheme.verify(arrival, settings, secrets)


def check_settings(scheme_name: str, settings: Mapping[str, Any]) -> list[Mistake]:
    """What is wrong with a scheme's settings; empty when all is well. Secrets are no part of them."""
    scheme = SCHEMES.get(scheme_name)
    if scheme is None:
        return [Mistake("scheme", f"`{scheme_name[:40]}` is no kind of verification.")]
    return scheme.check(settings)
