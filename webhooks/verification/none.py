"""No verification: whoever knows the address may send. Pure."""

from collections.abc import Sequence
from typing import ClassVar

from webhooks.verification.arrivals import Arrival
from webhooks.verification.deliveries import standard_id
from webhooks.verification.fields import Values
from webhooks.verification.scheme import Scheme
from webhooks.verification.verdicts import Verdict, accept


class NoVerification(Scheme):
    name: ClassVar = "none"
    label: ClassVar = "None"
    help: ClassVar = "Only enter the address; whoever knows it can send."

    def judge(self, arrival: Arrival, values: Values, keys: Sequence[str]) -> Verdict:
        return accept(standard_id(arrival.headers))
