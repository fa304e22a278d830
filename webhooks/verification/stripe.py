"""Stripe. Pure.

Source: https://docs.stripe.com/webhooks/signature
"""

from collections.abc import Sequence
from typing import ClassVar, Final

from webhooks.verification.arrivals import Arrival
from webhooks.verification.deliveries import body_object, delivery_id
from webhooks.verification.fields import Values, secret_field, tolerance_field
from webhooks.verification.scheme import Scheme
from webhooks.verification.signatures import hmacs, read_digest, require_fit
from webhooks.verification.timestamps import require_recent
from webhooks.verification.verdicts import Refused, Verdict, accept

_HEADER: Final = "Stripe-Signature"


class Stripe(Scheme):
    name: ClassVar = "stripe"
    label: ClassVar = "Stripe"
    help: ClassVar = (
        "In Developers → Webhooks, add this address as an endpoint, and take its signing secret."
    )
    fields: ClassVar = (
        # Its base64 is never decoded: the whole text is the key.
        secret_field("Signing secret", "All of it, with “whsec_”."),
        tolerance_field(),
    )

    def judge(self, arrival: Arrival, values: Values, keys: Sequence[str]) -> Verdict:
        timestamp, signatures = _read(arrival.headers.required(_HEADER))
        require_recent(
            timestamp, header=_HEADER, now=arrival.now, tolerance_s=values["tolerance_s"]
        )
        message = f"{timestamp}.".encode() + arrival.body
        require_fit(signatures, hmacs(keys, message), header=_HEADER, body=arrival.body)
        return accept(delivery_id(body_object(arrival.body).get("id")))


def _read(text: str) -> tuple[str, list[bytes]]:
    """`t=…,v1=…,v1=…`: one timestamp, and a signature for each secret. Other versions are passed over."""
    pairs = [part.strip(" ").partition("=") for part in text.split(",")]
    timestamps = [value for name, _, value in pairs if name == "t"]
    if len(timestamps) != 1:
        raise Refused(f"The header `{_HEADER}` should have one “t=”; it has {len(timestamps)}.")
    digests = [read_digest(value) for name, _, value in pairs if name == "v1"]
    signatures = [digest for digest in digests if digest is not None]
    if not signatures:
        raise Refused(f"The header `{_HEADER}` has no “v1=” with 64 hex digits.")
    return timestamps[0], signatures
