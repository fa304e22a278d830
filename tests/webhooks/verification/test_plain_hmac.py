"""HMAC put together freely: the vectors of the RFCs, every setting, and settings that don't fit together."""

import base64
import itertools

import pytest

from tests.webhooks.verification.arriving import accepts, arriving, hmac_by_hand, judged, refusal
from webhooks.verification import check_settings

# RFC 4231, test case 2 (SHA-2), and RFC 2202, test case 2 (SHA-1).
KEY = "Jefe"
BODY = b"what do ya want for nothing?"
SHA256 = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
SHA512 = (
    "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554"
    "9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737"
)
SHA1 = "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"
TIME = 1_700_000_000
# printf '1700000000.what do ya want for nothing?' | openssl dgst -sha256 -hmac Jefe, and with v0:…:
DOTTED = "1cdd0650c8be1cb0974b1788d458b1e781206cfef59b85faafc582d2e182c57e"
COLONS = "99037822c3390aeb0d2dd637ce096558c6e3716a8c962fd8a3fb8679417b9043"


def as_base64(digest):
    return base64.b64encode(bytes.fromhex(digest)).decode()


@pytest.mark.parametrize(
    ("headers", "settings"),
    [
        ({"X-Signature": SHA256}, {}),
        ({"X-Signature": SHA256.upper()}, {}),
        ({"X-Signature": SHA512}, {"algorithm": "sha512"}),
        ({"X-Signature": SHA1}, {"algorithm": "sha1"}),
        ({"X-Signature": as_base64(SHA256)}, {"encoding": "base64"}),
        ({"X-Signature": as_base64(SHA512)}, {"encoding": "base64", "algorithm": "sha512"}),
        ({"X-Mine": f"sha256={SHA256}"}, {"header": "x-mine", "prefix": "sha256="}),
        ({"X-Signature": DOTTED, "X-Time": str(TIME)}, {"timestamp_header": "X-Time"}),
        (
            {"X-Signature": f"v0={COLONS}", "X-Time": str(TIME)},
            {"timestamp_header": "X-Time", "prefix": "v0=", "signed": "v0:{timestamp}:{body}"},
        ),
    ],
)
def test_the_vectors(headers, settings):
    assert accepts("hmac", arriving(headers, BODY, at=TIME), KEY, **settings)
    assert accepts("hmac", arriving(headers, BODY, at=TIME), "another", KEY, **settings)
    assert not accepts("hmac", arriving(headers, BODY, at=TIME), "another", **settings)
    assert not accepts("hmac", arriving(headers, BODY + b"!", at=TIME), KEY, **settings)


@pytest.mark.parametrize(
    ("algorithm", "encoding", "prefix"),
    list(itertools.product(["sha256", "sha512", "sha1"], ["hex", "base64"], ["", "sig "])),
)
def test_signatures_by_hand(algorithm, encoding, prefix):
    digest = hmac_by_hand("schlüssel".encode(), b"\x00\xff", algorithm)
    text = digest.hexdigest() if encoding == "hex" else as_base64(digest.hexdigest())
    settings = {"algorithm": algorithm, "encoding": encoding, "prefix": prefix}
    arrival = arriving({"X-Signature": prefix + text}, b"\x00\xff")
    assert accepts("hmac", arrival, "schlüssel", **settings)


def test_literals_around_the_placeholders_are_signed_as_they_are():
    digest = hmac_by_hand(b"Jefe", b"{a}" + "ü".encode() + BODY + b"|end").hexdigest()
    arrival = arriving({"X-Signature": digest}, BODY)
    assert accepts("hmac", arrival, KEY, signed="{a}ü{body}|end")


def test_placeholders_in_the_body_are_only_text():
    body = b"{timestamp}{body}"
    arrival = arriving({"X-Signature": hmac_by_hand(b"Jefe", body).hexdigest()}, body)
    assert accepts("hmac", arrival, KEY)


@pytest.mark.parametrize(
    ("seconds", "tolerance_s", "accepted"),
    [(300, 300, True), (301, 300, False), (-300, 300, True), (-301, 300, False), (5, 4, False)],
)
def test_the_window_of_time(seconds, tolerance_s, accepted):
    headers = {"X-Signature": DOTTED, "X-Time": str(TIME)}
    arrival = arriving(headers, BODY, at=TIME, seconds=seconds)
    settings = {"timestamp_header": "X-Time", "tolerance_s": tolerance_s}
    assert accepts("hmac", arrival, KEY, **settings) is accepted


