"""A message in a channel of Slack for each new record."""

import json
from typing import Any, Final

from automations.gallery.base import NAMED_BY, OBJECT, Blank, Template, Values, document, step

_EXAMPLE: Final = "https://hooks.slack.com/services/…"


def make(values: Values) -> dict[str, Any]:
    """As Slack's incoming webhooks want it:
    https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks
    """
    name = values["name_field"] or "id"
    body = {"text": f"New: *{{{{ record.{name} }}}}*", "unfurl_links": False}
    return document(
        {"type": "event", "config": {"event": "record.created", "object": values["object"]}},
        step(
            "webhook",
            "slack",
            "Write to Slack",
            url=values["url"],
            body_kind="json",
            body=json.dumps(body, indent=2),
            response="text",
            wait=False,
        ),
    )


TEMPLATE: Final = Template(
    slug="notify-slack",
    title="Notify Slack",
    use="A message in a channel for each new record.",
    icon="forum",
    blanks=(
        OBJECT,
        NAMED_BY,
        Blank(
            "url",
            "url",
            "Webhook URL",
            "In Slack: Apps → Incoming Webhooks → Add to Slack. It looks like " + _EXAMPLE,
        ),
    ),
    make=make,
)
