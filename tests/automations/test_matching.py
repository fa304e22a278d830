"""Which events fire which automations, and what is kept of those that do not."""

from datetime import UTC, date, datetime

import pytest
from django.utils import timezone

from automations import matching
from automations.compiled import current_index
from automations.conditions import Conditions
from automations.matching import MAX_SKIPPED_PER_BATCH
from automations.models import Automation, Run
from automations.services import set_state
from records.dispatch import dispatch_events
from records.models import Event
from records.services import quarantine_record, release_record, update_record
from tests.automations.making import make_automation, make_lead, make_leads, run_of, step, work

pytestmark = pytest.mark.django_db

ON_UPDATED = {"type": "event", "config": {"event": "record.updated", "object": "leads"}}


def stop(step_id: str = "s1") -> dict:
    return step("stop", step_id)


def over(amount: int) -> dict:
    return {
        "match": "all",
        "rules": [{"field": "amount", "operator": "greater_than", "value": amount}],
    }


@pytest.fixture(autouse=True)
def _leads() -> None:
    make_leads()


def test_a_run_knows_its_event_record_and_version():
    automation = make_automation(stop())
    lead = make_lead()
    dispatch_events()
    run = run_of(automation)
    event = Event.objects.get(record=lead)
    assert (run.event_id, run.record_id, run.version_id) == (
        event.pk,
        lead.pk,
        automation.published_id,
    )
    assert (run.mode, run.depth, run.event_name) == ("live", 0, "record.created")


@pytest.mark.parametrize("state", ["draft", "paused"])
def test_only_active_and_tested_automations_react(state):
    automation = make_automation(stop())
    set_state(automation=automation, state=state)
    make_lead()
    work()
    assert not Run.objects.exists()


def test_in_test_the_runs_say_so():
    automation = make_automation(stop(), state="test")
    make_lead()
    work()
    assert run_of(automation).mode == "test"


def test_other_objects_and_other_events_do_not_concern_it():
    make_automation(stop(), trigger=ON_UPDATED)
    make_lead()
    work()
    assert not Run.objects.exists()


def test_what_does_not_fire_is_kept_with_the_actual_values():
    automation = make_automation(stop(), conditions=over(100))
    make_lead(amount="50")
    work()
    run = automation.runs.get()
    assert (run.status, run.reason) == ("skipped", "The conditions were not met.")
    [rule] = run.conditions["rules"]
    assert (rule["passed"], rule["value"]) == (False, 100)
    assert float(rule["actual"]) == 50


def test_what_does_not_fire_is_kept_in_a_bounded_number_and_each_automation_has_its_share():
    many = make_automation(stop(), conditions=over(100), name="Many")
    other = make_automation(stop(), conditions=over(200), name="Other")
    for _ in range(MAX_SKIPPED_PER_BATCH):
        make_lead(amount="1")
    dispatch_events()
    assert Run.objects.count() == MAX_SKIPPED_PER_BATCH
    assert min(many.runs.count(), other.runs.count()) >= MAX_SKIPPED_PER_BATCH // 2


def test_where_more_automations_refuse_than_are_kept_chance_decides_which(monkeypatch):
    monkeypatch.setattr(matching, "MAX_SKIPPED_PER_BATCH", 2)
    monkeypatch.setattr(matching.random, "sample", lambda matches, count: matches[-count:])
    for number in range(5):
        make_automation(stop(), conditions=over(100), name=f"No. {number}")
    make_lead(amount="1")
    dispatch_events()
    kept = Run.objects.values_list("automation__name", flat=True)
    assert sorted(kept) == ["No. 3", "No. 4"]


@pytest.mark.parametrize(
    ("automations", "kept"), [(9, 7), (10, 6), (16, 4), (32, 2), (33, 2), (1_000, 2)]
)
def test_the_more_refuse_the_fewer_are_kept(automations, kept):
    assert matching.sample_size(automations) == kept


def test_days_in_conditions_are_the_installation_s():
    moment = datetime(2026, 3, 1, 20, tzinfo=UTC)
    with timezone.override("Asia/Tokyo"):
        occasion = matching.Occasion(Event(type="x", created_at=moment), "x")
        assert occasion.facts.today == date(2026, 3, 2)


def test_an_event_is_decided_with_the_definitions_of_its_time():
    """A new version holds from the next batch of events on."""
    automation = make_automation(stop(), conditions=over(100))
    make_lead(amount="150")
    work()
    assert automation.runs.filter(status="succeeded").count() == 1


def test_records_in_quarantine_are_left_alone_until_they_are_released():
    automation = make_automation(stop(), trigger=ON_UPDATED)
    lead = make_lead()
    quarantine_record(record=lead, reason="Look at it")
    update_record(record=lead, data={"status": "new"})
    work()
    run = automation.runs.filter(event__type="record.updated").latest("id")
    assert (run.status, "quarantine" in run.reason) == ("skipped", True)
    release_record(record=lead)
    update_record(record=lead, data={"status": "newer"})
    work()
    assert automation.runs.filter(status="succeeded").exists()


def test_a_quarantine_itself_can_fire():
    automation = make_automation(
        stop(),
        trigger={"type": "event", "config": {"event": "record.quarantined", "object": "leads"}},
    )
    quarantine_record(record=make_lead(), reason="Look at it")
    work()
    assert run_of(automation).status == "succeeded"


def test_a_waiting_run_is_held_while_its_record_is_in_quarantine():
    automation = make_automation(step("wait", "w", duration=1, unit="hours"), stop("s2"))
    lead = make_lead()
    work()
    quarantine_record(record=lead, reason="Look at it")
    Run.objects.update(status="pending")
    work()
    run = run_of(automation)
    assert (run.status, "quarantine" in run.reason) == ("waiting", True)
    release_record(record=lead)
    Run.objects.filter(pk=run.pk).update(status="pending")
    work()
    run = run_of(automation)
    assert (run.status, run.reason) == ("succeeded", "")


def test_one_automation_that_breaks_does_not_keep_the_others_from_reacting():
    broken = make_automation(stop(), conditions=over(1), name="Broken")
    sound = make_automation(stop(), name="Sound")
    conditions_of(broken).passes = _break
    make_lead()
    work()
    assert sound.runs.get().status == "succeeded"
    assert "mistake" in broken.runs.get().reason


def _break(facts: object) -> bool:
    raise RuntimeError("a mistake")


def conditions_of(automation: Automation) -> Conditions:
    """Those that the dispatcher asks."""
    listeners = [each for found in current_index().by_event.values() for each in found]
    [found] = [each for each in listeners if each.automation_id == automation.pk]
    return found.version.conditions
