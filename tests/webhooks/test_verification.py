"""What holds for every scheme: nothing is accepted without a secret, and nothing that comes in breaks it."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.webhooks.verification.arriving import arriving, hmac_by_hand
from webhooks.verification import SCHEMES, Headers, Verdict, check_settings, verify
from webhooks.verification.verdicts import Refused

WITH_SECRET = [name for name in SCHEMES if name != "none"]
# What each scheme needs beside its defaults, and a key of its form.
SETTINGS = {"basic": {"username": "shop"}, "hmac": {"timestamp_header": "X-Time"}}
KEYS = {"standard_webhooks": ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whpk_" + "1" * 43 + "="]}
NAMES = [
    "Authorization",
    "X-Api-Key",
    "X-Hub-Signature-256",
    "X-GitHub-Delivery",
    "Stripe-Signature",
    "X-Slack-Signature",
    "X-Slack-Request-Timestamp",
    "X-Shopify-Hmac-Sha256",
    "X-Shopify-Webhook-Id",
    "X-Signature",
    "X-Time",
    "webhook-id",
    "webhook-timestamp",
    "webhook-signature",
]
SETTING_NAMES = {field.name for scheme in SCHEMES.values() for field in scheme.fields}
NOW = 1_700_000_000

# Any characters at all, lone surrogates and NUL too; and texts that begin as the real ones do.
any_text = st.text(st.characters(exclude_categories=()), max_size=80)
latin_1 = st.binary(max_size=80).map(lambda raw: raw.decode("latin-1"))
beginnings = st.sampled_from(
    [
        "Bearer ",
        "Basic ",
        "Basic Og==",
        "sha256=",
        "v0=",
        "v1,",
        "v1a,",
        f"t={NOW},v1=",
        f"{NOW}",
        "t=,",
        "0" * 64,
        "sha256=" + "0" * 64,
        "v0=" + "f" * 64,
        f"t={NOW},v1=" + "0" * 64,
        "v1a," + "A" * 86 + "==",
        "A" * 43 + "=",
        "x" * 20_000,
    ]
)
values = st.one_of(any_text, latin_1, beginnings, st.builds(str.__add__, beginnings, any_text))
headers = st.lists(st.tuples(st.one_of(st.sampled_from(NAMES), any_text), values), max_size=20)
bodies = st.one_of(st.binary(max_size=200), st.sampled_from([b"[" * 50_000, b"\x00" * 1_000_000]))
json_values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), any_text),
    lambda inner: st.lists(inner, max_size=2),
    max_leaves=3,
)


def judge(scheme, arrival, settings=None, keys=None):
    keys = KEYS.get(scheme, ["s3cret", "an older one"]) if keys is None else keys
    return verify(
        scheme, arrival, SETTINGS.get(scheme, {}) if settings is None else settings, {"key": keys}
    )


@pytest.mark.parametrize("scheme", WITH_SECRET)
@given(headers=headers, body=bodies)
@example(headers=[(name, "") for name in NAMES], body=b"")
@example(headers=[(name, "\ud800\x00") for name in NAMES], body=b"\xff")
@example(headers=[(name, "x" * 1_000_000) for name in NAMES], body=b"")
@example(headers=[(name, "1700000000") for name in NAMES * 2], body=b"")
@example(headers=[(name, "١٧٠٠٠٠٠٠٠٠") for name in NAMES], body=b"")
def test_whatever_comes_in_is_refused_and_breaks_nothing(scheme, headers, body):
    verdict = judge(scheme, arriving(headers, body, at=NOW))
    assert isinstance(verdict, Verdict)
    assert (verdict.accepted, verdict.status, verdict.answer) == (False, 401, None)
    assert verdict.reason
    assert "s3cret" not in verdict.reason


@pytest.mark.parametrize("scheme", WITH_SECRET)
@given(
    settings=st.dictionaries(
        st.sampled_from(sorted(SETTING_NAMES)),
        json_values,
        max_size=6,
    ),
    keys=st.lists(any_text, max_size=3),
)
def test_whatever_is_set_breaks_nothing(scheme, settings, keys):
    arrival = arriving([(name, f"{NOW}") for name in NAMES], b"{}", at=NOW)
    verdict = judge(scheme, arrival, settings, keys)
    # A key that is the very text of the header may be hit upon.
    assert not verdict.accepted or f"{NOW}" in keys
    assert all(mistake.message for mistake in check_settings(scheme, settings))


@pytest.mark.parametrize("scheme", WITH_SECRET)
@pytest.mark.parametrize(
    "secrets",
    [
        {},
        {"key": []},
        {"key": ()},
        {"key": [""]},
        {"key": ["", " \n"]},
        {"key": ""},
        {"key": None},
        {"other": ["s3cret"]},
    ],
)
def test_without_a_secret_nothing_is_accepted(scheme, secrets):
    """Each with the header that an empty key would make."""
    of_nothing = hmac_by_hand(b"", b"").hexdigest()
    arrival = arriving(
        {
            "Authorization": "Basic c2hvcDo=" if scheme == "basic" else "Bearer ",
            "X-Api-Key": "",
            "X-Hub-Signature-256": f"sha256={of_nothing}",
            "X-Signature": of_nothing,
        }
    )
    settings = {"username": "shop"} if scheme == "basic" else {}
    verdict = verify(scheme, arrival, settings, secrets)
    assert (verdict.accepted, verdict.status) == (False, 401)
    assert verdict.reason.startswith("No secret is set")


def test_an_empty_secret_beside_a_real_one_is_no_secret():
    verdict = judge(
        "github", arriving({"X-Hub-Signature-256": "sha256=" + "0" * 64}), keys=["", "s"]
    )
    assert "by the secret" in verdict.reason
    assert judge("api_key", arriving({"X-Api-Key": "k3y"}), keys=["", "k3y"]).accepted


def test_a_scheme_that_does_not_exist_accepts_nothing():
    verdict = verify("nonsense", arriving(), {}, {"key": ["s3cret"]})
    assert (verdict.accepted, verdict.status) == (False, 401)
    assert "`nonsense`" in verdict.reason
    assert [mistake.field for mistake in check_settings("nonsense", {})] == ["scheme"]


def test_the_schemes_are_in_the_order_of_the_form():
    assert list(SCHEMES) == [
        "none",
        "bearer",
        "basic",
        "api_key",
        "standard_webhooks",
        "github",
        "stripe",
        "slack",
        "shopify",
        "hmac",
    ]


@pytest.mark.parametrize("scheme", SCHEMES.values(), ids=SCHEMES)
def test_every_scheme_tells_what_its_form_asks_for(scheme):
    assert scheme.label
    assert scheme.help.endswith(".")
    names = [field.name for field in scheme.fields]
    assert len(set(names)) == len(names)
    assert [field.name for field in scheme.fields if field.kind == "secret"] == (
        [] if scheme.name == "none" else ["key"]
    )
    for field in scheme.fields:
        assert field.label
        assert (field.kind == "choice") is bool(field.choices)
        assert field.kind != "choice" or field.default in dict(field.choices)


@pytest.mark.parametrize("name", SCHEMES)
def test_the_defaults_of_a_scheme_are_right(name):
    assert check_settings(name, SETTINGS.get(name, {})) == []


def test_settings_that_a_scheme_does_not_know_are_passed_over():
    assert check_settings("github", {"header": 7, "nonsense": None}) == []


def test_headers_are_found_in_upper_and_lower_case():
    headers = Headers([("X-One", "1"), ("X-TWO", "2"), ("x-two", "3")])
    assert headers.one("x-ONE") == "1"
    assert headers.one("x-three") is None
    assert "x-one" in headers
    assert "x-three" not in headers
    with pytest.raises(Refused, match="came 2 times"):
        headers.one("x-two")


def test_what_came_in_hides_in_repr():
    shown = repr(arriving({"Authorization": "Bearer s3cret"}, b"s3cret"))
    assert "s3cret" not in shown
    assert "192.0.2.7" in shown
