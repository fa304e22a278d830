"""The pages of webhooks, and what a browser posts to them."""

from typing import Any

from django.contrib.auth.models import Permission
from django.test import Client

from records.models import User
from webhooks.models import Webhook

LIST = "/admin/webhooks/webhook/"


ADD = f"{LIST}add/"


PREVIEW = f"{LIST}preview/"


def as_staff(client: Client, *codenames: str) -> Client:
    user = User.objects.create_user("staff", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    client.force_login(user)
    return client


def make_webhook(**values: Any) -> Webhook:
    defaults = {"name": "Hook", "event": "record.submitted", "url": "https://example.com/hook"}
    return Webhook.objects.create(**(defaults | values))


def filled(**values: Any) -> dict[str, Any]:
    """What a browser posts of the form."""
    return {
        "name": "Hook",
        "description": "",
        "is_active": "on",
        "event": "record.submitted",
        "object": "",
        "filter": "",
        "method": "POST",
        "url": "https://example.com/hook",
        "body_kind": "default",
        "body": "",
        "timeout_s": "30",
        "retry_delays_s": "1 min, 5 min, 30 min",
        "jitter_percent": "0",
        "max_age_s": "",
        "success_statuses": "2xx",
        "retry_statuses": "",
        "halt_statuses": "",
        "max_redirects": "0",
    } | values


def rows(name: str, *pairs: tuple[str, ...]) -> dict[str, list[str]]:
    columns = {
        f"{name}-name": [pair[0] for pair in pairs],
        f"{name}-value": [pair[1] for pair in pairs],
    }
    if any(len(pair) > 2 for pair in pairs):
        columns[f"{name}-type"] = [pair[2] for pair in pairs]
    return columns


def preview(client: Client, **values: Any) -> str:
    response = client.post(PREVIEW, filled(**values))
    assert response.status_code == 200
    return response.content.decode()
