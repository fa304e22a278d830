"""Standard Webhooks: the vectors of its libraries for both versions, rotation, time, and what is refused."""

import base64

import pytest

from tests.webhooks.verification.arriving import (
    accepts,
    arriving,
    hmac_by_hand,
    judged,
    refusal,
)
from webhooks.signing import (
    KeyProblem,
    new_ed25519_key,
    new_symmetric_key,
    read_ed25519_key,
    read_ed25519_public_key,
    read_symmetric_key,
    signature_headers,
)

# The vectors of the libraries: https://github.com/standard-webhooks/standard-webhooks (v1)
# and https://github.com/svix/svix-webhooks (v1a, in the server's tests).
KEY = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
PUBLIC_KEY = "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4="
PRIVATE_KEY = (
    "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg=="
)
ID = "msg_p5jXN8AQM9LWM0D4loKWxJek"
TIME = 1614265330
BODY = b'{"test": 2432232314}'
V1 = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
V1A = "v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3mNl8EM+m7TBAg=="
# From the tests of the libraries: a signature that is none of these.
ANOTHER = "v1,Ceo5qEr07ixe2NLpvHk3FH9bwy/WavXrAFQ/9tdO6mc="


def headers(signature=V1, *, message_id=ID, timestamp=str(TIME), prefix="webhook-"):
    return {
        f"{prefix}id": message_id,
        f"{prefix}timestamp": timestamp,
        f"{prefix}signature": signature,
    }


def sent(signature=V1, body=BODY, seconds=0, **more):
    return arriving(headers(signature, **more), body, at=TIME, seconds=seconds)


@pytest.mark.parametrize(
    ("signature", "keys"),
    [
        (V1, [KEY]),
        (V1, [KEY.removeprefix("whsec_")]),
        (V1, [f" {KEY}\n"]),
        (V1A, [PUBLIC_KEY]),
        (V1A, [f"{PUBLIC_KEY}\n"]),
        # Several signatures while the sender rotates, several keys while we do.
        (f"{ANOTHER} {V1}", [KEY]),
        (f"{V1} {ANOTHER}", [KEY]),
        (f"{V1A} v2,abc {V1}", [KEY]),
        (f"{ANOTHER} {V1A}", [PUBLIC_KEY]),
        (V1, [new_symmetric_key(), KEY]),
        (V1A, [KEY, PUBLIC_KEY]),
        (V1, [PUBLIC_KEY, KEY]),
        (V1, ["whsec_no key", KEY]),
    ],
)
def test_the_vectors(signature, keys):
    verdict = judged("standard_webhooks", sent(signature), *keys)
    assert (verdict.accepted, verdict.delivery_id) == (True, ID)


def test_the_headers_that_svix_sends():
    verdict = judged("standard_webhooks", sent(prefix="svix-"), KEY)
    assert (verdict.accepted, verdict.delivery_id) == (True, ID)
    mixed = headers(ANOTHER) | headers(prefix="svix-")
    assert not accepts("standard_webhooks", arriving(mixed, BODY, at=TIME), KEY)


def test_what_we_send_is_what_we_accept():
    symmetric, private = new_symmetric_key(), new_ed25519_key()
    pairs = signature_headers(
        [read_symmetric_key(symmetric), read_ed25519_key(private)],
        message_id="job_1",
        timestamp=TIME,
        body=b"\x00\xff",
    )
    arrival = arriving(pairs, b"\x00\xff", at=TIME)
    assert accepts("standard_webhooks", arrival, symmetric)
    assert accepts("standard_webhooks", arrival, read_ed25519_key(private).public_key)


def test_a_signature_by_hand():
    key = bytes(range(40))
    message = f"{ID}.{TIME}.".encode() + BODY
    signature = "v1," + base64.b64encode(hmac_by_hand(key, message).digest()).decode()
    assert accepts("standard_webhooks", sent(signature), base64.b64encode(key).decode())


