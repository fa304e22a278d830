"""The demo's inspectors and webhooks: most reach the inspector, one fails for good, one is tried again."""

import json
from typing import Any, Final
from urllib.parse import urlsplit

from django.conf import settings
from django.urls import reverse

from webhooks.demo.objects import COMPANIES, LEADS, TICKETS, Definitions
from webhooks.models import BodyKind, InboundEndpoint, Webhook

INSPECTOR: Final = "Inspector"
FAILING_INSPECTOR: Final = "Partner API (answers 500)"
# A name that no name server knows (RFC 2606): it fails at once, and for good.
DEAD_URL: Final = "https://old-crm.invalid/api/v1/leads"

# As Slack's incoming webhooks want it: https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks
_SLACK_MESSAGE: Final = {
    "text": "{{ record.name }} moved to {{ record.stage }}",
    "blocks": [
        {
            "type": "section",
            "text": {
                "type": "mrkdwn",
                "text": "*{{ record.name }}* moved from _{{ previous.stage }}_ to *{{ record.stage }}*",
            },
        },
        {
            "type": "section",
            "fields": [
                {"type": "mrkdwn", "text": "*E-mail*\n{{ record.email }}"},
                {"type": "mrkdwn", "text": "*Value*\n{{ record.estimated_value }} EUR"},
            ],
        },
    ],
}


def make_webhooks(definitions: Definitions) -> None:
    inspector = InboundEndpoint.objects.create(name=INSPECTOR)
    failing = InboundEndpoint.objects.create(
        name=FAILING_INSPECTOR,
        answer_status=500,
        answer_body='{"error": "The partner has a bad day."}',
    )
    webhooks = (
        *_to_the_inspector(definitions, inspector.url),
        *_in_trouble(definitions, failing.url),
    )
    for values in webhooks:
        webhook = Webhook(**values)
        webhook.full_clean()
        webhook.save()


def _to_the_inspector(definitions: Definitions, url: str) -> list[dict[str, Any]]:
    return [
        {
            "name": "New lead → inspector",
            "description": "The default payload, as soon as a lead is submitted.",
            "event": "record.submitted",
            "object": definitions[LEADS],
            "url": url,
        },
        {
            "name": "Lead changed → inspector",
            "description": "Key/value rows with types: what changed, and who changed it.",
            "event": "record.updated",
            "object": definitions[LEADS],
            "url": url,
            "headers": [{"name": "X-Lead-Id", "value": "{{ record.id }}"}],
            "body_kind": BodyKind.ROWS,
            "body_rows": [
                {"name": "lead", "type": "string", "value": "{{ record.name }}"},
                {"name": "changed", "type": "json", "value": "{{ event.changed }}"},
                {
                    "name": "estimated_value",
                    "type": "json",
                    "value": "{{ record.estimated_value }}",
                },
                {
                    "name": "changed_by",
                    "type": "string",
                    "value": "{{ actor.name if actor else 'the demo' }}",
                },
            ],
        },
        {
            "name": "Lead moved → inspector",
            "description": "A message in the form that Slack takes, with expressions in it.",
            "event": "record.stage_changed",
            "object": definitions[LEADS],
            "url": url,
            "body_kind": BodyKind.JSON,
            "body": json.dumps(_SLACK_MESSAGE, indent=2, ensure_ascii=False),
        },
        {
            "name": "Ticket closed → inspector",
            "description": "Values in the address: a query parameter for the ticket's urgency.",
            "event": "record.closed",
            "object": definitions[TICKETS],
            "url": url,
            "query_params": [{"name": "urgency", "value": "{{ record.urgency }}"}],
        },
    ]


def _in_trouble(definitions: Definitions, failing_url: str) -> list[dict[str, Any]]:
    return [
        {
            "name": "Old CRM (address fails)",
            "description": "Its address is gone and it has no retries: look for it under Failures.",
            "event": "record.submitted",
            "object": definitions[LEADS],
            "filter": "record.priority == 'high'",
            "url": DEAD_URL,
            "timeout_s": 5,
            "retry_delays_s": [],
        },
        {
            "name": "Partner API (answers 500)",
            "description": "Tried again after 1, 5 and 30 minutes: look for it under Pending.",
            "event": "record.submitted",
            "object": definitions[COMPANIES],
            "filter": "record.employees > 200",
            "url": failing_url,
        },
    ]


def follow_address() -> int:
    """Webhooks that lead to an inspector of ours on this machine follow it to another port. How many."""
    tokens = set(InboundEndpoint.objects.values_list("token", flat=True))
    prefix = reverse("inspector", args=["_"]).removesuffix("_")
    moved = 0
    for webhook in Webhook.objects.filter(
        url__startswith="http://127.0.0.1:", url__contains=prefix
    ):
        parts = urlsplit(webhook.url)
        rest = webhook.url.removeprefix(f"{parts.scheme}://{parts.netloc}")
        url = settings.PUBLIC_URL + rest
        if parts.path.removeprefix(prefix) in tokens and url != webhook.url:
            moved += Webhook.objects.filter(pk=webhook.pk).update(url=url)
    return moved
