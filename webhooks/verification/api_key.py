"""A key in a header of choice. Pure."""

from collections.abc import Sequence
from typing import ClassVar

from webhooks.verification.arrivals import Arrival
from webhooks.verification.deliveries import standard_id
from webhooks.verification.fields import Field, Values, header_field, secret_field
from webhooks.verification.scheme import Scheme
from webhooks.verification.signatures import any_fits, header_bytes, key_bytes
from webhooks.verification.verdicts import Refused, Verdict, accept


class APIKey(Scheme):
    name: ClassVar = "api_key"
    label: ClassVar = "API key in a header"
    help: ClassVar = "Have the sender add this header with the key to every request."
    fields: ClassVar = (
        header_field(
            "header",
            "Header",
            default="X-Api-Key",
            required=True,
            help_text="The header that carries the key.",
        ),
        Field("prefix", "Prefix", "text", help="Stands directly before the key: “Token ”."),
        secret_field("Key", "What the header carries."),
    )

    def judge(self, arrival: Arrival, values: Values, keys: Sequence[str]) -> Verdict:
        header, prefix = values["header"], values["prefix"]
        text = arrival.headers.required(header)
        if not any_fits([header_bytes(text)], [key_bytes(prefix + key) for key in keys]):
            expected = f"“{prefix}” and the key" if prefix else "the key"
            raise Refused(
                f"The header `{header}` should be {expected};"
                f" it is something else of {len(text)} characters."
            )
        return accept(standard_id(arrival.headers))
