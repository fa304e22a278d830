"""What the pages of the request log show of one request: what it came to, who it is of, and where that leads."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from django.http import HttpRequest

from webhooks.admin.links import admin_url
from webhooks.automationlinks import known_automations
from webhooks.masking import mask_header
from webhooks.models import (
    Direction,
    EndpointKind,
    FormerEndpoint,
    InboundEndpoint,
    RequestLog,
    Webhook,
    WebhookJob,
)
from webhooks.retries import RetryPolicy
from webhooks.runlinks import run_url
from webhooks.statuses import parse_statuses
from webhooks.summaries import Summary, attempt_summary

# What a request that came in is called in the log without being wrong.
_HARMLESS: Final = {
    "repeat": ("content_copy", "A repeat"),
    "challenge": ("handshake", "The sender asked whether somebody is here"),
    "honeypot": ("bug_report", "Thrown away: sent by a machine"),
}
_REFUSAL_NAMES: Final = {
    "off": "Switched off",
    "method": "Method not taken",
    "origin": "Origin not allowed",
    "unverified": "Not verified",
    "duplicate": "Same id, other body",
    "storage": "Could not be stored",
    "invalid": "Values not taken",
    "malformed": "Not understood",
    "slow": "Came too slowly",
    "no_length": "Without a length",
    "too_large": "Too large",
    "media_type": "Type not taken",
    "rate": "Too many at once",
    "loop": "A loop",
}
_KIND_WORDS: Final = {
    EndpointKind.AUTOMATION: "Endpoint",
    EndpointKind.FORM: "Form",
    EndpointKind.INSPECTOR: "Inspector",
}


# What stands behind the kind of an address is its secret.
_OWN_ADDRESS: Final = re.compile(
    r"(?P<start>/api/webhooks/)(?P<kind>\w+)/[^/?]+(?P<rest>.*)", re.DOTALL
)


@dataclass(frozen=True, slots=True)
class RequestRow:
    """Addresses are "" where there is no such page for this person."""

    row: RequestLog
    url: str
    where: str
    summary: Summary
    owner: str
    owner_kind: str
    owner_url: str
    job_url: str
    run_url: str

    @property
    def is_in(self) -> bool:
        return self.row.direction == Direction.IN

    @property
    def is_replay(self) -> bool:
        return self.row.replay_of is not None

    @property
    def run_id(self) -> str:
        """Of the run that it has set off, or that it is a step of."""
        return self.row.run_id or (self.row.job.run_id if self.row.job else "") or ""


def row_of(
    request: HttpRequest, row: RequestLog, former: Mapping[str, FormerEndpoint]
) -> RequestRow:
    """No query, if the row was read with its job and its endpoint. `former`: endpoints that are deleted."""
    job, endpoint = row.job, row.endpoint
    owner, kind, owner_url = "", "", ""
    to_run = run_url(request, row.run_id)
    if job:
        to_run = run_url(request, job.run_id, job.step_path)
        owner, kind = job.webhook_name, "Step of a run" if job.run_id else "Webhook"
        owner_url = to_run if job.run_id else admin_url(request, Webhook, job.webhook_id)
    elif endpoint:
        owner, kind = endpoint.name, _KIND_WORDS.get(EndpointKind(endpoint.kind), "")
        owner_url = admin_url(request, InboundEndpoint, endpoint.pk)
    elif gone := former.get(row.endpoint_id or ""):
        owner, kind = str(gone), _KIND_WORDS.get(EndpointKind(gone.kind), "")
    return RequestRow(
        row=row,
        url=admin_url(request, RequestLog, row.pk),
        where=where_of(row),
        summary=summary_of(row),
        owner=owner,
        owner_kind=kind,
        owner_url=owner_url,
        job_url=admin_url(request, WebhookJob, row.job_id),
        run_url=to_run,
    )


def summary_of(row: RequestLog) -> Summary:
    """What it came to; of what was received and not taken, why."""
    if row.direction == Direction.IN and row.error_kind:
        return _refusal(row)
    if row.direction == Direction.IN and row.status_code is None:
        if row.replay_of:
            return Summary("good", "replay", "Replayed")
        return Summary("busy", "schedule", "Not answered yet")
    return attempt_summary(
        is_success=is_success(row),
        status_code=row.status_code,
        error_kind=row.error_kind,
        error=row.error,
    )


def is_success(row: RequestLog) -> bool:
    """Which statuses succeed is for a job's webhook to say; of what was received, 200 to 399."""
    if row.direction == Direction.IN:
        return 200 <= (row.status_code or 0) <= 399
    policy = RetryPolicy.from_json(row.job.policy) if row.job else RetryPolicy()
    return row.status_code in parse_statuses(policy.success)


def where_of(row: RequestLog) -> str:
    """A URL without what every URL begins with; of our own addresses only what stands around the secret part."""
    if row.direction == Direction.OUT:
        return row.url.removeprefix("https://").removeprefix("http://")
    found = _OWN_ADDRESS.match(row.url)
    return f"{found['kind']}/…{found['rest']}" if found else row.url


def url_of(request: HttpRequest, row: RequestLog) -> str:
    """The whole URL; of our own addresses the secret part only for those who may change them."""
    if row.direction == Direction.OUT or may_see_addresses(request):
        return row.url
    return _OWN_ADDRESS.sub(r"\g<start>\g<kind>/…\g<rest>", row.url)


def may_see_addresses(request: HttpRequest) -> bool:
    """Whoever knows an endpoint's address may send to it."""
    return request.user.has_perm("webhooks.change_inboundendpoint")


def shown_headers(headers: list[list[str]]) -> list[list[str]]:
    """Without credentials; the name of a secret is none. What was received is stored without them already."""
    return [[name, value if "{{" in value else mask_header(name, value)] for name, value in headers]


def automation_url(request: HttpRequest, row: RequestLog) -> str:
    """Of the automation that it is of. One query at most."""
    automation_id = row.endpoint.automation_id if row.endpoint else None
    if row.job and row.job.run_id:
        automation_id = known_automations().of_run(row.job.run_id)
    return known_automations().page(request, automation_id) if automation_id else ""


def _refusal(row: RequestLog) -> Summary:
    if row.error_kind in _HARMLESS:
        icon, words = _HARMLESS[row.error_kind]
        return Summary("quiet", icon, words)
    name = _REFUSAL_NAMES.get(row.error_kind, "Refused")
    return Summary("bad", "block", f"{row.status_code or ''} {name}".strip())
