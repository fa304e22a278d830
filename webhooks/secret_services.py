"""What people do with secrets: make, change, rotate. One place for admin, API and commands."""

from datetime import timedelta
from typing import Final

from django.db import transaction
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from webhooks.certificates import CertificateProblem, read_certificate
from webhooks.exceptions import SecretRefused
from webhooks.keyring import SecretKind
from webhooks.models import Secret
from webhooks.secret_uses import uses_of
from webhooks.signing import (
    PRIVATE_PREFIX,
    SYMMETRIC_PREFIX,
    KeyProblem,
    new_ed25519_key,
    new_symmetric_key,
    read_ed25519_key,
    read_symmetric_key,
)
from webhooks.transport import ClientCertificate, Fault, check_client_cert
from webhooks.vault import CannotDecrypt, decrypt, encrypt

# For how long the old signing key goes on signing beside the new one, unless somebody says otherwise.
OVERLAP: Final = timedelta(days=1)
MAX_VALUE_LENGTH: Final = 10_000
# A chain of a few certificates and a key.
MAX_CERTIFICATE_LENGTH: Final = 50_000


@sensitive_variables("value")
def clean_value(kind: str, value: str) -> str:
    """A value as it is kept: a signing key in full form. Raises SecretRefused, whose words never quote it."""
    value = value.strip()
    limit = MAX_CERTIFICATE_LENGTH if kind == SecretKind.CERTIFICATE else MAX_VALUE_LENGTH
    if len(value) > limit:
        raise SecretRefused(f"This value is longer than {limit:,} characters.")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise SecretRefused("This value has half a character (a lone surrogate).") from None
    if "\0" in value:
        raise SecretRefused("This value has a NUL character.")
    try:
        if kind == SecretKind.SYMMETRIC:
            read_symmetric_key(value)
            return SYMMETRIC_PREFIX + value.removeprefix(SYMMETRIC_PREFIX)
        if kind == SecretKind.ED25519:
            read_ed25519_key(value)
            return PRIVATE_PREFIX + value.removeprefix(PRIVATE_PREFIX)
    except KeyProblem as problem:
        raise SecretRefused(str(problem)) from None
    if not value:
        raise SecretRefused("Enter the value.")
    return _clean_certificate(value) if kind == SecretKind.CERTIFICATE else value


@sensitive_variables("value", "read")
def _clean_certificate(value: str) -> str:
    """In the order that TLS wants. What it will refuse is refused now."""
    try:
        read = read_certificate(value)
        check_client_cert(ClientCertificate(read.digest, read.pem))
    except CertificateProblem as problem:
        raise SecretRefused(str(problem)) from None
    except Fault as fault:
        raise SecretRefused(fault.words) from None
    return read.pem


@sensitive_variables("value")
def put_value(*, secret: Secret, value: str = "") -> str:
    """Give a secret, saved or not, a value; a signing key without one is generated.

    What was generated is returned, to be shown once; else "". Raises SecretRefused. Does not save.
    """
    generated = ""
    if not value.strip() and secret.is_signing_key:
        value = generated = new_key(secret.kind)
    secret.encrypted = encrypt(clean_value(secret.kind, value))
    secret.value_changed_at = timezone.now()
    return generated


def create_secret(
    *, name: str, value: str = "", kind: str = SecretKind.TEXT, description: str = ""
) -> tuple[Secret, str]:
    """The saved secret, and its value if it was generated."""
    secret = Secret(name=name, kind=kind, description=description)
    generated = put_value(secret=secret, value=value)
    secret.full_clean(exclude=["encrypted"])
    secret.save(force_insert=True)
    return secret, generated


@sensitive_variables("value")
@transaction.atomic
def rotate_secret(
    *, secret: Secret, value: str = "", overlap: timedelta = OVERLAP, seen: str = ""
) -> tuple[Secret, str]:
    """Put a new signing key in the place of the old, which signs too until the overlap ends.

    `seen` is the encrypted value the person had before their eyes: a second click rotates nothing. Raises
    SecretRefused.
    """
    locked = Secret.objects.select_for_update().get(pk=secret.pk)
    if not locked.is_signing_key:
        raise SecretRefused("Only signing keys rotate. Give this secret its new value instead.")
    if seen and fingerprint(locked) != seen:
        raise SecretRefused(
            "This key has been changed since you opened the page. Look again first."
        )
    before = locked.encrypted
    generated = put_value(secret=locked, value=value)
    keeps = overlap > timedelta(0) and _is_readable(before)
    locked.encrypted_previous = before if keeps else ""
    locked.previous_until = timezone.now() + overlap if keeps else None
    locked.save()
    return locked, generated


@transaction.atomic
def end_overlap(*, secret: Secret) -> Secret:
    """From now on only the new key signs; the old one is forgotten."""
    locked = Secret.objects.select_for_update().get(pk=secret.pk)
    locked.encrypted_previous = ""
    locked.previous_until = None
    locked.save()
    return locked


def require_unused_name(name: str) -> None:
    """Before a secret loses its name: whatever uses it would find it no more. Raises SecretRefused."""
    uses = uses_of(name)
    if uses:
        titles = ", ".join(use.title for use in uses[:3]) + (" and others" if len(uses) > 3 else "")
        raise SecretRefused(
            f"`{name}` is used by {titles}. Make a secret of the new name, change these, then delete this one."
        )


def new_key(kind: str) -> str:
    return new_ed25519_key() if kind == SecretKind.ED25519 else new_symmetric_key()


def fingerprint(secret: Secret) -> str:
    """Tells one value from the next, and nothing about either."""
    return secret.value_changed_at.isoformat()


def _is_readable(encrypted: str) -> bool:
    try:
        decrypt(encrypted)
    except CannotDecrypt:
        return False
    return True
