"""Shopify: a vector made with openssl, and what is refused."""

import base64

import pytest

from tests.webhooks.verification.arriving import (
    accepts,
    arriving,
    hmac_by_hand,
    judged,
    refusal,
)

SECRET = "hush"
BODY = b'{"id":820982911946154508,"email":"jon@example.com"}'
# printf '%s' "$body" | openssl dgst -sha256 -hmac hush -binary | base64
SIGNATURE = "D0UMXmhjwBRi4y66TmhJrDlhQABD7zI2fm3p6/QLMo8="


def sent(value=SIGNATURE, body=BODY, **more):
    return arriving({"X-Shopify-Hmac-Sha256": value, **more}, body)


def test_the_vector():
    assert accepts("shopify", sent(), SECRET)
    assert accepts("shopify", sent(), "the new one", SECRET)
    assert not accepts("shopify", sent(), "the new one")
    assert not accepts("shopify", sent(body=BODY + b"\n"), SECRET)


def test_the_name_of_the_header_in_other_letters():
    assert accepts("shopify", arriving({"X-Shopify-Hmac-SHA256": SIGNATURE}, BODY), SECRET)


@pytest.mark.parametrize("body", [b"", b"\x00\xff", '{"name":"Ünal"}'.encode()])
def test_signatures_by_hand(body):
    digest = hmac_by_hand(SECRET.encode(), body).digest()
    assert accepts("shopify", sent(base64.b64encode(digest).decode(), body), SECRET)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("", "is empty"),
        (SIGNATURE.rstrip("="), "base64 of 32 bytes"),
        (SIGNATURE[:20] + " " + SIGNATURE[20:], "base64 of 32 bytes"),
        (SIGNATURE.replace("/", "_"), "base64 of 32 bytes"),
        (SIGNATURE[4:], "base64 of 32 bytes"),
        (f"{SIGNATURE},{SIGNATURE}", "base64 of 32 bytes"),
        ("0f450c5e6863c01462e32eba4e6849ac39614000", "of 40 characters"),
        ("\x00", "base64 of 32 bytes"),
        ("ключ", "base64 of 32 bytes"),
        ("A" + SIGNATURE[1:], "no signature of this body of 51 bytes"),
    ],
)
def test_everything_else_is_refused(value, words):
    reason = refusal("shopify", sent(value), SECRET)
    assert words in reason
    assert SIGNATURE[1:9] not in reason
    assert SECRET not in reason


def test_a_missing_header_is_refused():
    assert "`X-Shopify-Hmac-Sha256` is missing" in refusal("shopify", arriving({}, BODY), SECRET)


@pytest.mark.parametrize(
    ("ids", "known"),
    [
        ({"X-Shopify-Webhook-Id": "w1", "X-Shopify-Event-Id": "e1"}, "w1"),
        ({"X-Shopify-Event-Id": "e1"}, "e1"),
        ({"X-Shopify-Webhook-Id": "not one", "X-Shopify-Event-Id": "e1"}, "e1"),
        ({}, ""),
    ],
)
def test_the_id_of_the_delivery(ids, known):
    assert judged("shopify", sent(**ids), SECRET).delivery_id == known
