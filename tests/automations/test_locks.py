"""On PostgreSQL: what several processes do to one run at the same moment waits, and never for each other."""

import threading
import time
import uuid
from collections.abc import Callable

import pytest
from django.db import connection, connections, transaction

from automations import batches
from automations.claims import claim_runs
from automations.models import Run
from automations.services import cancel_run
from records.dispatch import dispatch_events
from records.services import update_record
from tests.automations.making import (
    end_job,
    make_automation,
    make_lead,
    make_leads,
    run_once,
    step,
    work,
)
from webhooks.models import WebhookJob

ON_UPDATED = {"type": "event", "config": {"event": "record.updated", "object": "leads"}}
# Until the other one has come to where it has to wait.
_A_MOMENT_S = 0.5

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one writer at a time"),
]


class Beside(threading.Thread):
    """Does something on a connection of its own."""

    def __init__(self, function: Callable[[], object]) -> None:
        super().__init__()
        self.function = function
        self.errors: list[Exception] = []
        self.start()

    def run(self) -> None:
        try:
            self.function()
        except Exception as error:  # noqa: BLE001  (looked at by the test)
            self.errors.append(error)
        finally:
            connections.close_all()


def test_a_run_is_cancelled_while_its_job_ends():
    run = run_once(step("webhook", "call", url="https://api.example.com/hook"))
    job = WebhookJob.objects.get()
    with transaction.atomic():
        WebhookJob.objects.select_for_update().get(pk=job.pk)
        other = Beside(lambda: cancel_run(run=run, actor=None))
        time.sleep(_A_MOMENT_S)
        end_job(job)
    other.join(10)
    run.refresh_from_db()
    assert (run.status, other.errors) == ("cancelled", [])


def test_a_run_fails_while_it_is_restarted(monkeypatch, caplog):
    """Whoever restarts it waits for the batch that it is in; what follows from its failure waits for nobody."""
    make_leads()
    automation = make_automation(
        step("wait", "w", duration=1),
        step("set_variables", "broken", variables={"a": "{{ record.name / 2 }}"}),
        trigger=ON_UPDATED,
        settings={"concurrency": {"mode": "restart"}},
    )
    lead = make_lead()
    update_record(record=lead, data={"status": "one"})
    work()
    Run.objects.update(status="pending")
    update_record(record=lead, data={"status": "two"})
    others = []
    store = batches._store

    def store_beside(*args: object) -> None:
        others.append(Beside(dispatch_events))
        time.sleep(_A_MOMENT_S)
        store(*args)

    monkeypatch.setattr(batches, "_store", store_beside)
    token = uuid.uuid4()
    batches._advance_claimed(token, claim_runs(token=token, limit=5).runs)
    others[0].join(10)
    statuses = list(automation.runs.order_by("id").values_list("status", flat=True))
    assert (statuses, others[0].errors) == (["failed", "pending"], [])
    assert "deadlock" not in caplog.text
