"""Ticks and due dates: each fires once, whoever looks, and after a downtime."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import close_old_connections, connection
from django.utils import timezone

from automations import chores, timers
from automations.models import Automation, DueDate, DueWatch, Run, Schedule
from automations.services import delete_automation, publish, save_draft, set_state
from records.models import Event, ObjectDefinition, Record
from records.services import (
    create_record,
    delete_record,
    quarantine_record,
    release_record,
    restore_record,
    submit_record,
    update_record,
)
from tests.automations.making import make_automation, step, work
from tests.records.making import fresh, make_object

START = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)  # a Monday

NOTE = step("set_variables", variables=[{"name": "done", "value": "yes"}])

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _the_shared_clock_can_be_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """PostgreSQL's own can't."""
    monkeypatch.setattr(timers, "shared_now", timezone.now)
    monkeypatch.setattr(chores, "shared_now", timezone.now)


def scheduled(cron: str = "0 9 * * *", **config: Any) -> Automation:
    trigger = {"type": "schedule", "config": {"cron": cron, "timezone": "UTC", **config}}
    return make_automation(NOTE, trigger=trigger, name="Daily")


def ticks_of(automation: Automation) -> list[Event]:
    return list(Event.objects.filter(type="schedule.tick", target=automation.pk).order_by("id"))


def at(moment: datetime) -> time_machine.travel:
    return time_machine.travel(moment, tick=False)


def hours(number: float) -> timedelta:
    return timedelta(hours=number)


# --- Schedules --------------------------------------------------------------------------------------


def test_a_tick_runs_the_automation_and_tells_when_it_was_scheduled() -> None:
    with at(START):
        trigger = {"type": "schedule", "config": {"cron": "0 9 * * *", "timezone": "UTC"}}
        when = {"name": "when", "value": "{{ subject.scheduled_for }}"}
        say = step("set_variables", variables=[when])
        automation = make_automation(say, trigger=trigger)
        assert timers.tick_schedules() == 0
    with at(START + hours(1)):
        assert timers.tick_schedules() == 1
        assert timers.tick_schedules() == 0
        work()
    run = Run.objects.get(automation=automation)
    assert (run.status, run.record_id) == ("succeeded", None)
    assert run.variables["vars"]["when"] == "2026-03-02T09:00:00Z"
    assert Schedule.objects.get().next_tick_at == START + hours(25)


def test_after_a_downtime_one_tick_makes_up_for_all() -> None:
    with at(START):
        automation = scheduled("0 * * * *")
    with at(START + hours(50.5)):
        timers.tick_schedules()
        assert timers.tick_schedules() == 0
    (event,) = ticks_of(automation)
    assert event.after == {
        "scheduled_for": "2026-03-04T10:00:00Z",
        "missed": 49,
        "missed_since": "2026-03-02T09:00:00Z",
    }
    assert Schedule.objects.get().next_tick_at == START + hours(51)


def test_a_downtime_of_months_is_made_up_for_without_counting_every_minute() -> None:
    with at(START):
        automation = scheduled("* * * * *")
    with at(START + timedelta(days=200, seconds=30)):
        timers.tick_schedules()
    (event,) = ticks_of(automation)
    assert event.after["scheduled_for"] == "2026-09-18T08:00:00Z"
    assert event.after["missed"] == timers.MAX_MISSED
    assert Schedule.objects.get().next_tick_at == START + timedelta(days=200, minutes=1)


def test_a_clock_that_goes_back_repeats_no_tick() -> None:
    with at(START):
        automation = scheduled("*/10 * * * *")
    with at(START + hours(2)):
        timers.tick_schedules()
    with at(START + hours(1)):
        assert timers.tick_schedules() == 0
        publish(automation=automation)
    with at(START + hours(1.9)):
        assert timers.tick_schedules() == 0
    with at(START + hours(2.2)):
        assert timers.tick_schedules() == 1
    assert [event.after["scheduled_for"][11:16] for event in ticks_of(automation)] == [
        "10:00",
        "10:10",
    ]


def test_publishing_the_same_schedule_loses_no_tick_that_is_waiting() -> None:
    with at(START):
        automation = scheduled()
    with at(START + hours(3)):
        draft = {**automation.draft, "conditions": {"match": "all", "rules": []}}
        save_draft(automation=automation, draft=draft)
        publish(automation=automation)
        assert timers.tick_schedules() == 1


def test_another_schedule_begins_anew() -> None:
    with at(START):
        automation = scheduled()
    with at(START + hours(3)):
        config = {"cron": "30 * * * *", "timezone": "UTC"}
        save_draft(
            automation=automation,
            draft={**automation.draft, "trigger": {"type": "schedule", "config": config}},
        )
        publish(automation=automation)
        assert timers.tick_schedules() == 0
    assert Schedule.objects.get().next_tick_at == START + hours(3.5)


def test_what_is_paused_or_deleted_does_not_tick() -> None:
    with at(START):
        automation = scheduled()
        set_state(automation=automation, state="paused")
        assert not Schedule.objects.exists()
    with at(START + hours(3)):
        set_state(automation=automation, state="active")
        assert timers.tick_schedules() == 0  # nothing was due since it was switched on
        delete_automation(automation=automation)
    assert not Schedule.objects.exists()


def test_one_schedule_that_cannot_tick_stops_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    with at(START):
        broken, sound = scheduled(), scheduled("1 9 * * *")
    real = timers._timetable_of
    monkeypatch.setattr(
        timers, "_timetable_of", lambda each: 1 / 0 if each.pk == broken.pk else real(each)
    )
    with at(START + hours(2)):
        assert timers.tick_schedules() == 1
    assert len(ticks_of(sound)) == 1


# --- Due dates --------------------------------------------------------------------------------------


@pytest.fixture
def deals() -> ObjectDefinition:
    return make_object(
        "deals",
        {"slug": "name", "required": True},
        {"slug": "closes_on", "kind": "date"},
        {"slug": "call_at", "kind": "datetime"},
        stages="open won",
    )


def due(**config: Any) -> Automation:
    values = {"object": "deals", "field": "call_at", "timezone": "UTC", **config}
    return make_automation(NOTE, trigger={"type": "due", "config": values}, name="Remind")


def make_deal(deals: ObjectDefinition, **values: Any) -> Record:
    attributes = {key: values.pop(key) for key in ("state",) if key in values}
    data = {
        key: value.isoformat() if isinstance(value, datetime) else value
        for key, value in values.items()
    }
    record = create_record(object_definition=deals, data={"name": "Acme", **data}, **attributes)
    work()
    return record


def change(record: Record, **data: Any) -> None:
    values = {
        key: value.isoformat() if isinstance(value, datetime) else value
        for key, value in data.items()
    }
    update_record(record=fresh(record), data=values)
    work()


def fired(automation: Automation) -> int:
    """Fire what is due now; how often it has fired in all."""
    timers.fire_due_dates()
    work()
    events = Event.objects.filter(type="record.due", target=automation.pk).count()
    assert Run.objects.filter(automation=automation, event_name="record.due").count() == events
    return events


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


# --- Side by side -----------------------------------------------------------------------------------


def _all_at_once(work_on: Callable[[], int], count: int = 6) -> int:
    """The sum of what several workers came to, who began at the same moment."""
    barrier, results = threading.Barrier(count), []

    def one() -> None:
        barrier.wait(10)
        try:
            results.append(work_on())
        finally:
            connection.close()

    threads = [threading.Thread(target=one) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    close_old_connections()
    assert len(results) == count
    return sum(results)


@pytest.mark.django_db(transaction=True)
def test_workers_side_by_side_write_each_tick_once() -> None:
    automations = [scheduled() for _ in range(8)]
    Schedule.objects.update(next_tick_at=timezone.now() - timedelta(seconds=1))
    assert _all_at_once(timers.tick_schedules) == len(automations)
    assert Event.objects.filter(type="schedule.tick").count() == len(automations)
    assert Event.objects.filter(type="schedule.tick").values("target").distinct().count() == 8


@pytest.mark.django_db(transaction=True)
def test_workers_side_by_side_fire_each_due_date_once(
    deals: ObjectDefinition, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timers, "BATCH_SIZE", 7)
    due()
    now = timezone.now()
    DueWatch.objects.update(since=now - hours(2))
    for _ in range(40):
        create_record(
            object_definition=deals, data={"name": "A", "call_at": (now - hours(1)).isoformat()}
        )
    work()
    assert DueDate.objects.count() == 40
    assert _all_at_once(timers.fire_due_dates) == 40
    events = Event.objects.filter(type="record.due")
    assert (events.count(), events.values("record").distinct().count()) == (40, 40)


@pytest.mark.django_db(transaction=True)
def test_two_walks_and_the_dispatcher_side_by_side_make_one_due_date_for_each_record(
    deals: ObjectDefinition, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timers, "WALK_SIZE", 5)
    later = (timezone.now() + hours(5)).isoformat()
    for _ in range(30):
        create_record(object_definition=deals, data={"name": "A", "call_at": later})
    due()
    turns = iter(range(6))

    def either() -> int:
        if next(turns) % 2:
            work()
        else:
            timers.walk_records(lambda: False)
        return 0

    _all_at_once(either)
    timers.walk_records(lambda: False)
    assert DueDate.objects.count() == 30
