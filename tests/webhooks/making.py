"""Short ways to make what the tests of webhooks are about."""

from datetime import timedelta
from typing import Any

from django.utils import timezone

from webhooks.models import WebhookJob
from webhooks.rendering import lane_of
from webhooks.transport import OutboundRequest, Outcome


def make_job(
    url: str = "http://127.0.0.1:9/hook", *, due_in_s: float = 0, **values: Any
) -> WebhookJob:
    now = timezone.now()
    delays_s = values.pop("retry_delays_s", [60, 300, 1800])
    defaults = {
        "webhook_name": "Test",
        "event_name": "record.created",
        "method": "POST",
        "url": url,
        "headers": [["Content-Type", "application/json"]],
        "body": '{"hello":"world"}',
        "lane": lane_of(url),
        "policy": {"delays_s": delays_s},
        "max_attempts": 1 + len(delays_s),
        "next_attempt_at": now + timedelta(seconds=due_in_s),
        "created_at": now,
    }
    return WebhookJob.objects.create(**{**defaults, **values})


def answer(status_code: int | None = 200, **values: Any) -> Outcome:
    defaults: dict[str, Any] = {
        "status_code": status_code,
        "headers": [("Content-Type", "application/json")],
        "body": b'{"ok":true}',
        "truncated": False,
        "error_kind": "",
        "error": "",
        "started_at": timezone.now().timestamp(),
        "duration_ms": 5,
        "remote_address": "127.0.0.1:9",
        "request_sent": True,
    }
    return Outcome(**{**defaults, **values})


def no_answer(kind: str, words: str = "Something went wrong.") -> Outcome:
    return answer(None, error_kind=kind, error=words, headers=[], body=b"")


class FakeTransport:
    """Answers by a function of the request; keeps what was sent."""

    def __init__(self, respond: Any = None) -> None:
        self.sent: list[OutboundRequest] = []
        self._respond = respond or (lambda request: answer())

    def send(self, request: OutboundRequest) -> Outcome:
        self.sent.append(request)
        outcome: Outcome = self._respond(request)
        return outcome

    def close(self) -> None:
        pass
