"""Ticks: each comes once, and after a downtime one makes up for all."""

from datetime import timedelta

import pytest

from automations import timers
from automations.models import Run, Schedule
from automations.services import delete_automation, publish, save_draft, set_state
from tests.automations.making import make_automation, step, work
from tests.automations.timers_at_hand import (
    START,
    at,
    hours,
    scheduled,
    ticks_of,
)

pytestmark = pytest.mark.django_db


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
