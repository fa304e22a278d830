"""The request of one attempt: a header of the webhook goes instead of ours, except for those that identify it."""

import pytest

from tests.webhooks.making import make_job
from webhooks.outbound import USER_AGENT, outbound_request

pytestmark = pytest.mark.django_db


def headers_of(**values):
    return outbound_request(make_job(**values)).headers


def values_of(headers, name):
    return [value for given, value in headers if given.lower() == name.lower()]


def test_every_attempt_says_who_sends_and_which_job_it_is():
    job = make_job()
    headers = outbound_request(job).headers
    assert values_of(headers, "webhook-id") == [job.pk]
    assert values_of(headers, "webhook-timestamp")[0].isdigit()
    assert values_of(headers, "user-agent") == [USER_AGENT]


@pytest.mark.parametrize("name", ["User-Agent", "user-agent", "USER-AGENT"])
def test_a_webhooks_own_user_agent_is_the_only_one(name):
    headers = headers_of(headers=[[name, "Acme/1.0"], ["X-Twice", "1"], ["X-Twice", "2"]])
    assert values_of(headers, "User-Agent") == ["Acme/1.0"]
    assert values_of(headers, "X-Twice") == ["1", "2"]


def test_which_attempt_it_is_can_not_be_set():
    headers = headers_of(headers=[["Webhook-Id", "mine"], ["webhook-timestamp", "0"]])
    assert "mine" not in values_of(headers, "webhook-id")
    assert len(values_of(headers, "webhook-id")) == 1
    assert values_of(headers, "webhook-timestamp") != ["0"]
