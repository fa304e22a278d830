"""Signatures made and compared: HMACs of raw bytes, in constant time. Pure."""

import base64
import binascii
import hmac
import re
from collections.abc import Collection, Sequence
from typing import Final

from webhooks.verification.verdicts import Refused

DIGEST_SIZES: Final = {"sha256": 32, "sha512": 64, "sha1": 20}

_is_hex = re.compile(r"[0-9a-fA-F]+").fullmatch


def header_bytes(text: str) -> bytes:
    """The bytes that a header's text came as, one for each character (latin-1)."""
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        # No server gives such text; it only has to be something that fits nothing.
        return text.encode("utf-8", "surrogatepass")


def key_bytes(key: str) -> bytes:
    return key.encode("utf-8", "surrogatepass")


def hmacs(keys: Sequence[str], message: bytes, algorithm: str = "sha256") -> list[bytes]:
    """The HMAC by each key, the key's text being taken as it is."""
    return [hmac.digest(key_bytes(key), message, algorithm) for key in keys]


def any_fits(given: Collection[bytes], expected: Collection[bytes]) -> bool:
    """Whether one of them is one of the others. All are compared, whichever fits, each in constant time."""
    return any([hmac.compare_digest(one, other) for one in given for other in expected])  # noqa: C419  # no early end


def read_digest(text: str, *, algorithm: str = "sha256", encoding: str = "hex") -> bytes | None:
    """The bytes of a digest that is written as it should be, or None."""
    size = DIGEST_SIZES[algorithm]
    if encoding == "hex":
        return bytes.fromhex(text) if len(text) == 2 * size and _is_hex(text) else None
    digest = read_base64(text)
    return digest if digest is not None and len(digest) == size else None


def read_base64(text: str) -> bytes | None:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None


def describe_digest(algorithm: str, encoding: str) -> str:
    """ "64 hex digits", for words about what was expected."""
    size = DIGEST_SIZES[algorithm]
    return f"{2 * size} hex digits" if encoding == "hex" else f"base64 of {size} bytes"


def require_fit(
    given: Collection[bytes], expected: Collection[bytes], *, header: str, body: bytes
) -> None:
    """Raises Refused, in words that help to find out why, when no signature is by one of our keys."""
    if any_fits(given, expected):
        return
    secrets = "the secret" if len(expected) == 1 else f"one of the {len(expected)} secrets"
    raise Refused(
        f"The header `{header}` has no signature of this body of {len(body)} bytes by {secrets}:"
        " the sender has another one, or something on the way changed the body."
    )
