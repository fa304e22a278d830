"""Events are handed on exactly once, and no trouble with one of them loses it or another."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, OperationalError
from django.utils import timezone
from rq.timeouts import JobTimeoutException

from records import jobs
from records.dispatch import dispatch_events, events_dispatched
from records.models import Event

pytestmark = pytest.mark.django_db(transaction=True)


def make_events(count: int) -> list[Event]:
    return [
        Event.objects.create(
            type="space.login_failed", subject_id=str(n), created_at=timezone.now()
        )
        for n in range(count)
    ]


@contextmanager
def receiving(react: Callable[[list[Event]], None]) -> Iterator[None]:
    def receive(sender: Any, events: list[Event], **kwargs: Any) -> None:
        react(events)

    events_dispatched.connect(receive)
    try:
        yield
    finally:
        events_dispatched.disconnect(receive)


def test_events_are_handed_on_in_order_and_once() -> None:
    events, seen = make_events(3), []
    with receiving(lambda batch: seen.extend(event.pk for event in batch)):
        assert dispatch_events() == 3
        assert dispatch_events() == 0
    assert seen == [event.pk for event in events]


def test_one_event_that_makes_trouble_is_marked_and_the_others_go_on() -> None:
    bad, *good = make_events(3)

    def react(batch: list[Event]) -> None:
        if bad in batch:
            raise ValueError("no \0 text")

    with receiving(react):
        assert dispatch_events() == 3
    bad.refresh_from_db()
    assert bad.dispatch_error == "ValueError: no  text"
    assert bad.dispatched_at is not None
    assert set(Event.objects.filter(dispatch_error="")) == set(good)


@pytest.mark.parametrize("trouble", [IntegrityError, OperationalError])
def test_trouble_of_the_moment_does_not_cost_an_event(trouble: type[Exception]) -> None:
    """The batch fails, then the first event alone; the next time all is well."""
    make_events(2)
    calls: list[int] = []

    def react(batch: list[Event]) -> None:
        calls.append(len(batch))
        if len(calls) <= 2:
            raise trouble("deadlock, or a webhook that was just deleted")

    with receiving(react):
        assert dispatch_events() == 2
    assert calls == [2, 1, 1, 1]
    assert not Event.objects.exclude(dispatch_error="").exists()


@pytest.mark.parametrize("when", [1, 2])
def test_running_out_of_time_leaves_the_events_to_the_next(when: int) -> None:
    make_events(2)
    calls: list[int] = []

    def react(batch: list[Event]) -> None:
        calls.append(len(batch))
        raise JobTimeoutException("too long") if len(calls) == when else ValueError("wrong")

    with receiving(react), pytest.raises(JobTimeoutException):
        dispatch_events()
    assert Event.objects.undispatched().count() == 2


@pytest.mark.parametrize(("ago_s", "rings"), [(0, False), (5, True), (-3600, True)])
def test_the_sweep_rings_for_old_events_and_for_those_of_a_clock_that_was_ahead(
    monkeypatch: pytest.MonkeyPatch, ago_s: int, rings: bool
) -> None:
    rung: list[str] = []
    monkeypatch.setattr(jobs, "ring", rung.append)
    (event,) = make_events(1)
    moment = event.created_at - timedelta(seconds=ago_s)
    Event.objects.update(created_at=moment)
    jobs.ring_for_waiting_events()
    assert rung == (["events"] if rings else [])