@pytest.mark.parametrize(
    ("seconds", "tolerance_s", "accepted"),
    [(300, 300, True), (301, 300, False), (-300, 300, True), (-301, 300, False), (2, 1, False)],
)
@pytest.mark.parametrize(("signature", "key"), [(V1, KEY), (V1A, PUBLIC_KEY)])
def test_the_window_of_time(signature, key, seconds, tolerance_s, accepted):
    arrival = sent(signature, seconds=seconds)
    assert accepts("standard_webhooks", arrival, key, tolerance_s=tolerance_s) is accepted


@pytest.mark.parametrize("name", ["webhook-id", "webhook-timestamp", "webhook-signature"])
def test_each_header_is_needed_once(name):
    three = headers()
    missing = {other: value for other, value in three.items() if other != name}
    arrival = arriving(missing, BODY, at=TIME)
    assert f"`{name}` is missing" in refusal("standard_webhooks", arrival, KEY)
    arrival = arriving([*three.items(), (name.upper(), three[name])], BODY, at=TIME)
    assert f"`{name}`, but it came 2 times" in refusal("standard_webhooks", arrival, KEY)


@pytest.mark.parametrize(
    ("signature", "keys", "words"),
    [
        (ANOTHER, [KEY], "no signature of this body of 20 bytes"),
        (V1, [new_symmetric_key()], "no signature of this body"),
        (V1A.replace("hnO3", "hnO4"), [PUBLIC_KEY], "no signature of this body"),
        (V1A, [read_ed25519_key(new_ed25519_key()).public_key], "no signature of this body"),
        (V1A, [KEY], "version v1; it has v1a"),
        (V1, [PUBLIC_KEY], "version v1a; it has v1"),
        ("nonsense", [KEY, PUBLIC_KEY], "version v1 or v1a; it has none"),
        (V1.removeprefix("v1,"), [KEY], "it has none"),
        (V1.replace("v1,", "v1a,"), [KEY], "it has v1a"),
        (V1.replace("v1,", "v1a,"), [PUBLIC_KEY], "no signature of this body"),
        (V1.replace("v1,", "v1="), [KEY], "it has none"),
        (V1.rstrip("="), [KEY], "no signature of this body"),
        (f"{V1},{V1}", [KEY], "no signature of this body"),
        ("v1,", [KEY], "no signature of this body"),
        ("v1a,", [PUBLIC_KEY], "no signature of this body"),
        ("v1a,ключ", [PUBLIC_KEY], "no signature of this body"),
        ("v1a,\ud800", [PUBLIC_KEY], "no signature of this body"),
        ("v1,\ud800", [KEY], "no signature of this body"),
        (V1, ["whsec_canary canary"], "can't verify anything. This is no key"),
        (V1, ["whsec_Y2FuYXJ5"], "can't verify anything. This key has 6 bytes"),
        (V1A, ["whpk_Y2FuYXJ5"], "can't verify anything. This key has 6 bytes"),
        (V1A, [PRIVATE_KEY], "can't verify anything. This is no key"),
    ],
)
def test_everything_else_is_refused(signature, keys, words):
    reason = refusal("standard_webhooks", sent(signature), *keys)
    assert words in reason
    assert "canary" not in reason
    assert signature[4:12] not in reason or len(signature) < 12
    assert not [key for key in keys if key[6:14] in reason]


@pytest.mark.parametrize(
    "arrival",
    [
        sent(body=BODY + b" "),
        sent(message_id=ID + "x"),
        sent(timestamp=str(TIME + 1)),
        sent(message_id="\ud800"),
        sent(message_id="ключ"),
        sent(timestamp="now"),
        sent(timestamp=f"{TIME}.0"),
    ],
)
@pytest.mark.parametrize("key", [KEY, PUBLIC_KEY])
def test_what_is_signed_is_the_id_the_timestamp_and_the_body(arrival, key):
    assert refusal("standard_webhooks", arrival, key)


@pytest.mark.parametrize("text", ["", "whpk_", "whpk_ключ", PRIVATE_KEY, KEY, "whpk_Y2FuYXJ5"])
def test_what_is_no_public_key_is_refused_in_words_that_do_not_quote_it(text):
    with pytest.raises(KeyProblem) as caught:
        read_ed25519_public_key(text)
    assert not text or text not in str(caught.value).replace("whpk_ and", "")
