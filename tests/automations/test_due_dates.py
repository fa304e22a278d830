"""Due dates: each fires once for a record and a date, also after a downtime."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from django.utils import timezone

from automations import chores, timers
from automations.models import DueDate, DueWatch, Run
from automations.services import publish, save_draft, set_state
from records.models import Event, ObjectDefinition
from records.services import (
    delete_record,
    quarantine_record,
    release_record,
    restore_record,
    submit_record,
    update_record,
)
from tests.automations.making import work
from tests.automations.timers_at_hand import (
    START,
    at,
    change,
    due,
    fired,
    hours,
    make_deal,
    scheduled,
)
from tests.records.making import fresh

pytestmark = pytest.mark.django_db


def test_a_record_becomes_due_once(deals: ObjectDefinition) -> None:
    with at(START):
        automation = due(amount=2, unit="hours")
        record = make_deal(deals, call_at=START + hours(5))
    with at(START + hours(2.9)):
        assert fired(automation) == 0
    with at(START + hours(3)):
        assert fired(automation) == 1
        assert fired(automation) == 1
    event = Event.objects.get(type="record.due")
    assert (event.record, event.after["data"]["name"]) == (record, "Acme")


def test_a_date_counts_from_a_time_of_day_in_a_time_zone(deals: ObjectDefinition) -> None:
    with at(START):
        due(field="closes_on", amount=3, unit="days", at="09:00", timezone="America/New_York")
        make_deal(deals, closes_on="2026-03-10")  # summer time begins on the 8th
    assert DueDate.objects.get().due_at == datetime(2026, 3, 7, 14, 0, tzinfo=UTC)


def test_another_date_fires_again_and_one_that_was_there_before_does_not(
    deals: ObjectDefinition,
) -> None:
    first, second = START + hours(1), START + hours(3)
    with at(START):
        automation = due()
        record = make_deal(deals, call_at=first)
    with at(START + hours(2)):
        assert fired(automation) == 1
        change(record, call_at=second)
        change(record, call_at=first)
        assert fired(automation) == 1
        change(record, call_at=second)
        assert fired(automation) == 1
    with at(START + hours(4)):
        assert fired(automation) == 2
        change(record, name="Other")
        assert fired(automation) == 2


def test_a_date_that_was_moved_a_moment_ago_does_not_fire_for_the_old_one(
    deals: ObjectDefinition,
) -> None:
    with at(START):
        automation = due()
        record = make_deal(deals, call_at=START + hours(1))
    with at(START + hours(1)):
        later = (START + hours(2)).isoformat()
        update_record(record=fresh(record), data={"call_at": later})  # not dispatched yet
        timers.fire_due_dates()
        assert not Event.objects.filter(type="record.due").exists()
    with at(START + hours(2)):
        assert fired(automation) == 1


def test_a_date_that_is_taken_away_does_not_fire(deals: ObjectDefinition) -> None:
    with at(START):
        automation = due()
        record = make_deal(deals, call_at=START + hours(1))
        change(record, call_at=None)
    with at(START + hours(2)):
        assert fired(automation) == 0


def test_what_was_due_during_a_downtime_fires_late_and_what_was_due_before_does_not(
    deals: ObjectDefinition,
) -> None:
    with at(START):
        make_deal(deals, call_at=START - hours(1))
        made_before = make_deal(deals, call_at=START + hours(1))
        automation = due()
        update_record(record=made_before, data={"name": "Changed, and nobody heard of it"})
    with at(START + hours(100)):
        timers.walk_records(lambda: False)
        assert fired(automation) == 1
    assert Event.objects.get(type="record.due").record == made_before


def test_old_records_are_looked_through_in_steps_that_can_be_broken_off(
    deals: ObjectDefinition, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timers, "WALK_SIZE", 2)
    with at(START):
        for _ in range(5):
            make_deal(deals, call_at=START + hours(1))
        automation = due()
        assert not DueDate.objects.exists()  # publishing waits for none of it
        timers.walk_records(lambda: True)
        assert DueDate.objects.count() == 2
        timers.walk_records(lambda: False)
        assert DueDate.objects.count() == 5
        assert DueWatch.objects.get().walked_at
    with at(START + hours(1)):
        assert fired(automation) == 5


@pytest.mark.parametrize("how", ["draft", "deleted", "quarantined"])
def test_drafts_deleted_records_and_those_in_quarantine_fire_when_they_are_none(
    deals: ObjectDefinition, how: str
) -> None:
    begin: dict[str, Callable[..., Any]] = {
        "deleted": lambda record: delete_record(record=record),
        "quarantined": lambda record: quarantine_record(record=record, reason="Odd"),
    }
    end: dict[str, Callable[..., Any]] = {
        "draft": lambda record: submit_record(record=record),
        "deleted": lambda record: restore_record(record=record),
        "quarantined": lambda record: release_record(record=record),
    }
    with at(START):
        automation = due()
        state = "draft" if how == "draft" else "submitted"
        record = make_deal(deals, call_at=START + hours(1), state=state)
        if how in begin:
            begin[how](fresh(record))
        work()
    with at(START + hours(2)):
        assert fired(automation) == 0
        end[how](fresh(record))
        work()
        assert fired(automation) == 1
        assert fired(automation) == 1


def test_another_offset_is_worked_out_for_all_records_and_the_old_one_forgotten(
    deals: ObjectDefinition,
) -> None:
    with at(START):
        automation = due()
        make_deal(deals, call_at=START + hours(5))
        config = {"object": "deals", "field": "call_at", "amount": 2, "unit": "hours"}
        trigger = {"type": "due", "config": {**config, "timezone": "UTC", "direction": "after"}}
        save_draft(automation=automation, draft={**automation.draft, "trigger": trigger})
        publish(automation=automation)
    with at(START + hours(5)):
        assert fired(automation) == 0
        timers.walk_records(lambda: False)
        assert fired(automation) == 0
    with at(START + hours(7)):
        assert fired(automation) == 1


def test_a_paused_automation_does_not_fire_for_what_is_due_meanwhile(
    deals: ObjectDefinition,
) -> None:
    with at(START):
        automation = due()
        make_deal(deals, call_at=START + hours(1))
        make_deal(deals, call_at=START + hours(3))
        set_state(automation=automation, state="paused")
    with at(START + hours(2)):
        assert fired(automation) == 0
        set_state(automation=automation, state="active")
        timers.walk_records(lambda: False)
        assert fired(automation) == 0
    with at(START + hours(4)):
        assert fired(automation) == 1


def test_going_from_test_to_active_changes_no_due_date(deals: ObjectDefinition) -> None:
    with at(START):
        automation = due()
        make_deal(deals, call_at=START + hours(1))
        since = DueWatch.objects.get().since
    with at(START + hours(2)):
        set_state(automation=automation, state="test")
        assert DueWatch.objects.get().since == since
        assert fired(automation) == 1
    assert Run.objects.get().mode == "test"


def test_what_an_older_version_of_a_record_told_does_not_undo_the_newer(
    deals: ObjectDefinition,
) -> None:
    """Two workers dispatch two changes of one record; the first one is the slower."""
    with at(START):
        due()
        record = make_deal(deals, call_at=START + hours(1))
        old = fresh(record)
        change(record, call_at=START + hours(2))
        timers._follow(DueWatch.objects.get(), [old.__dict__])
    assert DueDate.objects.get().due_at == START + hours(2)


def test_events_that_touch_no_date_cost_one_query(
    deals: ObjectDefinition, django_assert_num_queries: Any
) -> None:
    due()
    record = make_deal(deals, call_at=timezone.now())
    update_record(record=fresh(record), data={"name": "Other"})
    events = list(Event.objects.undispatched().select_related("record"))
    with django_assert_num_queries(1):
        timers.follow_events(events)
    tick = [Event(type="schedule.tick")]
    with django_assert_num_queries(0):
        timers.follow_events(tick)


def test_the_sweep_rings_for_what_is_due(
    deals: ObjectDefinition, drain: Callable[..., None]
) -> None:
    with at(START):
        daily, reminder = scheduled(), due()
        make_deal(deals, call_at=START + hours(1))
        drain()
    with at(START + hours(1)):
        chores.ring_for_timers()
        drain("timers", "events", "runs")
    assert Run.objects.filter(automation__in=[daily, reminder], status="succeeded").count() == 2
