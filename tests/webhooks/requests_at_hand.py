"""Rows of the request log for tests."""

from typing import Any

from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from webhooks.models import InboundEndpoint, RequestLog


def arrived(endpoint: InboundEndpoint, **values: Any) -> RequestLog:
    given = {
        "direction": "in",
        "method": "POST",
        "url": endpoint.path,
        "request_headers": [["Content-Type", "application/json"]],
        "request_body": '{"n": 1}',
        "status_code": 200,
        "started_at": timezone.now(),
    }
    return RequestLog.objects.create(endpoint=endpoint, **{**given, **values})


def sent(job: Any = None, **values: Any) -> RequestLog:
    given = {
        "direction": "out",
        "job": job,
        "attempt": 1 if job else None,
        "method": "POST",
        "url": "https://example.com/hook",
        "status_code": 200,
        "started_at": timezone.now(),
    }
    return RequestLog.objects.create(**{**given, **values})


def page(name: str, *args: Any) -> str:
    return reverse(f"admin:webhooks_requestlog_{name}", args=args)


def text_of(response: Any) -> str:
    assert response.status_code == 200
    text: str = response.content.decode()
    return text


def queries_of(client: Any, url: str) -> int:
    """How many queries a page takes; none of them counts the log."""
    client.get(url)  # what is asked once and remembered
    with CaptureQueriesContext(connection) as queries:
        assert client.get(url).status_code == 200
    assert not any("COUNT(" in each["sql"] and "requestlog" in each["sql"] for each in queries)
    return len(queries)
