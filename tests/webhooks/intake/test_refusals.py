"""Refusals fit the request log and the answer."""

import pytest

from webhooks.intake import refusals
from webhooks.intake.refusals import Refusal, TooManyRequests
from webhooks.models import RequestLog

KINDS = [
    each for each in vars(refusals).values() if isinstance(each, type) and issubclass(each, Refusal)
]


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_fits_its_column(kind):
    assert len(kind.kind) <= RequestLog._meta.get_field("error_kind").max_length
    assert 400 <= kind.status < 600


@pytest.mark.parametrize(("wait_s", "header"), [(0.01, "1"), (1, "1"), (1.2, "2"), (59.5, "60")])
def test_too_many_requests_say_when_to_come_again(wait_s, header):
    refused = TooManyRequests(wait_s)
    assert (refused.status, refused.headers) == (429, {"Retry-After": header})
    assert f"{header} s" in refused.words
