"""Late binding: placeholders when rendered, values when sent, and nothing of them in what may be told."""

import base64
import hmac
import json
import traceback
from datetime import UTC, datetime, timedelta

import pytest

from tests.webhooks.making import answer
from webhooks.auth import Auth
from webhooks.binding import (
    Credentials,
    bind_body,
    bind_text,
    bind_url,
    context_with_secrets,
    hidden,
    nonce_of,
    placeholder,
    secret_in_origin,
    secret_names_in,
    shown,
)
from webhooks.keyring import Keyring, OpenSecret, SecretProblem
from webhooks.rendering import RenderError, RequestTemplate, lane_of, matches, render_request
from webhooks.sealing import SendingBroke, seal, send_sealed
from webhooks.signing import (
    new_ed25519_key,
    new_symmetric_key,
    read_ed25519_key,
    read_symmetric_key,
)
from webhooks.transport import OutboundRequest

NONCE = "0123456789abcdef01234567"
KEY = placeholder("key", NONCE)
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def rows(**values):
    return [{"name": name, "value": value, "type": "string"} for name, value in values.items()]


def template(**values):
    return RequestTemplate(**{"method": "POST", "url": "https://example.com/", **values})


def render(given, context=None):
    full = context_with_secrets(given, context or {})
    return render_request(given, full, {"data": 1}), nonce_of(full)


def text_of(**values):
    return lambda name: values[name]


# --- Rendering ------------------------------------------------------------------------------------


def test_a_request_is_rendered_with_placeholders():
    request, nonce = render(
        template(
            url="https://example.com/{secrets.path}/x",
            query_params=rows(token="{{ secrets.key }}"),
            headers=rows(Authorization="Bearer {{ secrets.key }}"),
            body_kind="json",
            body='{"key": "{{ secrets.key }}", "text": "a {{ secrets.key }} b"}',
        )
    )
    key = placeholder("key", nonce)
    assert request.url == f"https://example.com/{placeholder('path', nonce)}/x?token={key}"
    assert dict(request.headers)["Authorization"] == f"Bearer {key}"
    assert json.loads(request.body) == {"key": key, "text": f"a {key} b"}
    assert request.lane == "https://example.com:443"


def test_a_path_parameter_may_be_a_secret():
    request, nonce = render(
        template(url="https://example.com/{id}", path_params=rows(id="{{ secrets.key }}"))
    )
    assert request.url == f"https://example.com/{placeholder('key', nonce)}"


def test_each_request_has_a_nonce_of_its_own():
    given = template(headers=rows(X="{{ secrets.key }}"))
    assert render(given)[1] != render(given)[1]


def test_a_request_without_secrets_has_none():
    assert render(template(headers=rows(X="1")))[1] == ""


@pytest.mark.parametrize(
    "source",
    [
        "{{ secrets[record.which] }}",
        "{{ secrets.key | upper }}",
        "{{ secrets.key ~ 'x' }}",
        "{{ 'a' if secrets.key else 'b' }}",
        "{{ secrets | tojson }}",
        "{{ length(secrets.key) }}",
    ],
)
def test_nothing_else_can_be_done_with_a_secret(source):
    given = template(headers=rows(X=source, Y="{{ secrets.key }}"))
    with pytest.raises(RenderError):
        render(given, {"record": {"which": "other"}})


def test_a_secret_is_no_number():
    given = template(
        body_kind="rows", body_rows=[{"name": "n", "type": "number", "value": "{{ secrets.key }}"}]
    )
    with pytest.raises(RenderError, match="sent as text"):
        render(given)


def test_filters_know_no_secrets():
    with pytest.raises(RenderError, match="unknown name `secrets`"):
        matches("secrets.key == 'x'", {"record": {}})


@pytest.mark.parametrize(
    ("values", "names"),
    [
        ({"url": "{{ secrets.address }}"}, {"address"}),
        ({"url": "https://x/{secrets.a}", "path_params": rows(p="{{ secrets.b }}")}, {"a", "b"}),
        ({"query_params": rows(q="{{secrets['c']}}")}, {"c"}),
        ({"body_kind": "text", "body": "x {{ secrets.d }}"}, {"d"}),
        ({"body_kind": "json", "body": '[{"a": "{{ secrets.e }}"}]'}, {"e"}),
        ({"body_kind": "json", "body": '{"broken": "{{ secrets.e }}"'}, set()),
        ({"body_kind": "rows", "body_rows": rows(r="{{ secrets.f }}")}, {"f"}),
        ({"body_kind": "none", "body": "{{ secrets.g }}"}, set()),
        ({"headers": rows(h="secrets.h {{ record.secrets }}")}, set()),
        ({"headers": rows(h="{{ secrets. }}")}, set()),
    ],
)
def test_the_names_in_a_request(values, names):
    assert secret_names_in(template(**values)) == names


