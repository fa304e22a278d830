"""Tests of automations travel in time, and the database's clock does not: here it is the machine's."""

import pytest
from django.utils import timezone

from automations import batches, claims, failures


@pytest.fixture(autouse=True)
def _one_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (batches, claims, failures):
        monkeypatch.setattr(module, "shared_now", timezone.now)