@pytest.mark.parametrize(
    ("headers", "settings", "words"),
    [
        ({}, {}, "`X-Signature` is missing"),
        ({"X-Signature": ""}, {}, "is empty"),
        ({"X-Signature": SHA256[:-1]}, {}, "should be 64 hex digits; it is something else of 63"),
        ({"X-Signature": SHA1}, {}, "64 hex digits"),
        ({"X-Signature": SHA256}, {"algorithm": "sha512"}, "128 hex digits"),
        ({"X-Signature": SHA256}, {"encoding": "base64"}, "base64 of 32 bytes"),
        ({"X-Signature": as_base64(SHA256)}, {}, "64 hex digits"),
        ({"X-Signature": SHA256}, {"prefix": "sha256="}, "“sha256=” and 64 hex digits"),
        ({"X-Signature": f"sha256={SHA256}"}, {}, "64 hex digits"),
        ({"X-Signature": f" {SHA256}"}, {}, "64 hex digits"),
        ({"X-Signature": SHA256[::-1]}, {}, "no signature of this body of 28 bytes"),
        ({"X-Signature": DOTTED}, {"timestamp_header": "X-Time"}, "`X-Time` is missing"),
        (
            {"X-Signature": DOTTED, "X-Time": "1_700_000_000"},
            {"timestamp_header": "X-Time"},
            "no Unix time",
        ),
        (
            {"X-Signature": DOTTED, "X-Time": str(TIME + 1)},
            {"timestamp_header": "X-Time"},
            "no signature of this body",
        ),
        ([("X-Signature", SHA256), ("x-signature", SHA256)], {}, "came 2 times"),
    ],
)
def test_everything_else_is_refused(headers, settings, words):
    reason = refusal("hmac", arriving(headers, BODY, at=TIME), KEY, **settings)
    assert words in reason
    assert SHA256[:8] not in reason
    assert KEY not in reason


@pytest.mark.parametrize(
    ("settings", "field", "words"),
    [
        ({"header": ""}, "header", "Fill this in"),
        ({"header": "X Y"}, "header", "RFC 9110"),
        ({"timestamp_header": "X Y"}, "timestamp_header", "RFC 9110"),
        ({"algorithm": "md5"}, "algorithm", "sha256, sha512, sha1"),
        ({"algorithm": ["sha256"]}, "algorithm", "Choose one of"),
        ({"encoding": "binary"}, "encoding", "hex, base64"),
        ({"prefix": "a\r\n"}, "prefix", "control character"),
        ({"prefix": "x" * 201}, "prefix", "longer than 200"),
        ({"signed": "the body"}, "signed", "{body}"),
        ({"signed": "{body}{body}"}, "signed", "once"),
        ({"signed": "{timestamp}.{body}"}, "timestamp_header", "comes from"),
        ({"timestamp_header": "X-Time", "signed": "{body}"}, "signed", "{timestamp}"),
        ({"tolerance_s": 0}, "tolerance_s", "1 to 3600"),
        ({"tolerance_s": 3601}, "tolerance_s", "1 to 3600"),
        ({"tolerance_s": True}, "tolerance_s", "1 to 3600"),
        ({"tolerance_s": "300"}, "tolerance_s", "1 to 3600"),
        ({"tolerance_s": None}, "tolerance_s", "1 to 3600"),
        ({"tolerance_s": float("inf")}, "tolerance_s", "1 to 3600"),
    ],
)
def test_wrong_settings_are_told_and_accept_nothing(settings, field, words):
    [mistake] = check_settings("hmac", settings)
    assert mistake.field == field
    assert words in mistake.message
    arrival = arriving({"X-Signature": SHA256}, BODY, at=TIME)
    assert f"`{field}`" in refusal("hmac", arrival, KEY, **settings)


def test_the_id_of_a_delivery_is_known():
    headers = {"X-Signature": SHA256, "webhook-id": "job_1"}
    assert judged("hmac", arriving(headers, BODY), KEY).delivery_id == "job_1"
