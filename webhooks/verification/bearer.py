"""A token in the header Authorization (RFC 6750). Pure."""

from collections.abc import Sequence
from typing import ClassVar

from webhooks.verification.arrivals import Arrival
from webhooks.verification.credentials import authorization
from webhooks.verification.deliveries import standard_id
from webhooks.verification.fields import Values, secret_field
from webhooks.verification.scheme import Scheme
from webhooks.verification.signatures import any_fits, header_bytes, key_bytes
from webhooks.verification.verdicts import Refused, Verdict, accept


class Bearer(Scheme):
    name: ClassVar = "bearer"
    label: ClassVar = "Bearer token"
    help: ClassVar = "Have the sender add the header “Authorization: Bearer …” with the token."
    fields: ClassVar = (secret_field("Token", "What stands behind “Bearer”."),)
    www_authenticate: ClassVar = 'Bearer realm="Signalbox"'

    def judge(self, arrival: Arrival, values: Values, keys: Sequence[str]) -> Verdict:
        token = authorization(arrival, "Bearer")
        if not any_fits([header_bytes(token)], [key_bytes(key) for key in keys]):
            raise Refused(
                "The token in `Authorization` is not the one that is set;"
                f" it has {len(token)} characters."
            )
        return accept(standard_id(arrival.headers))
