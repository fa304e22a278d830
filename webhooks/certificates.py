"""Client certificates: a chain and its private key in one PEM text, read and put in order. Pure.

Source: https://datatracker.ietf.org/doc/html/rfc7468 (PEM), https://datatracker.ietf.org/doc/html/rfc5280
"""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID

# What OpenSSL takes at its usual security level.
MIN_RSA_BITS: Final = 2048
# Longer chains are refused by receivers.
MAX_CERTIFICATES: Final = 10

_BLOCKS: Final = re.compile(r"-----BEGIN ([A-Z0-9 ]+)-----.*?-----END \1-----", re.DOTALL)
_CERTIFICATE: Final = "CERTIFICATE"
_KEY: Final = "PRIVATE KEY"
_ENCRYPTED: Final = re.compile(r"BEGIN ENCRYPTED PRIVATE KEY|Proc-Type: *4, *ENCRYPTED")
# What the library raises for bytes that are not what they seem.
_UNREADABLE: Final = (
    ValueError,
    TypeError,
    UnsupportedAlgorithm,
    x509.DuplicateExtension,
    x509.InvalidVersion,
    x509.UnsupportedGeneralNameType,
)
_KEYS: Final = (
    rsa.RSAPrivateKey,
    ec.EllipticCurvePrivateKey,
    ed25519.Ed25519PrivateKey,
    ed448.Ed448PrivateKey,
)


class CertificateProblem(ValueError):
    """A text that is no client certificate. The words never quote it."""


@dataclass(frozen=True, slots=True)
class CertificateFacts:
    """What may be shown of a client certificate."""

    subject: str
    issuer: str
    valid_from: datetime
    valid_until: datetime
    # False where it says what it is for, and clients are not among that.
    is_for_clients: bool = True

    def problem(self, now: datetime) -> str:
        """Why nothing can be sent with it now; empty when it is valid."""
        if now >= self.valid_until:
            return f"the client certificate has expired on {_day(self.valid_until)}"
        if now < self.valid_from:
            return f"the client certificate is not valid before {_day(self.valid_from)}"
        return ""

    def warning(self, now: datetime) -> str:
        """What somebody should know who has just entered it; empty when all is well."""
        if problem := self.problem(now):
            then = "Until then" if now < self.valid_from else "Enter a new one; until then"
            return f"{problem[0].upper()}{problem[1:]}. {then}, what uses it sends nothing."
        if not self.is_for_clients:
            return "By its own words this certificate is not for clients. Receivers may refuse it."
        return ""


@dataclass(frozen=True, slots=True)
class ReadCertificate:
    """`pem`: the certificate, its chain and its key (PKCS 8), in this order and nothing else."""

    facts: CertificateFacts
    digest: str
    pem: str = field(repr=False)


def read_certificate(text: str) -> ReadCertificate:
    """Certificates and a private key without a password, in any order. Raises CertificateProblem."""
    if _ENCRYPTED.search(text):
        raise CertificateProblem(
            "The private key has a password. Take it off first: openssl pkey -in key.pem -out plain.pem."
        )
    blocks = [(match[1], match[0]) for match in _BLOCKS.finditer(text)]
    chain = _read_chain([block for label, block in blocks if label == _CERTIFICATE])
    key = _read_key([block for label, block in blocks if label.endswith(_KEY)])
    public = _public_bytes(key.public_key())
    own = [each for each in chain if _public_bytes(each.public_key()) == public]
    if not own:
        raise CertificateProblem(
            "The private key does not belong to the certificate. Look whether they are of the same pair."
        )
    ordered = [own[0], *(each for each in chain if each != own[0])]
    parts = [each.public_bytes(Encoding.PEM) for each in ordered]
    parts.append(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    pem = b"".join(parts)
    return ReadCertificate(_facts_of(own[0]), hashlib.sha256(pem).hexdigest(), pem.decode())


def _read_chain(blocks: Sequence[str]) -> list[x509.Certificate]:
    if not blocks:
        raise CertificateProblem(
            "There is no certificate. It begins with -----BEGIN CERTIFICATE-----."
        )
    if len(blocks) > MAX_CERTIFICATES:
        raise CertificateProblem(
            f"There are {len(blocks)} certificates; {MAX_CERTIFICATES} are the most."
        )
    chain = []
    for place, block in enumerate(blocks, start=1):
        try:
            certificate = x509.load_pem_x509_certificate(block.encode())
            _public_bytes(certificate.public_key())
        except _UNREADABLE:
            raise CertificateProblem(
                f"Certificate {place} can't be read. Copy it again, with its first and last line."
            ) from None
        chain.append(certificate)
    return chain


def _read_key(blocks: Sequence[str]) -> Any:
    if not blocks:
        raise CertificateProblem(
            "There is no private key. It begins with -----BEGIN PRIVATE KEY-----; put it below the certificate."
        )
    if len(blocks) > 1:
        raise CertificateProblem("There is more than one private key. Leave only the one in use.")
    try:
        key = load_pem_private_key(blocks[0].encode(), None)
    except _UNREADABLE:
        raise CertificateProblem(
            "The private key can't be read. Copy it again, with its first and last line."
        ) from None
    if not isinstance(key, _KEYS):
        raise CertificateProblem(
            "A private key of this kind is not for TLS. RSA, EC and Ed25519 are."
        )
    if isinstance(key, rsa.RSAPrivateKey) and key.key_size < MIN_RSA_BITS:
        raise CertificateProblem(
            f"The private key has {key.key_size} bits; TLS asks for {MIN_RSA_BITS} at least."
        )
    return key


def _public_bytes(key: Any) -> bytes:
    encoded: bytes = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return encoded


def _facts_of(certificate: x509.Certificate) -> CertificateFacts:
    try:
        return CertificateFacts(
            subject=_name(certificate.subject),
            issuer=_name(certificate.issuer),
            valid_from=certificate.not_valid_before_utc,
            valid_until=certificate.not_valid_after_utc,
            is_for_clients=_is_for_clients(certificate),
        )
    except _UNREADABLE:
        raise CertificateProblem("The certificate has parts that can't be read.") from None


def _name(name: x509.Name) -> str:
    """As RFC 4514 writes it, the most telling part first: CN=client,O=Acme."""
    return name.rfc4514_string() or "(no name)"


def _is_for_clients(certificate: x509.Certificate) -> bool:
    try:
        usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return True
    wanted = {ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE}
    return not wanted.isdisjoint(usage)


def _day(moment: datetime) -> str:
    return f"{moment.day} {moment:%b %Y, %H:%M} UTC"
