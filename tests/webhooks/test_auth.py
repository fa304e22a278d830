"""Kinds of authentication: the headers they come to, what is shown of them, and what is wrong with them."""

import base64
import hmac

import pytest

from webhooks.auth import Auth, auth_header, check_auth, shown_auth_header

BODY = b'{"a":1}'


@pytest.mark.parametrize(
    ("auth", "header"),
    [
        (Auth("bearer", "key"), ("Authorization", "Bearer s3cret")),
        (
            Auth("basic", "key", username="Ünal"),
            ("Authorization", "Basic " + base64.b64encode("Ünal:s3cret".encode()).decode()),
        ),
        (Auth("header", "key", header="X-Api-Key"), ("X-Api-Key", "s3cret")),
        (
            Auth("header", "key", header="Authorization", prefix="Token "),
            ("Authorization", "Token s3cret"),
        ),
        (
            Auth("hmac", "key", header="X-Hub-Signature-256", prefix="sha256="),
            ("X-Hub-Signature-256", "sha256=" + hmac.new(b"s3cret", BODY, "sha256").hexdigest()),
        ),
    ],
)
def test_the_header_of_each_kind(auth, header):
    assert auth_header(auth, "s3cret", BODY) == header


def test_an_hmac_is_over_the_raw_body():
    auth = Auth("hmac", "key", header="X-S", encoding="base64", algorithm="sha512")
    one, other = (auth_header(auth, "s3cret", body)[1] for body in (BODY, BODY + b" "))
    assert one != other
    assert len(base64.b64decode(one)) == 64


@pytest.mark.parametrize(
    ("auth", "shown"),
    [
        (Auth("bearer", "key"), "Bearer {{ secrets.key }}"),
        (Auth("basic", "key", username="shop"), "Basic base64(shop:{{ secrets.key }})"),
        (Auth("header", "key", header="X", prefix="Token "), "Token {{ secrets.key }}"),
        (
            Auth("hmac", "key", header="X", prefix="sha256="),
            "sha256=hex(HMAC-SHA256, {{ secrets.key }})",
        ),
    ],
)
def test_what_is_shown_names_the_secret(auth, shown):
    assert shown_auth_header(auth)[1] == shown


@pytest.mark.parametrize(
    ("auth", "part", "words"),
    [
        (Auth("digest"), "kind", "no kind"),
        (Auth("bearer"), "secret", "Choose the secret"),
        (Auth("basic", "key"), "username", "Enter the user name"),
        (Auth("basic", "key", username="a:b"), "username", "colon"),
        (Auth("basic", "key", username="a\nb"), "username", "line break"),
        (Auth("header", "key"), "header", "Enter the header's name"),
        (Auth("header", "key", header="X Y"), "header", "may only have"),
        (Auth("header", "key", header="Host"), "header", "itself"),
        (Auth("header", "key", header="Content-Type"), "header", "meaning of its own"),
        (Auth("header", "key", header="webhook-signature"), "header", "Signing sets"),
        (Auth("header", "key", header="X", prefix="a\r\nX: b"), "prefix", "line break"),
        (Auth("hmac", "key", header="X", algorithm="sha1"), "algorithm", "sha256, sha512"),
        (Auth("hmac", "key", header="X", encoding="rot13"), "encoding", "hex, base64"),
        (Auth("header", "key", header="X", prefix="p" * 201), "prefix", "longer than 200"),
    ],
)
def test_mistakes_are_told_with_their_part(auth, part, words):
    problems = check_auth(auth)
    assert [(where, words in what) for where, what in problems] == [(part, True)]


@pytest.mark.parametrize(
    "auth",
    [
        Auth(),
        Auth("bearer", "key"),
        Auth("basic", "key", username="u"),
        Auth("header", "key", header="X-Key", prefix="Token "),
        Auth(
            "hmac", "key", header="X-Sig", prefix="sha256=", algorithm="sha512", encoding="base64"
        ),
    ],
)
def test_json_has_what_the_kind_is_made_of_and_comes_back(auth):
    assert check_auth(auth) == []
    assert Auth.from_json(auth.to_json()) == auth


def test_json_of_another_time_is_read():
    assert Auth.from_json({"kind": "bearer", "secret": "key", "realm": "?"}) == Auth(
        "bearer", "key"
    )
    assert Auth.from_json({}) == Auth()
    assert Auth("bearer", "key", username="left over").to_json() == {
        "kind": "bearer",
        "secret": "key",
    }
