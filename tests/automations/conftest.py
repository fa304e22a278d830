"""Tests of automations travel in time, and the database's clock does not: here it is the machine's."""

import pytest
from django.utils import timezone

from automations import batches, bulk_reruns, chores, claims, failures, timers
from records.models import ObjectDefinition
from tests.records.making import make_object


@pytest.fixture(autouse=True)
def _one_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (batches, bulk_reruns, chores, claims, failures, timers):
        monkeypatch.setattr(module, "shared_now", timezone.now)


@pytest.fixture
def deals() -> ObjectDefinition:
    return make_object(
        "deals",
        {"slug": "name", "required": True},
        {"slug": "closes_on", "kind": "date"},
        {"slug": "call_at", "kind": "datetime"},
        stages="open won",
    )
