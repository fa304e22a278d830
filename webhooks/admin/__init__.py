"""The admin of webhooks, one room for each kind of page."""

from webhooks.admin import inspectors, jobs, requests, secrets, webhooks

__all__ = ["inspectors", "jobs", "requests", "secrets", "webhooks"]
