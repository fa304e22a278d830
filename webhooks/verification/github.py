"""GitHub, and others that sign as it does. Pure.

Source: https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries
"""

from collections.abc import Sequence
from typing import ClassVar, Final

from webhooks.verification.arrivals import Arrival
from webhooks.verification.deliveries import delivery_id
from webhooks.verification.fields import Values, secret_field
from webhooks.verification.scheme import Scheme
from webhooks.verification.signatures import hmacs, read_digest, require_fit
from webhooks.verification.verdicts import Refused, Verdict, accept

# Not X-Hub-Signature, which GitHub sends beside it for old receivers: that one is SHA-1.
_HEADER: Final = "X-Hub-Signature-256"
_PREFIX: Final = "sha256="


class GitHub(Scheme):
    name: ClassVar = "github"
    label: ClassVar = "GitHub"
    help: ClassVar = "In Settings → Webhooks, enter this address as the payload URL, and the secret as the secret."
    fields: ClassVar = (secret_field("Secret", "The webhook's secret at GitHub."),)

    def judge(self, arrival: Arrival, values: Values, keys: Sequence[str]) -> Verdict:
        text = arrival.headers.required(_HEADER)
        signature = read_digest(text.removeprefix(_PREFIX)) if text.startswith(_PREFIX) else None
        if signature is None:
            raise Refused(
                f"The header `{_HEADER}` should be “{_PREFIX}” and 64 hex digits;"
                f" it is something else of {len(text)} characters."
            )
        require_fit([signature], hmacs(keys, arrival.body), header=_HEADER, body=arrival.body)
        return accept(delivery_id(arrival.headers.one("X-GitHub-Delivery")))