# --- Forgery --------------------------------------------------------------------------------------


def test_text_that_looks_like_a_placeholder_stays_text():
    forged = placeholder("key", "f" * 24)
    body = f'{{"a":"{forged}","b":"{KEY}","c":"{{{{ secrets.key }}}}"}}'
    bound = bind_body(body, "application/json", NONCE, text_of(key="value"))
    assert json.loads(bound) == {"a": forged, "b": "value", "c": "{{ secrets.key }}"}
    assert bind_url(f"https://x/{forged}", NONCE, text_of()) == f"https://x/{forged}"
    assert bind_url(forged, NONCE, text_of()) == forged
    assert bind_text(forged, "", text_of()) == forged


def test_data_that_names_a_secret_pulls_none_in():
    request, nonce = render(
        template(body_kind="text", body="{{ record.note }}", headers=rows(X="{{ secrets.key }}")),
        {"record": {"note": "{{ secrets.key }} secret~key~00~"}},
    )
    bound = bind_body(request.body, "text/plain", nonce, text_of(key="value"))
    assert bound == "{{ secrets.key }} secret~key~00~"


def test_a_value_that_looks_like_a_placeholder_is_not_bound_again():
    values = text_of(key=placeholder("other", NONCE), other="value")
    assert bind_text(KEY, NONCE, values) == placeholder("other", NONCE)


# --- Binding --------------------------------------------------------------------------------------

AWKWARD = 'a"b\\c/d e\n<é>&+%'


@pytest.mark.parametrize(
    ("content_type", "read"),
    [
        ("application/json", json.loads),
        ("application/problem+json; charset=utf-8", json.loads),
        ("APPLICATION/JSON", json.loads),
    ],
)
def test_in_json_a_value_is_escaped(content_type, read):
    bound = bind_body(f'"{KEY}"', content_type, NONCE, text_of(key=AWKWARD))
    assert read(bound) == AWKWARD


@pytest.mark.parametrize(
    ("content_type", "bound"),
    [
        ("text/plain; charset=utf-8", AWKWARD),
        ("", AWKWARD),
        ("application/x-www-form-urlencoded", "a%22b%5Cc%2Fd%20e%0A%3C%C3%A9%3E%26%2B%25"),
        ("application/xml", "a&quot;b\\c/d e\n&lt;é&gt;&amp;+%"),
    ],
)
def test_elsewhere_as_the_content_type_asks_for(content_type, bound):
    assert bind_body(KEY, content_type, NONCE, text_of(key=AWKWARD)) == bound


@pytest.mark.parametrize(
    ("url", "value", "bound"),
    [
        ("https://x/{}/y", "a/b?c", "https://x/a%2Fb%3Fc/y"),
        ("https://x/?k={}", "a&b=ü", "https://x/?k=a%26b%3D%C3%BC"),
        ("{}", " https://x/a?b=c#d ", "https://x/a?b=c"),
        ("{}?q=1", "https://x/a?b=c", "https://x/a?b=c&q=1"),
        ("{}?q=1", "https://x/a", "https://x/a?q=1"),
        ("{}/v1", "https://x", "https://x/v1"),
        ("https://{}.example.com/", "acme", "https://acme.example.com/"),
        ("https://{}.example.com/", "evil.com/", "https://evil.com%2F.example.com/"),
    ],
)
def test_in_a_url(url, value, bound):
    assert bind_url(url.format(KEY), NONCE, text_of(key=value)) == bound


@pytest.mark.parametrize(
    ("url", "lane"),
    [
        (KEY, "secret:key"),
        (f"{KEY}?a={placeholder('another', NONCE)}", "secret:key"),
        (f"https://{KEY}.example.com/", "secret:key"),
        (f"https://example.com/{KEY}", "https://example.com:443"),
        (f"https://example.com?x=https://{KEY}", "https://example.com:443"),
        ("https://secret~key~ffff~/", "https://secret~key~ffff~:443"),
    ],
)
def test_the_lane_of_a_url_with_secrets(url, lane):
    assert lane_of(url, NONCE) == lane
    assert bool(secret_in_origin(url, NONCE)) is lane.startswith("secret:")


