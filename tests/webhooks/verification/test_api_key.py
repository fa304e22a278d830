"""A key in a header of choice."""

import pytest

from tests.webhooks.verification.arriving import accepts, arriving, refusal


@pytest.mark.parametrize(
    ("headers", "settings"),
    [
        ({"X-Api-Key": "k3y"}, {}),
        ({"x-api-key": "k3y"}, {}),
        ({"X-Token": "k3y"}, {"header": "x-token"}),
        ({"Authorization": "Token k3y"}, {"header": "Authorization", "prefix": "Token "}),
    ],
)
def test_the_key_is_accepted(headers, settings):
    assert accepts("api_key", arriving(headers), "k3y", **settings)


def test_each_of_several_keys_is_accepted():
    assert accepts("api_key", arriving({"X-Api-Key": "old"}), "new", "old")
    assert accepts("api_key", arriving({"X-Api-Key": "new"}), "new", "old")


@pytest.mark.parametrize(
    ("headers", "settings", "words"),
    [
        ({}, {}, "`X-Api-Key` is missing"),
        ({"X-Api-Key": ""}, {}, "`X-Api-Key` is empty"),
        ({"X-Api-Key": "k3"}, {}, "of 2 characters"),
        ({"X-Api-Key": "K3Y"}, {}, "should be the key"),
        ({"X-Api-Key": "k3y,k3y"}, {}, "should be the key"),
        ({"X-Api-Key": "k3y"}, {"prefix": "Token "}, "“Token ” and the key"),
        ({"X-Other": "k3y"}, {}, "is missing"),
        ([("X-Api-Key", "k3y"), ("X-Api-Key", "k3y")], {}, "came 2 times"),
    ],
)
def test_everything_else_is_refused(headers, settings, words):
    reason = refusal("api_key", arriving(headers), "k3y", **settings)
    assert words in reason
    assert "k3y" not in reason


@pytest.mark.parametrize("header", ["", "X Api", "X-Ключ", "X:", "X\r\nY", None, 7, ["X"]])
def test_a_header_that_cannot_be_one_accepts_nobody(header):
    reason = refusal("api_key", arriving({"X-Api-Key": "k3y"}), "k3y", header=header)
    assert "`header`" in reason
