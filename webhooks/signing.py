"""Signatures of requests: Standard Webhooks (symmetric and Ed25519), and the plain HMAC that others use. Pure.

Source: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import base64
import binascii
import hashlib
import hmac
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

SYMMETRIC_PREFIX: Final = "whsec_"
PRIVATE_PREFIX: Final = "whsk_"
PUBLIC_PREFIX: Final = "whpk_"
# What the specification asks of a symmetric key.
MIN_KEY_BYTES: Final = 24
MAX_KEY_BYTES: Final = 64
_NEW_KEY_BYTES: Final = 32
_SEED_BYTES: Final = 32
_PUBLIC_BYTES: Final = 32

# SHA-1 is left out: nobody should begin with it now.
ALGORITHMS: Final = ("sha256", "sha512")
ENCODINGS: Final = ("hex", "base64")


class KeyProblem(ValueError):
    """A text that is no signing key. The words never quote it."""


class SigningKey(Protocol):
    def sign(self, message: bytes) -> str:
        """One signature as the header has it: its version, a comma, base64."""
        ...


@dataclass(frozen=True, slots=True)
class SymmetricKey:
    """HMAC-SHA256: both sides know the key."""

    key: bytes = field(repr=False)

    def sign(self, message: bytes) -> str:
        return f"v1,{_base64(hmac.digest(self.key, message, 'sha256'))}"


@dataclass(frozen=True, slots=True)
class Ed25519Key:
    """Only the sender can sign; whoever has the public key can verify."""

    key: Ed25519PrivateKey = field(repr=False)

    def sign(self, message: bytes) -> str:
        return f"v1a,{_base64(self.key.sign(message))}"

    @property
    def public_key(self) -> str:
        return PUBLIC_PREFIX + _base64(self.key.public_key().public_bytes_raw())


def new_symmetric_key() -> str:
    return SYMMETRIC_PREFIX + _base64(os.urandom(_NEW_KEY_BYTES))


def new_ed25519_key() -> str:
    """The private key with the public one behind it, 64 bytes, as libsodium has it."""
    key = Ed25519PrivateKey.generate()
    return PRIVATE_PREFIX + _base64(key.private_bytes_raw() + key.public_key().public_bytes_raw())


def read_symmetric_key(text: str) -> SymmetricKey:
    """`whsec_` and the base64 of 24 to 64 bytes; the prefix may be left away. Raises KeyProblem."""
    key = _decode(text.strip().removeprefix(SYMMETRIC_PREFIX), SYMMETRIC_PREFIX)
    if not MIN_KEY_BYTES <= len(key) <= MAX_KEY_BYTES:
        raise KeyProblem(
            f"This key has {len(key)} bytes; a symmetric key has {MIN_KEY_BYTES} to {MAX_KEY_BYTES}."
        )
    return SymmetricKey(key)


def read_ed25519_key(text: str) -> Ed25519Key:
    """`whsk_` and the base64 of the seed, or of the seed and its public key. Raises KeyProblem."""
    if text.strip().startswith(PUBLIC_PREFIX):
        raise KeyProblem(f"This is a public key; signing needs the private one, {PRIVATE_PREFIX}….")
    raw = _decode(text.strip().removeprefix(PRIVATE_PREFIX), PRIVATE_PREFIX)
    if len(raw) not in (_SEED_BYTES, 2 * _SEED_BYTES):
        raise KeyProblem(f"This key has {len(raw)} bytes; a private Ed25519 key has 32 or 64.")
    key = Ed25519PrivateKey.from_private_bytes(raw[:_SEED_BYTES])
    if raw[_SEED_BYTES:] not in (b"", key.public_key().public_bytes_raw()):
        raise KeyProblem("The two halves of this key don't belong together.")
    return Ed25519Key(key)


def read_ed25519_public_key(text: str) -> Ed25519PublicKey:
    """`whpk_` and the base64 of 32 bytes: what verifies an Ed25519 signature. Raises KeyProblem."""
    raw = _decode(text.strip().removeprefix(PUBLIC_PREFIX), PUBLIC_PREFIX)
    if len(raw) != _PUBLIC_BYTES:
        raise KeyProblem(f"This key has {len(raw)} bytes; a public Ed25519 key has 32.")
    return Ed25519PublicKey.from_public_bytes(raw)


def signature_headers(
    keys: Sequence[SigningKey], *, message_id: str, timestamp: int, body: bytes
) -> list[tuple[str, str]]:
    """The three headers of Standard Webhooks; several keys sign while one takes over from another."""
    message = f"{message_id}.{timestamp}.".encode() + body
    return [
        ("webhook-id", message_id),
        ("webhook-timestamp", str(timestamp)),
        ("webhook-signature", " ".join(key.sign(message) for key in keys)),
    ]


def hmac_signature(key: bytes, body: bytes, *, algorithm: str, encoding: str) -> str:
    """The HMAC of a raw body, one of ALGORITHMS in one of ENCODINGS."""
    if algorithm not in ALGORITHMS or encoding not in ENCODINGS:
        raise ValueError(f"There is no HMAC signature in {algorithm} and {encoding}.")
    digest = hmac.digest(key, body, getattr(hashlib, algorithm))
    return digest.hex() if encoding == "hex" else _base64(digest)


def _decode(text: str, prefix: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise KeyProblem(f"This is no key of the form {prefix} and base64.") from None


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()