def test_shown_and_hidden_are_each_others_opposite():
    text = f"Bearer {KEY}, {placeholder('other', NONCE)}"
    assert shown(text, NONCE) == "Bearer {{ secrets.key }}, {{ secrets.other }}"
    assert hidden(shown(text, NONCE), NONCE) == text
    assert hidden("{{secrets.key}}", NONCE) == KEY
    assert shown(text, "") == text


def test_credentials_come_back_from_json():
    full = Credentials(NONCE, Auth("bearer", "key"), "signing")
    assert Credentials.from_json(full.to_json()) == full
    assert Credentials().to_json() is None
    assert Credentials.from_json(None) == Credentials()


# --- Sealing --------------------------------------------------------------------------------------

SYMMETRIC, OLD, ED25519 = new_symmetric_key(), new_symmetric_key(), new_ed25519_key()


def keyring(**values):
    texts = {name: OpenSecret(name, "text", value) for name, value in values.items()}
    return Keyring(
        {
            **texts,
            "signing": OpenSecret(
                "signing", "symmetric", SYMMETRIC, OLD, NOW + timedelta(minutes=1)
            ),
            "ed": OpenSecret("ed", "ed25519", ED25519),
            "lost": OpenSecret("lost", "text", problem="the secret `lost` can't be read"),
        }
    )


def outbound(**values):
    defaults = {
        "method": "POST",
        "url": "https://example.com/",
        "headers": [("webhook-id", "job_1"), ("webhook-timestamp", "1")],
        "body": b"{}",
        "timeout_s": 5,
    }
    return OutboundRequest(**{**defaults, **values})


def sealed_of(request, credentials, ring):
    return seal(request, credentials, ring, message_id="job_1", now=NOW)


def test_a_sealed_request_has_the_values_and_what_is_told_does_not():
    request = outbound(
        url=f"https://example.com/?k={KEY}",
        headers=[("Content-Type", "application/json"), ("X-Key", f"k {KEY}")],
        body=f'{{"key":"{KEY}"}}'.encode(),
    )
    sealed = sealed_of(request, Credentials(NONCE), keyring(key='v"alue1'))
    assert sealed.request.url == "https://example.com/?k=v%22alue1"
    assert dict(sealed.request.headers)["X-Key"] == 'k v"alue1'
    assert json.loads(sealed.request.body) == {"key": 'v"alue1'}
    assert sealed.request.sensitive_headers == {"X-Key"}
    assert sealed.shown.url == "https://example.com/?k={{ secrets.key }}"
    assert dict(sealed.shown.headers)["X-Key"] == "k {{ secrets.key }}"
    assert sealed.shown.body == b'{"key":"{{ secrets.key }}"}'
    assert "alue1" not in repr(sealed)
    assert "alue1" not in repr(sealed.request)


@pytest.mark.parametrize(
    ("auth", "header", "told"),
    [
        (Auth("bearer", "key"), ("Authorization", "Bearer value1"), "Bearer {{ secrets.key }}"),
        (
            Auth("basic", "key", username="u"),
            ("Authorization", "Basic " + base64.b64encode(b"u:value1").decode()),
            "Basic base64(u:{{ secrets.key }})",
        ),
        (Auth("header", "key", header="X-Key"), ("X-Key", "value1"), "{{ secrets.key }}"),
    ],
)
def test_authentication_is_added_and_told_by_name(auth, header, told):
    request = outbound(headers=[("authorization", "mine"), ("X-Key", "mine"), ("X-Other", "1")])
    sealed = sealed_of(request, Credentials(auth=auth), keyring(key="value1"))
    assert header in sealed.request.headers
    assert [name.lower() for name, _ in sealed.request.headers].count(header[0].lower()) == 1
    assert (header[0], told) in sealed.shown.headers
    assert header[0] in sealed.request.sensitive_headers
    assert ("X-Other", "1") in sealed.request.headers


def test_an_hmac_is_over_the_body_as_it_is_sent():
    auth = Auth("hmac", "key", header="X-Hub-Signature-256", prefix="sha256=")
    request = outbound(body=KEY.encode())
    sealed = sealed_of(request, Credentials(NONCE, auth), keyring(key="value1"))
    assert sealed.request.body == b"value1"
    signature = "sha256=" + hmac.new(b"value1", b"value1", "sha256").hexdigest()
    assert dict(sealed.request.headers)["X-Hub-Signature-256"] == signature
    assert dict(sealed.shown.headers)["X-Hub-Signature-256"] == signature


