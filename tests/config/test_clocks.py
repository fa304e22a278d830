"""When the shared clock may be believed: leases count only then."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from config.clocks import GRACE_S, LONGEST_SILENCE_S, ClockWatch, shared_now

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def watch_that_looked(*moments: tuple[float, float]) -> ClockWatch:
    """After looks at (seconds after noon by the shared clock, seconds that really passed)."""
    watch = ClockWatch()
    for clock_s, ticks_s in moments:
        watch.look(NOON + timedelta(seconds=clock_s), ticks_s)
    return watch


def every_second(start: float, seconds: float, ahead_s: float = 0) -> list[tuple[float, float]]:
    return [(start + s + ahead_s, start + s) for s in range(int(seconds) + 1)]


def test_a_process_that_has_just_begun_knows_nothing() -> None:
    watch = watch_that_looked((0, 0))
    assert not watch.is_steady
    assert watch.may_have_been_set


def test_after_a_while_of_quiet_it_is_steady() -> None:
    watch = watch_that_looked(*every_second(0, GRACE_S + 1))
    assert watch.is_steady
    assert not watch.may_have_been_set


@pytest.mark.parametrize("jump_s", [-3600, -2, 2, 3600])
def test_a_jump_is_noticed_and_then_forgotten(jump_s: float) -> None:
    before, after = every_second(0, 10), every_second(11, 10, ahead_s=jump_s)
    watch = watch_that_looked(*before, after[0])
    assert watch.may_have_been_set
    assert not watch.is_steady

    watch = watch_that_looked(*before, *after)
    assert not watch.may_have_been_set
    assert watch.is_steady


def test_a_long_silence_of_the_database_needs_quiet_again() -> None:
    silence_s = LONGEST_SILENCE_S + 0.1
    watch = watch_that_looked(*every_second(0, 10), (10 + silence_s, 10 + silence_s))
    assert not watch.is_steady
    assert not watch.may_have_been_set


def test_a_slow_sweep_is_no_silence() -> None:
    watch = watch_that_looked(*every_second(0, 10), (13.5, 13.5))
    assert watch.is_steady


@pytest.mark.django_db
def test_the_shared_clock_goes_as_the_machines_does() -> None:
    assert abs(shared_now() - timezone.now()) < timedelta(seconds=5)
