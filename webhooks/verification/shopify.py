"""Shopify. Pure.

Source: https://shopify.dev/docs/apps/build/webhooks/subscribe/https
"""

from collections.abc import Sequence
from typing import ClassVar, Final

from webhooks.verification.arrivals import Arrival
from webhooks.verification.deliveries import delivery_id
from webhooks.verification.fields import Values, secret_field
from webhooks.verification.scheme import Scheme
from webhooks.verification.signatures import hmacs, read_digest, require_fit
from webhooks.verification.verdicts import Refused, Verdict, accept

_HEADER: Final = "X-Shopify-Hmac-Sha256"
# An event's id is the same for all topics that one action touches, so it comes second:
# order created and order updated are two deliveries.
_ID_HEADERS: Final = ("X-Shopify-Webhook-Id", "X-Shopify-Event-Id")


class Shopify(Scheme):
    name: ClassVar = "shopify"
    label: ClassVar = "Shopify"
    help: ClassVar = (
        "Add this address as a webhook in JSON; the secret is the app's client secret,"
        " or the one shown under Settings → Notifications → Webhooks."
    )
    fields: ClassVar = (secret_field("Secret", "What the shop's webhooks are signed with."),)

    def judge(self, arrival: Arrival, values: Values, keys: Sequence[str]) -> Verdict:
        text = arrival.headers.required(_HEADER)
        signature = read_digest(text, encoding="base64")
        if signature is None:
            raise Refused(
                f"The header `{_HEADER}` should be base64 of 32 bytes;"
                f" it is something else of {len(text)} characters."
            )
        require_fit([signature], hmacs(keys, arrival.body), header=_HEADER, body=arrival.body)
        ids = [delivery_id(arrival.headers.one(name)) for name in _ID_HEADERS]
        return accept(next(filter(None, ids), ""))
