"""Opened secrets, in memory while requests are sent: what each may be used for, and how to mask it. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

from records.expressions.errors import suggest
from webhooks.certificates import CertificateProblem, ReadCertificate, read_certificate
from webhooks.redaction import Redactor
from webhooks.signing import (
    PRIVATE_PREFIX,
    SYMMETRIC_PREFIX,
    KeyProblem,
    SigningKey,
    read_ed25519_key,
    read_symmetric_key,
)

# Redactors are kept for the combinations of secrets that requests use; more would be unheard of.
_MAX_REDACTORS: Final = 1_000


class SecretKind(StrEnum):
    TEXT = "text"
    SYMMETRIC = "symmetric"
    ED25519 = "ed25519"
    CERTIFICATE = "cert"


SIGNING_KINDS: Final = (SecretKind.SYMMETRIC, SecretKind.ED25519)


class SecretProblem(Exception):
    """Why a secret can't be used, in words that never have its value."""


@dataclass(frozen=True, slots=True)
class OpenSecret:
    """`previous` signs too until `previous_until`. `problem`: why there is no value."""

    name: str
    kind: str
    value: str = field(default="", repr=False)
    previous: str = field(default="", repr=False)
    previous_until: datetime | None = None
    problem: str = ""


class Keyring:
    """All secrets of the installation at one moment. Immutable; shared between threads."""

    __slots__ = ("_certificates", "_keys", "_redactors", "_secrets")

    def __init__(self, secrets: Mapping[str, OpenSecret]) -> None:
        self._secrets = secrets
        self._keys: dict[str, SigningKey] = {}
        self._certificates: dict[str, ReadCertificate] = {}
        self._redactors: dict[frozenset[str], Redactor] = {}

    def __repr__(self) -> str:
        return f"<Keyring: {len(self._secrets)} secrets>"

    def text(self, name: str) -> str:
        """The value of a text, to be inserted in a request. Raises SecretProblem."""
        secret = self._get(name)
        if secret.kind != SecretKind.TEXT:
            what = "client certificate" if secret.kind == SecretKind.CERTIFICATE else "signing key"
            raise SecretProblem(
                f"`{name}` is a {what}, and these are never sent. Choose a secret that is a text."
            )
        return secret.value

    def hmac_text(self, name: str) -> str:
        """The value of a text or of a symmetric key, which is then taken as the text it is."""
        secret = self._get(name)
        if secret.kind in (SecretKind.ED25519, SecretKind.CERTIFICATE):
            what = "key for Ed25519" if secret.kind == SecretKind.ED25519 else "client certificate"
            raise SecretProblem(f"`{name}` is a {what}; an HMAC needs a text or `whsec_…`.")
        return secret.value

    def verification_texts(self, name: str, now: datetime) -> list[str]:
        """The value by which what comes in is verified, and the one before it while both are valid.

        Raises SecretProblem.
        """
        value = self.hmac_text(name)
        secret = self._get(name)
        is_rotating = secret.previous and secret.previous_until and secret.previous_until > now
        return [value, secret.previous] if is_rotating else [value]

    def signing_keys(self, name: str, now: datetime) -> list[SigningKey]:
        """The key, and the one before it while both are valid. Raises SecretProblem."""
        secret = self._get(name)
        if secret.kind not in SIGNING_KINDS:
            what = "text" if secret.kind == SecretKind.TEXT else "client certificate"
            raise SecretProblem(f"`{name}` is a {what}; signing needs a signing key.")
        values = [secret.value]
        if secret.previous and secret.previous_until and secret.previous_until > now:
            values.append(secret.previous)
        return [self._key(secret, value) for value in values]

    def client_certificate(self, name: str, now: datetime) -> ReadCertificate:
        """A certificate that is valid now. Raises SecretProblem."""
        secret = self._get(name)
        if secret.kind != SecretKind.CERTIFICATE:
            raise SecretProblem(f"`{name}` is no client certificate. Choose one in the webhook.")
        if name not in self._certificates:
            try:
                self._certificates[name] = read_certificate(secret.value)
            except CertificateProblem as problem:
                raise SecretProblem(f"`{name}`: {problem}") from None
        certificate = self._certificates[name]
        if words := certificate.facts.problem(now):
            raise SecretProblem(f"`{name}`: {words}. Give the secret a new certificate.")
        return certificate

    def redactor(self, names: Iterable[str]) -> Redactor:
        """Masks the values of these secrets; those that are not there have none."""
        wanted = frozenset(names)
        redactor = self._redactors.get(wanted)
        if redactor is None:
            if len(self._redactors) >= _MAX_REDACTORS:
                self._redactors.clear()
            redactor = Redactor(self._values(wanted))
            self._redactors[wanted] = redactor
        return redactor

    def redactor_of_all(self) -> Redactor:
        """For what others send us: a host alone is no secret there, it may be our own."""
        every = frozenset({"*"})
        if every not in self._redactors:
            self._redactors[every] = Redactor(self._values(self._secrets), with_hosts=False)
        return self._redactors[every]

    def _get(self, name: str) -> OpenSecret:
        secret = self._secrets.get(name)
        if secret is None:
            raise SecretProblem(suggest(f"there is no secret `{name}`", name, self._secrets)[0])
        if secret.problem:
            raise SecretProblem(secret.problem)
        return secret

    def _key(self, secret: OpenSecret, value: str) -> SigningKey:
        if value not in self._keys:
            read = read_ed25519_key if secret.kind == SecretKind.ED25519 else read_symmetric_key
            try:
                self._keys[value] = read(value)
            except KeyProblem as problem:
                raise SecretProblem(f"`{secret.name}`: {problem}") from None
        return self._keys[value]

    def _values(self, names: Iterable[str]) -> Iterable[str]:
        for name in names:
            secret = self._secrets.get(name)
            # A certificate's key never leaves, so nobody can repeat it; and it would be a very long pattern.
            if secret is not None and secret.kind != SecretKind.CERTIFICATE:
                for value in (secret.value, secret.previous):
                    yield value
                    yield value.removeprefix(SYMMETRIC_PREFIX).removeprefix(PRIVATE_PREFIX)