def test_both_keys_sign_until_the_overlap_ends():
    message = b"job_1.%d.{}" % NOW.timestamp()
    credentials = Credentials(signing="signing")
    headers = dict(sealed_of(outbound(), credentials, keyring()).request.headers)
    assert headers["webhook-timestamp"] == str(int(NOW.timestamp()))
    assert headers["webhook-signature"].split(" ") == [
        read_symmetric_key(SYMMETRIC).sign(message),
        read_symmetric_key(OLD).sign(message),
    ]
    later = NOW + timedelta(minutes=2)
    headers = dict(
        seal(outbound(), credentials, keyring(), message_id="job_1", now=later).request.headers
    )
    assert " " not in headers["webhook-signature"]


def test_ed25519_signs():
    sealed = sealed_of(outbound(), Credentials(signing="ed"), keyring())
    signature = read_ed25519_key(ED25519).sign(b"job_1.%d.{}" % NOW.timestamp())
    assert dict(sealed.request.headers)["webhook-signature"] == signature
    assert dict(sealed.shown.headers)["webhook-signature"] == signature


@pytest.mark.parametrize(
    ("credentials", "words"),
    [
        (Credentials(NONCE), "there is no secret `key`; did you mean `keys`?"),
        (Credentials(auth=Auth("bearer", "gone")), "there is no secret `gone`"),
        (Credentials(signing="gone"), "there is no secret `gone`"),
        (Credentials(signing="keys"), "`keys` is a text"),
        (Credentials(auth=Auth("bearer", "signing")), "never sent"),
        (Credentials(auth=Auth("hmac", "ed", header="X")), "an HMAC needs"),
        (Credentials(auth=Auth("bearer", "lost")), "can't be read"),
    ],
)
def test_a_secret_that_cannot_be_used_sends_nothing_and_says_so(credentials, words):
    sent = []
    told, outcome = send_sealed(
        sent.append,
        outbound(body=KEY.encode() if credentials.nonce else b""),
        credentials,
        keyring(keys="value1"),
        message_id="job_1",
        now=NOW,
    )
    assert sent == []
    assert outcome.error_kind == "secret"
    assert words in outcome.error
    assert not outcome.request_sent
    assert "value1" not in repr(outcome) + repr(told)


def test_a_signing_key_is_never_inserted():
    request = outbound(body=placeholder("signing", NONCE).encode())
    with pytest.raises(SecretProblem, match="never sent"):
        sealed_of(request, Credentials(NONCE), keyring())


def test_what_the_receiver_repeats_is_masked():
    credentials = Credentials(NONCE, Auth("basic", "key", username="u"), "signing")
    basic = base64.b64encode(b"u:value-of-key").decode()
    echo = answer(
        headers=[("X-Echo", "value-of-key"), ("X-Value-Of-Key", basic)],
        body=json.dumps({"a": basic, "k": SYMMETRIC, "o": OLD.removeprefix("whsec_")}).encode(),
        error="It said value-of-key.",
    )
    _, outcome = send_sealed(
        lambda request: echo,
        outbound(),
        credentials,
        keyring(key="value-of-key"),
        message_id="job_1",
        now=NOW,
    )
    told = repr(outcome)
    for value in ("value-of-key", basic, SYMMETRIC, OLD, OLD.removeprefix("whsec_")):
        assert value not in told
    assert outcome.remote_address == "127.0.0.1:9"


def test_where_a_secret_address_leads_is_not_told():
    ring = keyring(key="https://hooks.example.com/x")
    request = outbound(url=KEY)
    echo = answer(body=b"hooks.example.com says hello")
    told, outcome = send_sealed(
        lambda request: echo, request, Credentials(NONCE), ring, message_id="job_1", now=NOW
    )
    assert told.url == "{{ secrets.key }}"
    assert outcome.remote_address == ""
    assert outcome.body == "•••• says hello".encode()


def test_a_transport_that_breaks_is_told_without_its_words():
    def breaks(request):
        raise ValueError(f"can't parse {request.url}")

    with pytest.raises(SendingBroke) as caught:
        send_sealed(
            breaks,
            outbound(url=f"https://x/{KEY}"),
            Credentials(NONCE),
            keyring(key="value1"),
            message_id="job_1",
            now=NOW,
        )
    told = "".join(traceback.format_exception(caught.value))
    assert "ValueError" in told
    assert "value1" not in told


def test_a_keyring_tells_nothing():
    ring = keyring(key="value1")
    assert repr(ring) == "<Keyring: 4 secrets>"
    assert "value1" not in repr(OpenSecret("key", "text", "value1", "value1"))
