"""An HMAC of the body in a header, put together as the sender does it. Pure."""

import re
from collections.abc import Sequence
from typing import ClassVar, Final

from webhooks.verification.arrivals import Arrival
from webhooks.verification.deliveries import standard_id
from webhooks.verification.fields import (
    Field,
    Mistake,
    Values,
    header_field,
    secret_field,
    tolerance_field,
)
from webhooks.verification.scheme import Scheme
from webhooks.verification.signatures import describe_digest, hmacs, read_digest, require_fit
from webhooks.verification.timestamps import require_recent
from webhooks.verification.verdicts import Refused, Verdict, accept

_BODY: Final = "{body}"
_TIMESTAMP: Final = "{timestamp}"

_split_at_placeholders = re.compile(r"(\{body\}|\{timestamp\})").split


class PlainHMAC(Scheme):
    name: ClassVar = "hmac"
    label: ClassVar = "HMAC signature"
    help: ClassVar = (
        "Enter this address and the key at a sender that signs with HMAC in its own way."
    )
    fields: ClassVar = (
        header_field(
            "header",
            "Header",
            default="X-Signature",
            required=True,
            help_text="The header that carries the signature.",
        ),
        Field("prefix", "Prefix", "text", help="Stands directly before the signature: “sha256=”."),
        Field(
            "algorithm",
            "Algorithm",
            "choice",
            default="sha256",
            choices=(
                ("sha256", "SHA-256"),
                ("sha512", "SHA-512"),
                ("sha1", "SHA-1 (weak: only for a sender that has nothing better)"),
            ),
        ),
        Field(
            "encoding",
            "Encoding",
            "choice",
            default="hex",
            choices=(("hex", "Hex digits"), ("base64", "Base64")),
        ),
        header_field(
            "timestamp_header",
            "Timestamp header",
            default="",
            required=False,
            help_text="The header with the Unix time in seconds, when it is signed too.",
        ),
        Field(
            "signed",
            "What is signed",
            "text",
            help="Such as “v0:{timestamp}:{body}”. Empty: the body; with a timestamp header,"
            " “{timestamp}.{body}”.",
        ),
        tolerance_field(),
        secret_field("Key", "The text as it is; it is not decoded."),
    )

    def check_together(self, values: Values) -> list[Mistake]:
        signed, header = _signed(values), values["timestamp_header"]
        if signed.count(_BODY) != 1:
            return [
                Mistake("signed", "It needs “{body}”, once: what comes in is what is verified.")
            ]
        if header and _TIMESTAMP not in signed:
            return [
                Mistake(
                    "signed",
                    "It needs “{timestamp}”: a timestamp that nobody signed could be anybody's."
                    " If the sender doesn't sign it, leave the timestamp header empty.",
                )
            ]
        if not header and _TIMESTAMP in signed:
            return [Mistake("timestamp_header", "Enter the header that “{timestamp}” comes from.")]
        return []

    def judge(self, arrival: Arrival, values: Values, keys: Sequence[str]) -> Verdict:
        signature = _read_signature(arrival, values)
        timestamp = _read_timestamp(arrival, values)
        parts = {_BODY: arrival.body, _TIMESTAMP: timestamp.encode()}
        message = b"".join(
            parts.get(part, part.encode()) for part in _split_at_placeholders(_signed(values))
        )
        expected = hmacs(keys, message, values["algorithm"])
        require_fit([signature], expected, header=values["header"], body=arrival.body)
        return accept(standard_id(arrival.headers))


def _signed(values: Values) -> str:
    default = f"{_TIMESTAMP}.{_BODY}" if values["timestamp_header"] else _BODY
    return values["signed"] or default


def _read_signature(arrival: Arrival, values: Values) -> bytes:
    header, prefix = values["header"], values["prefix"]
    algorithm, encoding = values["algorithm"], values["encoding"]
    text = arrival.headers.required(header)
    signature = None
    if text.startswith(prefix):
        signature = read_digest(text.removeprefix(prefix), algorithm=algorithm, encoding=encoding)
    if signature is None:
        digest = describe_digest(algorithm, encoding)
        expected = f"“{prefix}” and {digest}" if prefix else digest
        raise Refused(
            f"The header `{header}` should be {expected};"
            f" it is something else of {len(text)} characters."
        )
    return signature


def _read_timestamp(arrival: Arrival, values: Values) -> str:
    header: str = values["timestamp_header"]
    if not header:
        return ""
    timestamp = arrival.headers.required(header)
    require_recent(timestamp, header=header, now=arrival.now, tolerance_s=values["tolerance_s"])
    return timestamp
