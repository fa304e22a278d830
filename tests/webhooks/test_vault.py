"""Secrets at rest: what is in the database, keys that change, keys that are lost, and what a process keeps."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from webhooks import vault
from webhooks.keyring import SecretProblem
from webhooks.models import Secret
from webhooks.secret_services import create_secret, put_value

pytestmark = pytest.mark.django_db

OLD, NEW = "old-key-" + "o" * 40, "new-key-" + "n" * 40
VALUE = "canary-in-the-vault"


@pytest.fixture(autouse=True)
def _fresh_keyring():
    vault.forget_keyring()
    yield
    vault.forget_keyring()


def rotate():
    out = StringIO()
    call_command("rotate_secret_keys", stdout=out)
    return out.getvalue()


def value_of(name):
    """As a process that has just begun reads it."""
    vault.forget_keyring()
    vault._rows = None
    return vault.current_keyring().text(name)


def test_only_the_encrypted_value_is_stored():
    create_secret(name="key", value=VALUE)
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM webhooks_secret")
        assert VALUE not in repr(cursor.fetchall())
    secret = Secret.objects.get()
    assert VALUE not in repr(vars(secret))
    assert value_of("key") == VALUE


def test_the_same_value_is_encrypted_differently_each_time():
    one, _ = create_secret(name="one", value=VALUE)
    other, _ = create_secret(name="other", value=VALUE)
    assert one.encrypted != other.encrypted


def test_without_keys_of_its_own_secret_key_encrypts(settings):
    settings.SECRETS_KEYS = []
    create_secret(name="key", value=VALUE)
    assert value_of("key") == VALUE
    settings.SECRET_KEY = "another-" * 8
    assert "can't be read" in problem_of("key")


def problem_of(name):
    with pytest.raises(SecretProblem) as caught:
        value_of(name)
    return str(caught.value)


def test_an_installation_can_give_itself_keys_later(settings):
    settings.SECRETS_KEYS = []
    create_secret(name="key", value=VALUE)
    settings.SECRETS_KEYS = [NEW]
    assert value_of("key") == VALUE
    assert rotate() == "Encrypted anew: 1. Up to date already: 0.\n"
    settings.SECRET_KEY = "another-" * 8
    assert value_of("key") == VALUE


def test_keys_are_rotated(settings):
    settings.SECRETS_KEYS = [OLD]
    create_secret(name="key", value=VALUE)
    signing, generated = create_secret(name="signing", kind="symmetric")
    before = signing.updated_at
    Secret.objects.filter(pk=signing.pk).update(encrypted_previous=vault.encrypt("whsec_previous"))
    settings.SECRETS_KEYS = [NEW, OLD]
    assert value_of("key") == VALUE
    assert rotate() == "Encrypted anew: 2. Up to date already: 0.\n"
    settings.SECRETS_KEYS = [NEW]
    assert value_of("key") == VALUE
    signing.refresh_from_db()
    assert vault.decrypt(signing.encrypted) == generated
    assert vault.decrypt(signing.encrypted_previous) == "whsec_previous"
    assert signing.updated_at == before


def test_a_rotation_that_was_broken_off_goes_on(settings, monkeypatch):
    monkeypatch.setattr(vault, "_BATCH", 2)
    settings.SECRETS_KEYS = [OLD]
    for number in range(5):
        create_secret(name=f"key{number}", value=VALUE)
    settings.SECRETS_KEYS = [NEW, OLD]
    done = []
    encrypt_anew = vault._encrypt_anew

    def stops(secret):
        if len(done) == 3:
            raise KeyboardInterrupt
        done.append(secret.name)
        return encrypt_anew(secret)

    monkeypatch.setattr(vault, "_encrypt_anew", stops)
    with pytest.raises(KeyboardInterrupt):
        rotate()
    monkeypatch.setattr(vault, "_encrypt_anew", encrypt_anew)
    assert rotate() == "Encrypted anew: 3. Up to date already: 2.\n"
    assert rotate() == "Encrypted anew: 0. Up to date already: 5.\n"


def test_what_no_key_opens_is_named_and_the_rest_is_done(settings):
    settings.SECRETS_KEYS = [OLD]
    create_secret(name="lost", value=VALUE)
    settings.SECRETS_KEYS = [NEW]
    create_secret(name="kept", value=VALUE)
    with pytest.raises(CommandError, match="No key opens lost") as caught:
        rotate()
    assert VALUE not in str(caught.value)
    assert value_of("kept") == VALUE
    assert "SECRETS_KEYS" in problem_of("lost")


def test_a_lost_secret_gets_a_new_value(settings):
    settings.SECRETS_KEYS = [OLD]
    secret, _ = create_secret(name="key", value=VALUE)
    settings.SECRETS_KEYS = [NEW]
    put_value(secret=secret, value="entered anew")
    secret.save()
    assert value_of("key") == "entered anew"


def test_a_process_looks_at_most_once_a_second(django_assert_num_queries):
    create_secret(name="key", value=VALUE)
    with django_assert_num_queries(1):
        for _ in range(10):
            vault.current_keyring()


def test_a_change_in_this_process_is_seen_at_once():
    secret, _ = create_secret(name="key", value=VALUE)
    assert vault.current_keyring().text("key") == VALUE
    put_value(secret=secret, value="another value")
    secret.save()
    assert vault.current_keyring().text("key") == "another value"
    secret.delete()
    with pytest.raises(SecretProblem, match="no secret"):
        vault.current_keyring().text("key")


def test_a_change_of_another_process_is_seen_when_it_looks_again(monkeypatch):
    secret, _ = create_secret(name="key", value=VALUE)
    vault.current_keyring()
    Secret.objects.filter(pk=secret.pk).update(encrypted=vault.encrypt("from elsewhere"))
    assert vault.current_keyring().text("key") == VALUE
    monkeypatch.setattr(vault, "_look_at", 0.0)
    assert vault.current_keyring().text("key") == "from elsewhere"


def test_only_what_changed_is_decrypted_anew(monkeypatch):
    for number in range(3):
        create_secret(name=f"key{number}", value=VALUE)
    vault.current_keyring()
    opened = []
    open_secret = vault.open_secret
    monkeypatch.setattr(
        vault, "open_secret", lambda secret: opened.append(secret.name) or open_secret(secret)
    )
    put_value(secret=(secret := Secret.objects.get(name="key1")), value="new")
    secret.save()
    vault.current_keyring()
    assert opened == ["key1"]
