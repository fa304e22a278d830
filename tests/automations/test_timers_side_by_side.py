"""Workers side by side: what fires by time fires once, whoever looks."""

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import close_old_connections, connection
from django.utils import timezone

from automations import timers
from automations.models import DueDate, DueWatch, Schedule
from records.models import Event, ObjectDefinition
from records.services import (
    create_record,
)
from tests.automations.making import work
from tests.automations.timers_at_hand import (
    due,
    hours,
    scheduled,
)


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
