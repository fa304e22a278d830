"""Bearer tokens: the right one, one of several, and everything that isn't one."""

import pytest

from tests.webhooks.verification.arriving import accepts, arriving, judged, refusal
from webhooks.verification import verify

# The token of RFC 6750, section 2.1.
TOKEN = "mF_9.B5f-4.1JqM"


def sent(value):
    return arriving({"Authorization": value})


@pytest.mark.parametrize("value", [f"Bearer {TOKEN}", f"bearer {TOKEN}", f"BEARER  {TOKEN} "])
def test_the_token_is_accepted(value):
    assert accepts("bearer", sent(value), TOKEN)


def test_each_of_several_tokens_is_accepted():
    assert accepts("bearer", sent("Bearer old"), "new", "old")
    assert accepts("bearer", sent("Bearer new"), "new", "old")
    assert not accepts("bearer", sent("Bearer older"), "new", "old")


def test_a_token_beyond_ascii_comes_as_its_bytes():
    as_wsgi_has_it = "schlüssel".encode().decode("latin-1")
    assert accepts("bearer", sent(f"Bearer {as_wsgi_has_it}"), "schlüssel")


@pytest.mark.parametrize(
    ("headers", "words"),
    [
        ({}, "`Authorization` is missing"),
        ({"Authorization": ""}, "`Authorization` is empty"),
        ({"Authorization": TOKEN}, "begin with “Bearer ”"),
        ({"Authorization": f"Basic {TOKEN}"}, "begin with “Bearer ”"),
        ({"Authorization": f"Bearer\t{TOKEN}"}, "begin with “Bearer ”"),
        ({"Authorization": "Bearer"}, "nothing behind"),
        ({"Authorization": "Bearer   "}, "nothing behind"),
        ({"Authorization": f"Bearer {TOKEN[:-1]}"}, "it has 14 characters"),
        ({"Authorization": f"Bearer {TOKEN}x"}, "it has 16 characters"),
        ({"Authorization": f"Bearer {TOKEN.lower()}"}, "not the one that is set"),
        ({"Authorization": f"Bearer {TOKEN},Bearer {TOKEN}"}, "not the one that is set"),
        ([("Authorization", f"Bearer {TOKEN}"), ("authorization", "Bearer x")], "came 2 times"),
        ({"Authorization": "Bearer " + "x" * 9000}, "longer than"),
    ],
)
def test_everything_else_is_refused(headers, words):
    reason = refusal("bearer", arriving(headers), TOKEN)
    assert words in reason
    assert TOKEN not in reason


def test_the_sender_is_told_what_to_send():
    assert judged("bearer", arriving(), TOKEN).www_authenticate == 'Bearer realm="Signalbox"'


def test_a_plain_text_in_place_of_a_list_is_one_token_and_not_its_letters():
    assert verify("bearer", sent("Bearer abc"), {}, {"key": "abc"}).accepted
    assert not verify("bearer", sent("Bearer a"), {}, {"key": "abc"}).accepted


def test_the_id_of_a_delivery_is_known():
    headers = {"Authorization": f"Bearer {TOKEN}", "webhook-id": "job_1"}
    assert judged("bearer", arriving(headers), TOKEN).delivery_id == "job_1"
