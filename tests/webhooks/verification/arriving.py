"""Requests that come in, for the tests of verification; and HMAC by hand, to compare with."""

import hashlib
from datetime import UTC, datetime, timedelta

from webhooks.verification import Arrival, Headers, verify


def arriving(headers=(), body=b"", *, at=1_700_000_000, seconds=0):
    """A request with these headers (a dict or pairs), at a Unix time and some seconds after it."""
    pairs = headers.items() if isinstance(headers, dict) else headers
    return Arrival(
        method="POST",
        path="/in/token",
        headers=Headers(pairs),
        body=body,
        remote_address="192.0.2.7",
        now=datetime.fromtimestamp(at, UTC) + timedelta(seconds=seconds),
    )


def judged(scheme, arrival, *keys, **settings):
    return verify(scheme, arrival, settings, {"key": keys})


def accepts(scheme, arrival, *keys, **settings):
    return judged(scheme, arrival, *keys, **settings).accepted


def refusal(scheme, arrival, *keys, **settings):
    """The reason why it is refused, which it must be, as unauthorized."""
    verdict = judged(scheme, arrival, *keys, **settings)
    assert not verdict.accepted
    assert verdict.status == 401
    assert verdict.answer is None
    assert verdict.delivery_id == ""
    return verdict.reason


def hmac_by_hand(key, message, algorithm="sha256"):
    """RFC 2104, from the hash alone."""
    size = 128 if algorithm == "sha512" else 64
    key = key if len(key) <= size else hashlib.new(algorithm, key).digest()
    key = key.ljust(size, b"\0")
    inner = hashlib.new(algorithm, bytes(byte ^ 0x36 for byte in key) + message).digest()
    return hashlib.new(algorithm, bytes(byte ^ 0x5C for byte in key) + inner)
