import pytest

from webhooks.masking import mask, mask_header, mask_query

LONG = "sk_live_0123456789abcdef"


@pytest.mark.parametrize(
    ("name", "value", "stored"),
    [
        ("Authorization", f"Bearer {LONG}", "Bearer sk_l•••cdef"),
        ("authorization", "Basic YWRtaW46aHVudGVyMg==", "Basic •••"),
        ("Authorization", "short", "•••"),
        ("Proxy-Authorization", f"Bearer {LONG}", "Bearer sk_l•••cdef"),
        ("X-Api-Key", LONG, "sk_l•••cdef"),
        ("X-Auth-Token", LONG, "sk_l•••cdef"),
        ("Cookie", f"theme=dark; sessionid={LONG}", "theme=•••; sessionid=sk_l•••cdef"),
        ("Set-Cookie", f"sid={LONG}; Path=/; HttpOnly", "sid=sk_l•••cdef; Path=/; HttpOnly"),
        ("Content-Type", "application/json", "application/json"),
        ("X-Keyboard", "qwerty", "qwerty"),
        ("webhook-id", "job_01h455vb4pex5vsknk084sn02q", "job_01h455vb4pex5vsknk084sn02q"),
        ("webhook-signature", "v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4=", None),
        ("Idempotency-Key", LONG, None),
        ("X-Api-Key", "", ""),
    ],
)
def test_headers_are_stored_without_the_middle_of_credentials(name, value, stored):
    assert mask_header(name, value) == (value if stored is None else stored)


@pytest.mark.parametrize(
    ("address", "stored"),
    [
        ("/in/abc", "/in/abc"),
        ("/in/abc?x=1&y=2", "/in/abc?x=1&y=2"),
        (f"/in/abc?access_token={LONG}&x=1", "/in/abc?access_token=sk_l•••cdef&x=1"),
        (f"/in/abc?accessToken={LONG}", "/in/abc?accessToken=sk_l•••cdef"),
        ("/in/abc?key=short&&=", "/in/abc?key=•••&&="),
    ],
)
def test_query_parameters_named_like_secrets_are_masked(address, stored):
    assert mask_query(address) == stored


def test_of_a_short_secret_nothing_is_shown():
    assert mask("hunter2") == "•••"
    assert mask("") == ""
