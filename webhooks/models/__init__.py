"""The data of webhooks: what is subscribed, what is to be delivered, what went over the wire."""

from webhooks.models.bulk_retries import BulkRetry, BulkRetryStatus
from webhooks.models.destinations import Circuit, Destination
from webhooks.models.failures import FailureGroup
from webhooks.models.inbound import (
    AnswerMode,
    Arrival,
    EndpointKind,
    FormerEndpoint,
    InboundEndpoint,
)
from webhooks.models.jobs import JobChange, JobStatus, WebhookJob, WebhookJobQuerySet
from webhooks.models.requests import Direction, RequestLog
from webhooks.models.retention import RetentionState
from webhooks.models.secrets import Secret
from webhooks.models.webhooks import BodyKind, Method, Webhook, WebhookQuerySet

__all__ = [
    "AnswerMode",
    "Arrival",
    "BodyKind",
    "BulkRetry",
    "BulkRetryStatus",
    "Circuit",
    "Destination",
    "Direction",
    "EndpointKind",
    "FailureGroup",
    "FormerEndpoint",
    "InboundEndpoint",
    "JobChange",
    "JobStatus",
    "Method",
    "RequestLog",
    "RetentionState",
    "Secret",
    "Webhook",
    "WebhookJob",
    "WebhookJobQuerySet",
    "WebhookQuerySet",
]
