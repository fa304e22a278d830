"""From a claimed job to the request on the wire, and the transport that this installation's settings make."""

import time
from collections.abc import Callable
from functools import cache
from urllib.parse import urlsplit

from django.conf import settings
from django.utils import timezone

from webhooks.addresses import NetworkPolicy
from webhooks.binding import Credentials
from webhooks.headers import set_headers
from webhooks.intake.loops import DEPTH_HEADER
from webhooks.keyring import Keyring
from webhooks.outcomes import Finished
from webhooks.sealing import send_sealed
from webhooks.taking import ClaimedJob
from webhooks.transport import OutboundRequest, Outcome, Transport

USER_AGENT = "Signalbox/0.1 (webhooks)"
INSPECTOR_PATH = "/api/webhooks/inspector"


@cache
def network_policy() -> NetworkPolicy:
    """What the settings allow. Our own host is refused, except for the inspector."""
    return NetworkPolicy.from_settings(
        allowed_hosts=settings.OUTBOUND_ALLOWED_HOSTS,
        allowed_networks=settings.OUTBOUND_ALLOWED_NETWORKS,
        own_hosts=own_hosts(),
        own_paths_allowed=[INSPECTOR_PATH],
    )


def own_hosts() -> list[str]:
    return [urlsplit(settings.PUBLIC_URL).netloc]


def make_transport() -> Transport:
    return Transport(network_policy(), proxy=settings.OUTBOUND_PROXY or None)


def outbound_request(job: ClaimedJob) -> OutboundRequest:
    """The request of this attempt. Its `webhook-id` is the same on every attempt of a job.

    A header that the webhook sets goes instead of ours, except for those that identify the attempt.

    Names from https://www.standardwebhooks.com.
    """
    headers = [(name, value) for name, value in job.headers]
    headers = set_headers([("User-Agent", USER_AGENT)], headers)
    headers = set_headers(
        headers,
        [
            ("webhook-id", job.id),
            ("webhook-timestamp", str(int(time.time()))),
            # Who passes it on lets us see our own voice come back.
            (DEPTH_HEADER, str(max(1, job.depth))),
        ],
    )
    return OutboundRequest(
        method=job.method,
        url=job.url,
        headers=headers,
        body=job.body.encode(),
        timeout_s=job.timeout_s,
        max_redirects=job.max_redirects,
    )


def deliver(
    job: ClaimedJob, keyring: Keyring | None, send: Callable[[OutboundRequest], Outcome]
) -> Finished:
    """Send a job. What it has of secrets is in the request while it is sent, and nowhere before or after."""
    request = outbound_request(job)
    if job.credentials is None:
        return Finished(job, request, send(request))
    shown, outcome = send_sealed(
        send,
        request,
        Credentials.from_json(job.credentials),
        keyring or Keyring({}),
        message_id=job.id,
        now=timezone.now(),
    )
    return Finished(job, shown, outcome)
