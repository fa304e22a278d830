"""The data of webhooks: what is subscribed, what is to be delivered, what went over the wire."""

from webhooks.models.destinations import Circuit, Destination
from webhooks.models.inbound import InboundEndpoint
from webhooks.models.jobs import JobChange, JobStatus, WebhookJob, WebhookJobQuerySet
from webhooks.models.requests import Direction, RequestLog
from webhooks.models.secrets import Secret
from webhooks.models.webhooks import BodyKind, Method, Webhook, WebhookQuerySet

__all__ = [
    "BodyKind",
    "Circuit",
    "Destination",
    "Direction",
    "InboundEndpoint",
    "JobChange",
    "JobStatus",
    "Method",
    "RequestLog",
    "Secret",
    "Webhook",
    "WebhookJob",
    "WebhookJobQuerySet",
    "WebhookQuerySet",
]
