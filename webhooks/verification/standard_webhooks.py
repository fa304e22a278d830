"""Standard Webhooks: HMAC-SHA256 (`v1`) and Ed25519 (`v1a`), several keys during a rotation. Pure.

Source: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from collections.abc import Sequence
from typing import ClassVar

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from webhooks.signing import (
    PUBLIC_PREFIX,
    KeyProblem,
    SymmetricKey,
    read_ed25519_public_key,
    read_symmetric_key,
)
from webhooks.verification.arrivals import Arrival, Headers
from webhooks.verification.deliveries import delivery_id
from webhooks.verification.fields import Values, secret_field, tolerance_field
from webhooks.verification.scheme import Scheme
from webhooks.verification.signatures import any_fits, header_bytes, read_base64
from webhooks.verification.timestamps import require_recent
from webhooks.verification.verdicts import Refused, Verdict, accept


class StandardWebhooks(Scheme):
    name: ClassVar = "standard_webhooks"
    label: ClassVar = "Standard Webhooks"
    help: ClassVar = "Enter this address at the sender's, and take the signing key it shows there."
    fields: ClassVar = (
        secret_field("Key", "“whsec_…”, or the sender's public key, “whpk_…”."),
        tolerance_field(),
    )

    def judge(self, arrival: Arrival, values: Values, keys: Sequence[str]) -> Verdict:
        prefix = _prefix(arrival.headers)
        message_id = arrival.headers.required(f"{prefix}id")
        timestamp = arrival.headers.required(f"{prefix}timestamp")
        signatures = arrival.headers.required(f"{prefix}signature").split(" ")
        require_recent(
            timestamp,
            header=f"{prefix}timestamp",
            now=arrival.now,
            tolerance_s=values["tolerance_s"],
        )
        symmetric, public = _read_keys(keys)
        message = b".".join([header_bytes(message_id), timestamp.encode(), arrival.body])
        if not (
            _is_hmac(signatures, symmetric, message) or _is_ed25519(signatures, public, message)
        ):
            raise Refused(_words(f"{prefix}signature", signatures, symmetric, public, arrival.body))
        return accept(delivery_id(message_id))


def _prefix(headers: Headers) -> str:
    """Svix had these headers under its own name before the standard, and still sends them so."""
    return "svix-" if "webhook-id" not in headers and "svix-id" in headers else "webhook-"


def _read_keys(keys: Sequence[str]) -> tuple[list[SymmetricKey], list[Ed25519PublicKey]]:
    """The keys of both kinds. One that can't be read is passed over while there is another."""
    symmetric: list[SymmetricKey] = []
    public: list[Ed25519PublicKey] = []
    problems: list[str] = []
    for key in keys:
        try:
            if key.strip().startswith(PUBLIC_PREFIX):
                public.append(read_ed25519_public_key(key))
            else:
                symmetric.append(read_symmetric_key(key))
        except KeyProblem as problem:
            problems.append(str(problem))
    if not symmetric and not public:
        raise Refused(f"The secret can't verify anything. {problems[0]}")
    return symmetric, public


def _is_hmac(signatures: Sequence[str], keys: Sequence[SymmetricKey], message: bytes) -> bool:
    return any_fits(
        [header_bytes(signature) for signature in signatures],
        [key.sign(message).encode() for key in keys],
    )


def _is_ed25519(
    signatures: Sequence[str], keys: Sequence[Ed25519PublicKey], message: bytes
) -> bool:
    given = [read_base64(text.removeprefix("v1a,")) for text in signatures if text[:4] == "v1a,"]
    return any(_signed(key, signature, message) for signature in given if signature for key in keys)


def _signed(key: Ed25519PublicKey, signature: bytes, message: bytes) -> bool:
    try:
        key.verify(signature, message)
    except InvalidSignature:
        return False
    return True


def _words(
    header: str,
    signatures: Sequence[str],
    symmetric: Sequence[SymmetricKey],
    public: Sequence[Ed25519PublicKey],
    body: bytes,
) -> str:
    expected = {version for version, keys in (("v1", symmetric), ("v1a", public)) if keys}
    came = {
        version
        for version in ("v1", "v1a")
        for text in signatures
        if text.startswith(f"{version},")
    }
    if not expected & came:
        return (
            f"The header `{header}` should have a signature of version {' or '.join(sorted(expected))};"
            f" it has {' and '.join(sorted(came)) or 'none that is known'}."
        )
    return (
        f"The header `{header}` has no signature of this body of {len(body)} bytes by a key that is"
        " set: the sender has another one, or something on the way changed the body."
    )
