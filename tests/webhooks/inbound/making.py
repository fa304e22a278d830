"""Short ways to make endpoints and to send to them."""

import json
from typing import Any

from automations.models import Automation
from records.ids import new_id
from tests.automations.making import make_automation
from webhooks.inbound.endpoints import endpoint_for_automation
from webhooks.models import EndpointKind, InboundEndpoint

ON_WEBHOOK = {"type": "webhook", "config": {}}


def make_endpoint(**values: Any) -> InboundEndpoint:
    """Of an automation that does not exist."""
    endpoint = endpoint_for_automation(new_id("auto"), "Orders")
    return _with(endpoint, values)


def make_listener(*steps: dict[str, Any], **values: Any) -> tuple[Automation, InboundEndpoint]:
    """An automation that a webhook sets off, and its endpoint."""
    own = {key: values.pop(key) for key in ("conditions", "settings", "state") if key in values}
    automation = make_automation(*steps, trigger=ON_WEBHOOK, name="Orders", **own)
    return automation, _with(endpoint_for_automation(automation.pk, automation.name), values)


def make_form(**values: Any) -> InboundEndpoint:
    return InboundEndpoint.objects.create(name="Contact", kind=EndpointKind.FORM, **values)


def send(client: Any, endpoint: InboundEndpoint, value: Any = None, **values: Any) -> Any:
    """POST JSON, or `body` as it is with its `content_type`."""
    body = values.pop("body", json.dumps({"n": 1} if value is None else value).encode())
    return client.generic(
        values.pop("method", "POST"),
        values.pop("path", endpoint.path) + values.pop("query", ""),
        body,
        values.pop("content_type", "application/json"),
        **values,
    )


def _with(endpoint: InboundEndpoint, values: dict[str, Any]) -> InboundEndpoint:
    for name, value in values.items():
        setattr(endpoint, name, value)
    endpoint.save()
    return endpoint
