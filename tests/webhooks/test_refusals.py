"""An address that is refused as it is written ends the job at once; a name may get another address."""

import uuid

import pytest

from tests.webhooks.hostile import OK, answering, serving
from tests.webhooks.making import make_job
from webhooks.addresses import NetworkPolicy
from webhooks.claims import claim_jobs
from webhooks.models import WebhookJob
from webhooks.outbound import outbound_request
from webhooks.outcomes import Finished, record_outcomes
from webhooks.transport import OutboundRequest, Transport
from webhooks.transport import resolver as resolver_room

PUBLIC_ONLY = NetworkPolicy.from_settings(own_hosts=["signalbox.example.com"])


def send(url, policy=PUBLIC_ONLY, **values):
    transport = Transport(policy)
    try:
        return transport.send(
            OutboundRequest(method="POST", url=url, headers=[], body=b"{}", timeout_s=5.0, **values)
        )
    finally:
        transport.close()


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("http://10.0.0.1/hook", "blocked"),
        ("http://[::1]:8000/hook", "blocked"),
        ("http://2130706433/hook", "invalid"),
        ("http://localhost/hook", "blocked"),
        ("https://signalbox.example.com/admin/", "blocked"),
        ("ftp://example.com/hook", "invalid"),
        ("https://user:password@example.com/hook", "invalid"),
    ],
)
def test_what_the_url_itself_says_is_refused_for_good(url, kind):
    outcome = send(url)
    assert (outcome.error_kind, outcome.is_hopeless) == (kind, True)


def test_a_name_that_points_to_a_refused_address_may_point_elsewhere_later(monkeypatch):
    monkeypatch.setattr(resolver_room, "_ask", lambda host: [(2, ("10.0.0.1", 0))])
    outcome = send("https://hooks.example.com/")
    assert (outcome.error_kind, outcome.is_hopeless) == ("blocked", False)


def test_a_receiver_may_redirect_elsewhere_later():
    answer = b"HTTP/1.1 307 Temporary Redirect\r\nLocation: http://10.0.0.1/\r\nContent-Length: 0\r\n\r\n"
    with serving(answering(answer, OK)) as server:
        policy = NetworkPolicy.from_settings(allowed_networks=["127.0.0.0/8"])
        outcome = send(server.url, policy, max_redirects=1)
    assert (outcome.error_kind, outcome.is_hopeless) == ("blocked", False)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("url", "status", "reason"),
    [
        (
            "http://10.0.0.1/hook",
            "failed",
            "A retry can't help: the URL names an address that this installation does not send to.",
        ),
        ("https://hooks.example.com/", "pending", ""),
    ],
)
def test_the_job_ends_at_once_or_waits_for_its_next_attempt(url, status, reason, monkeypatch):
    monkeypatch.setattr(resolver_room, "_ask", lambda host: [(2, ("10.0.0.1", 0))])
    make_job(url)
    token = uuid.uuid4()
    (claimed,) = claim_jobs(token=token, limit=1, room=lambda lane: 1).jobs
    record_outcomes(token, [Finished(claimed, outbound_request(claimed), send(url))])
    job = WebhookJob.objects.get()
    assert (job.status, job.reason, job.error_kind) == (status, reason, "blocked")
    assert (job.next_attempt_at is None) == (status == "failed")
