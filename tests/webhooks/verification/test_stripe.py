"""Stripe: vectors made with openssl, rotation, time, and what is refused."""

import pytest

from tests.webhooks.verification.arriving import (
    accepts,
    arriving,
    hmac_by_hand,
    judged,
    refusal,
)

SECRET = "whsec_test_secret"
BODY = b'{"id":"evt_1NG8Du2eZvKYlo2CUI79vXWy","object":"event","type":"payment_intent.succeeded"}'
TIME = 1_700_000_000
# printf '%s' "1700000000.$body" | openssl dgst -sha256 -hmac "$secret"
DIGEST = "1ee8dd662a91c944c5fc90522bd8a6c2fa5ad2f05377bafef52d694497464c9a"
NEW_SECRET = "whsec_the_new_secret"
NEW_DIGEST = "a92012279b0c67739ceb7178545b925c551ee8e3391d19e5423a8330035ca119"


def sent(value, body=BODY, seconds=0):
    return arriving({"Stripe-Signature": value}, body, at=TIME, seconds=seconds)


@pytest.mark.parametrize(
    ("value", "secrets"),
    [
        (f"t={TIME},v1={DIGEST}", [SECRET]),
        (f"t={TIME},v1={DIGEST},v0={'6' * 64}", [SECRET]),
        (f"v1={DIGEST},t={TIME}", [SECRET]),
        (f"t={TIME}, v1={DIGEST}", [SECRET]),
        # While a secret is rolled, Stripe signs with both, and we may know either or both.
        (f"t={TIME},v1={NEW_DIGEST},v1={DIGEST}", [SECRET]),
        (f"t={TIME},v1={NEW_DIGEST},v1={DIGEST}", [NEW_SECRET]),
        (f"t={TIME},v1={DIGEST}", [NEW_SECRET, SECRET]),
        (f"t={TIME},v1=short,v1={DIGEST}", [SECRET]),
    ],
)
def test_signatures_that_are_accepted(value, secrets):
    verdict = judged("stripe", sent(value), *secrets)
    assert (verdict.accepted, verdict.delivery_id) == (True, "evt_1NG8Du2eZvKYlo2CUI79vXWy")


@pytest.mark.parametrize(
    ("seconds", "tolerance_s", "accepted"),
    [
        (300, 300, True),
        (301, 300, False),
        (-300, 300, True),
        (-301, 300, False),
        (10, 10, True),
        (11, 10, False),
        (3600, 3600, True),
        (3601, 3600, False),
    ],
)
def test_the_window_of_time(seconds, tolerance_s, accepted):
    arrival = sent(f"t={TIME},v1={DIGEST}", seconds=seconds)
    assert accepts("stripe", arrival, SECRET, tolerance_s=tolerance_s) is accepted


def test_the_window_is_five_minutes_unless_it_is_set():
    assert accepts("stripe", sent(f"t={TIME},v1={DIGEST}", seconds=300), SECRET)
    reason = refusal("stripe", sent(f"t={TIME},v1={DIGEST}", seconds=301), SECRET)
    assert "301 seconds in the past, and 300 are allowed" in reason
    reason = refusal("stripe", sent(f"t={TIME},v1={DIGEST}", seconds=-500), SECRET)
    assert "500 seconds in the future" in reason


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("", "is empty"),
        ("nonsense", "one “t=”; it has 0"),
        (",=,=,", "one “t=”; it has 0"),
        (f"v1={DIGEST}", "one “t=”; it has 0"),
        (f"t={TIME},v1={DIGEST},t={TIME}", "one “t=”; it has 2"),
        (f"t={TIME}", "no “v1=”"),
        (f"t={TIME},v0={DIGEST}", "no “v1=”"),
        (f"t={TIME},v1={DIGEST[:-1]}", "no “v1=”"),
        (f"t=,v1={DIGEST}", "no Unix time"),
        (f"t=+{TIME},v1={DIGEST}", "no Unix time"),
        (f"t=1_700_000_000,v1={DIGEST}", "no Unix time"),
        (f"t={TIME}.0,v1={DIGEST}", "no Unix time"),
        (f"t=١٧٠٠٠٠٠٠٠٠,v1={DIGEST}", "no Unix time"),
        (f"t={'9' * 4000},v1={DIGEST}", "no Unix time"),
        (f"t=-{TIME},v1={DIGEST}", "no Unix time"),
        (f"t={TIME + 1},v1={DIGEST}", "no signature of this body"),
        (f"t={TIME},v1={DIGEST[::-1]}", "no signature of this body"),
    ],
)
def test_everything_else_is_refused(value, words):
    reason = refusal("stripe", sent(value), SECRET)
    assert words in reason
    assert DIGEST[:8] not in reason
    assert SECRET not in reason


def test_the_secret_is_the_whole_text_and_not_its_base64():
    assert not accepts("stripe", sent(f"t={TIME},v1={DIGEST}"), SECRET.removeprefix("whsec_"))


def test_another_body_is_refused():
    assert not accepts("stripe", sent(f"t={TIME},v1={DIGEST}", BODY + b" "), SECRET)


@pytest.mark.parametrize(
    "body", [b"", b"\xff", b"[]", b'{"id":7}', b'{"id":"a b"}', b"[" * 100_000, b"9" * 5000]
)
def test_a_body_without_an_id_is_accepted_all_the_same(body):
    digest = hmac_by_hand(SECRET.encode(), b"1700000000." + body).hexdigest()
    verdict = judged("stripe", sent(f"t={TIME},v1={digest}", body), SECRET)
    assert (verdict.accepted, verdict.delivery_id) == (True, "")
