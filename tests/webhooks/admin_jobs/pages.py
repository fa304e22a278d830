"""The pages of webhook jobs, as a browser asks for them."""

from html import unescape
from typing import Any

from django.test import Client

from webhooks.models import WebhookJob

LIST = "/admin/webhooks/webhookjob/"


def page(client: Client, address: str) -> str:
    response = client.get(address)
    assert response.status_code == 200, address
    return response.content.decode()


def refresh(client: Client, address: str, **headers: str) -> Any:
    """What HTMX gets: the live part of a page."""
    return client.get(address, headers={"HX-Request": "true", **headers})


def of(job: WebhookJob, what: str = "change") -> str:
    return f"{LIST}{job.pk}/{what}/"


def told(client: Client, address: str) -> str:
    """The messages of the page that a POST leads to."""
    return unescape(page(client, address))


def edit(client: Client, job: WebhookJob, **values: str) -> Any:
    given = {
        "url": job.url,
        "headers": "\r\n".join(f"{name}: {value}" for name, value in job.headers),
        "body": job.body,
        "seen_attempts": str(job.attempts),
    }
    return client.post(of(job, "edit"), {**given, **values}, follow=True)
