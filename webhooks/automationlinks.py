"""Automations, as the request log names them. The app above knows them, and registers here how to ask."""

from typing import Any, Protocol

from django.db.models import QuerySet
from django.http import HttpRequest

from webhooks.models import WebhookJob


class Automations(Protocol):
    def choices(self, request: HttpRequest) -> list[tuple[str, str]]:
        """(id, name) of those that this person may see, for a drop-down."""

    def page(self, request: HttpRequest, automation_id: str) -> str:
        """The address of an automation's page; "" for who may not see it. No query."""

    def test_page(self, request: HttpRequest, automation_id: str, request_id: str) -> str:
        """Where its draft is tried on a request that was kept; "" for who may not change it. No query."""

    def runs(self, automation_id: str) -> QuerySet[Any]:
        """Its runs."""

    def of_run(self, run_id: str) -> str | None:
        """The id of a run's automation."""

    def may_see_runs(self, request: HttpRequest) -> bool: ...


class _NoAutomations:
    def choices(self, request: HttpRequest) -> list[tuple[str, str]]:
        return []

    def page(self, request: HttpRequest, automation_id: str) -> str:
        return ""

    def test_page(self, request: HttpRequest, automation_id: str, request_id: str) -> str:
        return ""

    def runs(self, automation_id: str) -> QuerySet[Any]:
        return WebhookJob.objects.none()

    def of_run(self, run_id: str) -> str | None:
        return None

    def may_see_runs(self, request: HttpRequest) -> bool:
        return False


_automations: Automations = _NoAutomations()


def register_automations(automations: Automations) -> None:
    global _automations
    _automations = automations


def known_automations() -> Automations:
    return _automations
