"""GitHub: its published vector, and what is refused."""

import pytest

from tests.webhooks.verification.arriving import (
    accepts,
    arriving,
    hmac_by_hand,
    judged,
    refusal,
)

# https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries
SECRET = "It's a Secret to Everybody"
BODY = b"Hello, World!"
DIGEST = "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"


def sent(value, body=BODY, **more):
    return arriving({"X-Hub-Signature-256": value, **more}, body)


@pytest.mark.parametrize("value", [f"sha256={DIGEST}", f"sha256={DIGEST.upper()}"])
def test_the_vector_of_the_documentation(value):
    assert accepts("github", sent(value), SECRET)


@pytest.mark.parametrize("body", [b"", b"\x00\xff", '{"zen":"ü"}'.encode(), b"x" * 100_000])
@pytest.mark.parametrize("secret", ["s", "schlüssel", "x" * 200])
def test_signatures_by_hand(body, secret):
    signature = "sha256=" + hmac_by_hand(secret.encode(), body).hexdigest()
    assert accepts("github", sent(signature, body), secret)
    assert not accepts("github", sent(signature, body + b"\n"), secret)


def test_each_of_several_secrets_is_accepted():
    assert accepts("github", sent(f"sha256={DIGEST}"), "the new one", SECRET)
    assert not accepts("github", sent(f"sha256={DIGEST}"), "the new one", "another")


@pytest.mark.parametrize(
    ("headers", "words"),
    [
        ({}, "`X-Hub-Signature-256` is missing"),
        ({"X-Hub-Signature": "sha1=" + "a" * 40}, "`X-Hub-Signature-256` is missing"),
        ({"X-Hub-Signature-256": ""}, "is empty"),
        ({"X-Hub-Signature-256": DIGEST}, "“sha256=” and 64 hex digits"),
        ({"X-Hub-Signature-256": f"SHA256={DIGEST}"}, "“sha256=” and 64 hex digits"),
        ({"X-Hub-Signature-256": f"sha256={DIGEST[:-1]}"}, "of 70 characters"),
        ({"X-Hub-Signature-256": f"sha256={DIGEST[:-1]}g"}, "64 hex digits"),
        ({"X-Hub-Signature-256": f"sha256={DIGEST[:-2]} {DIGEST[-1]}"}, "64 hex digits"),
        ({"X-Hub-Signature-256": f"sha256={DIGEST[:-1]}٧"}, "64 hex digits"),
        ({"X-Hub-Signature-256": f"sha256={DIGEST}\n"}, "64 hex digits"),
        ({"X-Hub-Signature-256": f"sha256={DIGEST},sha256={DIGEST}"}, "64 hex digits"),
        ({"X-Hub-Signature-256": f"sha256={DIGEST[::-1]}"}, "this body of 13 bytes by the secret"),
        (
            [("X-Hub-Signature-256", f"sha256={DIGEST}"), ("x-hub-signature-256", "x")],
            "came 2 times",
        ),
    ],
)
def test_everything_else_is_refused(headers, words):
    reason = refusal("github", arriving(headers, BODY), SECRET)
    assert words in reason
    assert DIGEST[:8] not in reason
    assert SECRET not in reason


@pytest.mark.parametrize(
    ("given", "known"),
    [
        ("72d3162e-cc78-11e3-81ab-4c9367dc0958", "72d3162e-cc78-11e3-81ab-4c9367dc0958"),
        ("", ""),
        ("two words", ""),
        ("x" * 201, ""),
        ("ключ", ""),
    ],
)
def test_the_id_of_the_delivery(given, known):
    arrival = sent(f"sha256={DIGEST}", **{"X-GitHub-Delivery": given})
    verdict = judged("github", arrival, SECRET)
    assert (verdict.accepted, verdict.delivery_id) == (True, known)
