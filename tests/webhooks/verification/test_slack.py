"""Slack: its published vector, its challenge, time, and what is refused."""

import json

import pytest

from tests.webhooks.verification.arriving import (
    accepts,
    arriving,
    hmac_by_hand,
    judged,
    refusal,
)
from webhooks.verification import ChallengeAnswer

# https://docs.slack.dev/authentication/verifying-requests-from-slack
SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
TIME = 1531420618
BODY = (
    b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow"
    b"&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner"
    b"&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands"
    b"%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN"
    b"&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
)
DIGEST = "a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"
# The example of https://docs.slack.dev/reference/events/url_verification, signed with openssl.
CHALLENGE = "3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P"
CHALLENGE_BODY = (
    b'{"token":"Jhj5dZrVaK7ZwHHjRyZWjbDl",'
    b'"challenge":"3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P","type":"url_verification"}'
)
CHALLENGE_DIGEST = "f9bd80929259f3f6d5fe3a3186c453c89cd1ad4862815a15837584f31c993652"


def sent(signature, body=BODY, timestamp=str(TIME), seconds=0):
    headers = {"X-Slack-Signature": signature, "X-Slack-Request-Timestamp": timestamp}
    return arriving(headers, body, at=TIME, seconds=seconds)


def signed(body):
    digest = hmac_by_hand(SECRET.encode(), f"v0:{TIME}:".encode() + body).hexdigest()
    return sent(f"v0={digest}", body)


def test_the_vector_of_the_documentation():
    assert accepts("slack", sent(f"v0={DIGEST}"), SECRET)
    assert accepts("slack", sent(f"v0={DIGEST}"), "the new one", SECRET)


def test_a_challenge_is_answered():
    verdict = judged("slack", sent(f"v0={CHALLENGE_DIGEST}", CHALLENGE_BODY), SECRET)
    assert verdict.accepted
    assert verdict.answer == ChallengeAnswer(200, "text/plain; charset=utf-8", CHALLENGE.encode())


@pytest.mark.parametrize(
    "arrival",
    [
        sent(f"v0={CHALLENGE_DIGEST[::-1]}", CHALLENGE_BODY),
        sent(f"v0={CHALLENGE_DIGEST}", CHALLENGE_BODY, seconds=301),
        arriving({}, CHALLENGE_BODY, at=TIME),
    ],
)
def test_a_challenge_that_slack_did_not_sign_is_not_answered(arrival):
    assert refusal("slack", arrival, SECRET)


@pytest.mark.parametrize(
    "document",
    [
        {"type": "event_callback", "challenge": "abc"},
        {"type": "url_verification"},
        {"type": "url_verification", "challenge": 7},
        {"type": "url_verification", "challenge": ""},
        {"type": "url_verification", "challenge": "<script> </script>"},
        {"type": "url_verification", "challenge": "\ud800"},
        {"type": "url_verification", "challenge": "x" * 1001},
        {"type": ["url_verification"], "challenge": "abc"},
    ],
)
def test_what_is_no_challenge_is_not_answered(document):
    verdict = judged("slack", signed(json.dumps(document).encode()), SECRET)
    assert (verdict.accepted, verdict.answer) == (True, None)


@pytest.mark.parametrize(
    ("body", "known"),
    [
        (b'{"type":"event_callback","event_id":"Ev08MFMKH6"}', "Ev08MFMKH6"),
        (b'{"type":"event_callback"}', ""),
        (b'{"event_id":["Ev08MFMKH6"]}', ""),
        (b"payload=%7B%7D", ""),
    ],
)
def test_the_id_of_the_event(body, known):
    verdict = judged("slack", signed(body), SECRET)
    assert (verdict.accepted, verdict.delivery_id) == (True, known)


@pytest.mark.parametrize(
    ("seconds", "tolerance_s", "accepted"),
    [(300, 300, True), (301, 300, False), (-300, 300, True), (-301, 300, False), (61, 60, False)],
)
def test_the_window_of_time(seconds, tolerance_s, accepted):
    arrival = sent(f"v0={DIGEST}", seconds=seconds)
    assert accepts("slack", arrival, SECRET, tolerance_s=tolerance_s) is accepted


@pytest.mark.parametrize(
    ("headers", "words"),
    [
        ({"X-Slack-Signature": f"v0={DIGEST}"}, "`X-Slack-Request-Timestamp` is missing"),
        ({"X-Slack-Request-Timestamp": str(TIME)}, "`X-Slack-Signature` is missing"),
        (
            {"X-Slack-Signature": DIGEST, "X-Slack-Request-Timestamp": str(TIME)},
            "“v0=” and 64 hex digits",
        ),
        (
            {"X-Slack-Signature": f"v1={DIGEST}", "X-Slack-Request-Timestamp": str(TIME)},
            "“v0=” and 64 hex digits",
        ),
        (
            {"X-Slack-Signature": f"v0={DIGEST[:-2]}", "X-Slack-Request-Timestamp": str(TIME)},
            "of 65 characters",
        ),
        (
            {"X-Slack-Signature": f"v0={DIGEST}", "X-Slack-Request-Timestamp": f" {TIME}"},
            "no Unix time",
        ),
        (
            {"X-Slack-Signature": f"v0={DIGEST}", "X-Slack-Request-Timestamp": f"{TIME}\n"},
            "no Unix time",
        ),
        (
            {"X-Slack-Signature": f"v0={DIGEST}", "X-Slack-Request-Timestamp": f"0{TIME}"},
            "no signature of this body",
        ),
        (
            {"X-Slack-Signature": f"v0={DIGEST[::-1]}", "X-Slack-Request-Timestamp": str(TIME)},
            "no signature of this body",
        ),
    ],
)
def test_everything_else_is_refused(headers, words):
    reason = refusal("slack", arriving(headers, BODY, at=TIME), SECRET)
    assert words in reason
    assert DIGEST[:8] not in reason
    assert SECRET not in reason
