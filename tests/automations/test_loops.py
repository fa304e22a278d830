"""The loop guard: endless chains are cut and named, legitimate ones work."""

import pytest

from automations.models import Run
from records.services import update_record
from tests.automations.making import make_automation, make_lead, make_leads, step, work

pytestmark = pytest.mark.django_db

ON_UPDATED = {"type": "event", "config": {"event": "record.updated", "object": "leads"}}


@pytest.fixture(autouse=True)
def _leads() -> None:
    make_leads()


def update(**data: str) -> dict:
    return step("update_record", "u", data=data)


def test_two_automations_that_undo_each_other_are_stopped_and_named():
    one = {"expression": "record.status == 'a'"}
    other = {"expression": "record.status == 'b'"}
    make_automation(update(status="b"), trigger=ON_UPDATED, conditions=one, name="Ping")
    make_automation(update(status="a"), trigger=ON_UPDATED, conditions=other, name="Pong")
    lead = make_lead()
    work()
    update_record(record=lead, data={"status": "a"})
    work()
    assert Run.objects.filter(status="succeeded").count() == 2
    cut = Run.objects.get(status="skipped", reason__contains="cycle")
    assert "Ping → Pong → Ping" in cut.reason


def test_an_automation_that_changes_something_each_time_is_cut_at_its_depth():
    make_automation(
        update(follow_up_count="{{ (record.follow_up_count or 0) + 1 }}"),
        trigger=ON_UPDATED,
        settings={"max_depth": 4},
        name="Counter",
    )
    lead = make_lead()
    work()
    update_record(record=lead, data={"status": "go"})
    work()
    lead.refresh_from_db()
    assert lead.data["follow_up_count"] == 4
    cut = Run.objects.get(status="skipped")
    assert "allows 4" in cut.reason
    assert cut.reason.count("Counter") == 5


def test_a_chain_that_ends_by_its_condition_works():
    make_automation(
        update(follow_up_count="{{ (record.follow_up_count or 0) + 1 }}"),
        trigger=ON_UPDATED,
        conditions={"expression": "(record.follow_up_count or 0) < 3"},
    )
    lead = make_lead()
    work()
    update_record(record=lead, data={"status": "go"})
    work()
    lead.refresh_from_db()
    assert lead.data["follow_up_count"] == 3
    assert not Run.objects.filter(reason__contains="chain").exists()


def test_a_step_that_changes_nothing_fires_nothing():
    make_automation(update(status="same"), trigger=ON_UPDATED)
    lead = make_lead()
    work()
    update_record(record=lead, data={"status": "same"})
    work()
    assert Run.objects.exclude(status="skipped").count() == 1


def test_a_run_knows_what_caused_it():
    make_automation(update(status="first"), name="First")
    second = make_automation(step("stop"), trigger=ON_UPDATED, name="Second")
    make_lead()
    work()
    run = second.runs.get(status="succeeded")
    assert run.caused_by.automation.name == "First"
    assert run.depth == 1
    assert run.event.actor_label == "Automation “First”"
