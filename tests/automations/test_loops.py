"""The loop guard: endless chains are cut and named, legitimate ones work."""

import pytest

from automations.compiled import current_index
from automations.matching import runs_for
from automations.models import Run
from records.actors import acting
from records.models import Event, Record
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


def test_a_cycle_through_other_automations_that_are_started_is_named():
    make_automation(step("run_automation", "r", automation="Second"), name="First", checked=False)
    make_automation(
        step("run_automation", "r", automation="First"),
        trigger=ON_UPDATED,
        name="Second",
        checked=False,
    )
    make_lead()
    work()
    assert Run.objects.filter(status="succeeded").count() == 2
    cut = Run.objects.get(reason__contains="cycle")
    assert "First → Second → First" in cut.reason


def test_an_automation_that_starts_another_for_the_same_record_twice_is_no_cycle():
    """Two that lie side by side, not one behind the other."""
    make_automation(
        step("run_automation", "one", automation="Other"),
        step("run_automation", "two", automation="Other"),
        name="First", checked=False,
    )  # fmt: skip
    make_automation(step("stop"), trigger=ON_UPDATED, name="Other")
    make_lead()
    work()
    assert Run.objects.filter(automation__name="Other", status="succeeded").count() == 2


def test_records_that_make_records_are_cut_at_their_depth():
    make_automation(
        step("create_record", "c", object_definition_id="leads", data={"name": "Another"}),
        settings={"max_depth": 3},
        name="Spring",
    )
    make_lead()
    work()
    assert Record.objects.count() == 4
    cut = Run.objects.get(status="skipped")
    assert "Spring → Spring → Spring → Spring" in cut.reason


def test_a_chain_is_known_when_its_events_have_been_cleaned_up():
    make_automation(
        step("wait", "w", duration=1),
        update(follow_up_count="{{ (record.follow_up_count or 0) + 1 }}"),
        trigger=ON_UPDATED, settings={"max_depth": 2}, name="Slow",
    )  # fmt: skip
    update_record(record=make_lead(), data={"status": "go"})
    work()
    for _ in range(2):
        Event.objects.filter(dispatched_at__isnull=False).delete()
        Run.objects.filter(status="waiting").update(status="pending")
        work()
    assert "Slow → Slow → Slow" in Run.objects.get(status="skipped").reason


def test_what_comes_back_through_another_system_is_cut_by_the_depth_it_brings():
    automation = make_automation(step("stop"), settings={"max_depth": 3})
    for depth in (2, 3):
        with acting(label="Inbound", depth=depth):
            make_lead()
    work()
    assert sorted(automation.runs.values_list("depth", "status")) == [
        (2, "succeeded"),
        (3, "skipped"),
    ]
    assert "A chain of 3 runs" in automation.runs.get(status="skipped").reason


def test_a_chain_is_looked_up_once_for_all_automations_that_hear_of_its_event(
    django_assert_max_num_queries,
):
    for name in ("One", "Two", "Three"):
        make_automation(step("stop"), trigger=ON_UPDATED, name=name)
    make_automation(update(status="changed"), name="Root")
    make_lead()
    work()
    event = Event.objects.get(type="record.updated")
    index = current_index()
    with django_assert_max_num_queries(5):
        runs, _ = runs_for([event], index)
    assert len(runs) == 3
