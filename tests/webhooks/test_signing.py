"""Signatures: the vectors of the specifications, keys in all their forms, and words for what is no key."""

import base64
import hashlib
import hmac

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from webhooks.signing import (
    KeyProblem,
    hmac_signature,
    new_ed25519_key,
    new_symmetric_key,
    read_ed25519_key,
    read_symmetric_key,
    signature_headers,
)

# The symmetric vector of the Standard Webhooks libraries.
SPEC_KEY = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
SPEC_ID = "msg_p5jXN8AQM9LWM0D4loKWxJek"
SPEC_TIMESTAMP = 1614265330
SPEC_BODY = b'{"test": 2432232314}'
SPEC_SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
# RFC 8032, section 7.1, test 2: seed and public key.
RFC_SEED = bytes.fromhex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb")
RFC_PUBLIC = bytes.fromhex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c")
RFC_SIGNATURE = bytes.fromhex(
    "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
    "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
)


def whsk(raw):
    return "whsk_" + base64.b64encode(raw).decode()


def test_the_symmetric_vector_of_the_specification():
    headers = signature_headers(
        [read_symmetric_key(SPEC_KEY)],
        message_id=SPEC_ID,
        timestamp=SPEC_TIMESTAMP,
        body=SPEC_BODY,
    )
    assert headers == [
        ("webhook-id", SPEC_ID),
        ("webhook-timestamp", str(SPEC_TIMESTAMP)),
        ("webhook-signature", SPEC_SIGNATURE),
    ]


def test_a_key_without_its_prefix_and_with_blanks_is_the_same_key():
    bare = SPEC_KEY.removeprefix("whsec_")
    assert read_symmetric_key(f"  {bare}\n") == read_symmetric_key(SPEC_KEY)


@pytest.mark.parametrize("raw", [RFC_SEED, RFC_SEED + RFC_PUBLIC])
def test_the_ed25519_vector_of_rfc_8032(raw):
    key = read_ed25519_key(whsk(raw))
    assert key.sign(b"\x72") == f"v1a,{base64.b64encode(RFC_SIGNATURE).decode()}"
    assert key.public_key == "whpk_" + base64.b64encode(RFC_PUBLIC).decode()


def test_an_ed25519_signature_is_verified_with_the_public_key():
    key = read_ed25519_key(new_ed25519_key())
    (_, _, (name, signature)) = signature_headers(
        [key], message_id="job_1", timestamp=1700000000, body=b"body"
    )
    public = Ed25519PublicKey.from_public_bytes(
        base64.b64decode(key.public_key.removeprefix("whpk_"))
    )
    version, _, encoded = signature.partition(",")
    assert (name, version) == ("webhook-signature", "v1a")
    public.verify(base64.b64decode(encoded), b"job_1.1700000000.body")


def test_several_keys_sign_one_after_the_other():
    keys = [read_symmetric_key(new_symmetric_key()), read_symmetric_key(SPEC_KEY)]
    headers = dict(
        signature_headers(keys, message_id=SPEC_ID, timestamp=SPEC_TIMESTAMP, body=SPEC_BODY)
    )
    first, second = headers["webhook-signature"].split(" ")
    assert first.startswith("v1,")
    assert second == SPEC_SIGNATURE


def test_new_keys_are_as_the_specification_wants_them():
    symmetric = new_symmetric_key()
    assert symmetric.startswith("whsec_")
    assert 24 <= len(base64.b64decode(symmetric.removeprefix("whsec_"))) <= 64
    private = new_ed25519_key()
    assert private.startswith("whsk_")
    assert len(base64.b64decode(private.removeprefix("whsk_"))) == 64
    assert symmetric != new_symmetric_key()


@pytest.mark.parametrize(
    ("read", "text", "words"),
    [
        (read_symmetric_key, "whsec_" + base64.b64encode(b"x" * 23).decode(), "has 23 bytes"),
        (read_symmetric_key, "whsec_" + base64.b64encode(b"x" * 65).decode(), "has 65 bytes"),
        (read_symmetric_key, "whsec_Zm9v!canary", "whsec_ and base64"),
        (read_symmetric_key, "", "has 0 bytes"),
        (read_symmetric_key, "whsec_ключ", "whsec_ and base64"),
        (read_ed25519_key, whsk(b"x" * 31), "has 31 bytes"),
        (read_ed25519_key, whsk(RFC_SEED + b"x" * 32), "halves"),
        (read_ed25519_key, "whpk_" + base64.b64encode(RFC_PUBLIC).decode(), "public key"),
        (read_ed25519_key, "nonsense canary", "whsk_ and base64"),
    ],
)
def test_what_is_no_key_is_refused_in_words_that_do_not_quote_it(read, text, words):
    with pytest.raises(KeyProblem) as caught:
        read(text)
    assert words in str(caught.value)
    assert "canary" not in str(caught.value)


def test_keys_hide_in_repr():
    assert "MfKQ" not in repr(read_symmetric_key(SPEC_KEY))
    assert repr(read_symmetric_key(SPEC_KEY)) == "SymmetricKey()"
    assert repr(read_ed25519_key(whsk(RFC_SEED))) == "Ed25519Key()"


@pytest.mark.parametrize("algorithm", ["sha256", "sha512"])
def test_plain_hmac(algorithm):
    digest = hmac.new(b"key", b"body", getattr(hashlib, algorithm)).digest()
    assert hmac_signature(b"key", b"body", algorithm=algorithm, encoding="hex") == digest.hex()
    assert (
        hmac_signature(b"key", b"body", algorithm=algorithm, encoding="base64")
        == base64.b64encode(digest).decode()
    )


def test_the_vector_of_github():
    """https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries"""
    signature = hmac_signature(
        b"It's a Secret to Everybody", b"Hello, World!", algorithm="sha256", encoding="hex"
    )
    assert signature == "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"


@pytest.mark.parametrize(("algorithm", "encoding"), [("sha1", "hex"), ("sha256", "binary")])
def test_other_algorithms_are_refused(algorithm, encoding):
    with pytest.raises(ValueError, match="no HMAC"):
        hmac_signature(b"key", b"body", algorithm=algorithm, encoding=encoding)
