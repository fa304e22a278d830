"""User names and passwords: the vectors of RFC 7617, and everything that is not right."""

import base64

import pytest

from tests.webhooks.verification.arriving import accepts, arriving, judged, refusal
from webhooks.verification import signatures


def sent(value):
    return arriving({"Authorization": value})


def basic(credentials):
    return sent("Basic " + base64.b64encode(credentials).decode())


@pytest.mark.parametrize(
    ("value", "username", "password"),
    [
        # RFC 7617, sections 2 and 2.1.
        ("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==", "Aladdin", "open sesame"),
        ("Basic dGVzdDoxMjPCow==", "test", "123£"),
        ("basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==", "Aladdin", "open sesame"),
    ],
)
def test_the_vectors_of_the_rfc(value, username, password):
    assert accepts("basic", sent(value), password, username=username)


def test_a_password_may_have_colons():
    assert accepts("basic", basic(b"shop:a:b:"), "a:b:", username="shop")


def test_each_of_several_passwords_is_accepted():
    assert accepts("basic", basic(b"shop:new"), "old", "new", username="shop")
    assert accepts("basic", basic(b"shop:old"), "old", "new", username="shop")


@pytest.mark.parametrize(
    ("arrival", "words"),
    [
        (arriving(), "is missing"),
        (sent("Bearer c2hvcDpzM2NyZXQ="), "begin with “Basic ”"),
        (sent("Basic "), "nothing behind"),
        (sent("Basic shop:s3cret"), "base64 of user name"),
        (sent("Basic c2hvcDpzM2NyZXQ"), "base64 of user name"),
        (sent("Basic c2hvc DpzM2NyZXQ="), "base64 of user name"),
        (sent("Basic ключ"), "base64 of user name"),
        (sent("Basic \ud800"), "base64 of user name"),
        (basic(b"shop"), "base64 of user name"),
        (basic(b"shop:wrong"), "not the right one"),
        (basic(b"Shop:s3cret"), "not the right one"),
        (basic(b"shop:s3cret\x00"), "not the right one"),
        (basic(b":s3cret"), "not the right one"),
        (basic(b"shop:"), "not the right one"),
        (basic(b"\xff\xfe:\xff"), "not the right one"),
    ],
)
def test_everything_else_is_refused(arrival, words):
    reason = refusal("basic", arrival, "s3cret", username="shop")
    assert words in reason
    assert "s3cret" not in reason


def test_the_password_is_compared_even_if_the_user_name_is_wrong(monkeypatch):
    compared = []
    monkeypatch.setattr(
        signatures.hmac, "compare_digest", lambda one, other: compared.append((one, other)) or True
    )
    judged("basic", basic(b"who:s3cret"), "s3cret", username="shop")
    assert compared == [(b"who", b"shop"), (b"s3cret", b"s3cret")]


def test_the_sender_is_told_what_to_send():
    verdict = judged("basic", arriving(), "s3cret", username="shop")
    assert verdict.www_authenticate == 'Basic realm="Signalbox", charset="UTF-8"'


@pytest.mark.parametrize(
    ("username", "words"), [("", "Fill this in"), ("a:b", "colon"), ("a\nb", "line break")]
)
def test_a_user_name_that_cannot_be_one_accepts_nobody(username, words):
    reason = refusal("basic", basic(f"{username}:s3cret".encode()), "s3cret", username=username)
    assert "`username`" in reason
    assert words in reason
