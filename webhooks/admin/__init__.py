"""The admin of webhooks, one room for each kind of page."""

from webhooks.admin import (
    bulk_retries,
    destinations,
    endpoints,
    failures,
    jobs,
    requests,
    retention,
    secrets,
    webhooks,
)

__all__ = [
    "bulk_retries",
    "destinations",
    "endpoints",
    "failures",
    "jobs",
    "requests",
    "retention",
    "secrets",
    "webhooks",
]
