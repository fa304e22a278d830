"""Secrets at rest: encryption with keys that can be replaced, and the opened secrets of this process.

The keys are derived from `SECRETS_KEYS`, or from `SECRET_KEY` where there are none: the first one encrypts, all
of them decrypt, and so does `SECRET_KEY`, so that an installation can give itself keys of its own later.
"""

import base64
import time
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.db import transaction
from django.db.models.signals import post_delete, post_save
from django.views.decorators.debug import sensitive_variables

from webhooks.keyring import Keyring, OpenSecret
from webhooks.models import Secret

# A worker sees a change at most so much later: looking costs a query.
KEYRING_AGE_S: Final = 1.0
_INFO: Final = b"signalbox secrets 1"
_COLUMNS: Final = ("name", "kind", "encrypted", "encrypted_previous", "previous_until")
_BATCH: Final = 100


class CannotDecrypt(Exception):
    """None of the keys opens this value: the one it was encrypted with is not among SECRETS_KEYS any more."""


def encrypt(value: str) -> str:
    return _fernets().encrypt(value.encode()).decode()


def decrypt(encrypted: str) -> str:
    """Raises CannotDecrypt."""
    try:
        return _fernets().decrypt(encrypted.encode()).decode()
    except InvalidToken:
        raise CannotDecrypt from None


def is_up_to_date(encrypted: str) -> bool:
    """Whether a value is encrypted with the first key."""
    try:
        _derive(_keys()[0]).decrypt(encrypted.encode())
    except InvalidToken:
        return False
    return True


@sensitive_variables()
def open_secret(secret: Secret) -> OpenSecret:
    """A secret with its value; where that can't be had, with the problem in words."""
    try:
        value = decrypt(secret.encrypted)
        previous = decrypt(secret.encrypted_previous) if secret.encrypted_previous else ""
    except CannotDecrypt:
        return OpenSecret(
            secret.name,
            secret.kind,
            problem=f"the secret `{secret.name}` can't be read: the key that it was encrypted with is not among"
            " SECRETS_KEYS. Add that key again, or enter the value anew",
        )
    return OpenSecret(secret.name, secret.kind, value, previous, secret.previous_until)


def rotate_keys() -> tuple[int, int, list[str]]:
    """Encrypt everything with the first key: (changed, up to date already, names of what no key opens).

    In small batches, so it can be broken off and begun again at any time.
    """
    changed = current = 0
    unreadable: list[str] = []
    ids = list(Secret.objects.order_by("pk").values_list("pk", flat=True))
    for start in range(0, len(ids), _BATCH):
        with transaction.atomic():
            for secret in Secret.objects.select_for_update().filter(
                pk__in=ids[start : start + _BATCH]
            ):
                try:
                    if _encrypt_anew(secret):
                        changed += 1
                    else:
                        current += 1
                except CannotDecrypt:
                    unreadable.append(secret.name)
    return changed, current, sorted(unreadable)


def _encrypt_anew(secret: Secret) -> bool:
    """Whether anything had to be changed. Raises CannotDecrypt."""
    values = {
        name: encrypt(decrypt(getattr(secret, name)))
        for name in ("encrypted", "encrypted_previous")
        if getattr(secret, name) and not is_up_to_date(getattr(secret, name))
    }
    if values:
        Secret.objects.filter(pk=secret.pk).update(**values)
    return bool(values)


# --- Keys -----------------------------------------------------------------------------------------


def _keys() -> Sequence[str]:
    return tuple(settings.SECRETS_KEYS) or (settings.SECRET_KEY,)


def _fernets() -> MultiFernet:
    return _fernets_of((*_keys(), settings.SECRET_KEY))


@lru_cache(maxsize=8)
def _fernets_of(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([_derive(key) for key in dict.fromkeys(keys)])


@lru_cache(maxsize=32)
def _derive(key: str) -> Fernet:
    """A Fernet key from a long random text (HKDF, RFC 5869)."""
    hkdf = HKDF(algorithm=SHA256(), length=32, salt=None, info=_INFO)
    return Fernet(base64.urlsafe_b64encode(hkdf.derive(key.encode())))


# --- The opened secrets of this process -----------------------------------------------------------

_keyring = Keyring({})
_rows: dict[str, tuple[Any, ...]] | None = None
_opened: dict[str, OpenSecret] = {}
_look_at = 0.0


def current_keyring() -> Keyring:
    """All secrets, opened; at most KEYRING_AGE_S old. One small query when it looks, else none."""
    global _look_at
    now = time.monotonic()
    if _rows is None or now >= _look_at:
        _refresh()
        _look_at = now + KEYRING_AGE_S
    return _keyring


def forget_keyring() -> None:
    """Look again at the next request."""
    global _look_at
    _look_at = 0.0


def _refresh() -> None:
    global _keyring, _rows, _opened
    secrets = {secret.name: secret for secret in Secret.objects.only(*_COLUMNS)}
    rows = {
        name: tuple(getattr(secret, column) for column in _COLUMNS)
        for name, secret in secrets.items()
    }
    if rows == _rows:
        return
    old = _rows or {}
    opened = {
        name: _opened[name] if old.get(name) == rows[name] else open_secret(secret)
        for name, secret in secrets.items()
    }
    _keyring, _rows, _opened = Keyring(opened), rows, opened


def _on_change(**kwargs: Any) -> None:
    transaction.on_commit(forget_keyring)
    forget_keyring()


post_save.connect(_on_change, sender=Secret, dispatch_uid="keyring_saved")
post_delete.connect(_on_change, sender=Secret, dispatch_uid="keyring_deleted")
