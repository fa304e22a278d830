from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from webhooks.circuits import (
    FIRST_PROBE_S,
    MAX_PROBE_S,
    OPEN_AFTER_FAILURES,
    CircuitState,
    Tally,
    after_outcomes,
    begin_probe,
    is_trouble,
)

NOW = datetime(2025, 1, 15, 10, 30, tzinfo=UTC)
FIVE_DAYS_S = 5 * 86_400
OPEN = CircuitState("open", 12, NOW, NOW, NOW + timedelta(seconds=FIRST_PROBE_S), FIRST_PROBE_S)


def after(state, now=NOW, **tally):
    return after_outcomes(state, Tally(**tally), now=now, disable_after_s=FIVE_DAYS_S)


@pytest.mark.parametrize(
    ("status_code", "error_kind", "expected"),
    [
        (None, "timeout", True),
        (None, "dns", True),
        (None, "invalid", False),
        (500, "", True),
        (429, "", True),
        (200, "protocol", True),
        (404, "", False),
        (301, "", False),
    ],
)
def test_trouble_is_what_says_something_about_the_whole_destination(
    status_code, error_kind, expected
):
    assert is_trouble(status_code, error_kind) is expected


def test_it_opens_after_sustained_failure():
    state = after(CircuitState(), unanswered=OPEN_AFTER_FAILURES - 1)
    assert state.circuit == "closed"
    state = after(state, unanswered=1)
    assert (state.circuit, state.opened_at) == ("open", NOW)
    assert state.probe_at == NOW + timedelta(seconds=FIRST_PROBE_S)


def test_a_success_closes_it_and_forgets_everything():
    assert after(OPEN, succeeded=1, unanswered=40) == CircuitState()


def test_an_answer_closes_it_but_is_no_end_of_the_failing():
    state = after(OPEN, answered=1)
    assert (state.circuit, state.failures, state.failing_since) == ("closed", 0, NOW)


def test_late_failures_of_an_open_circuit_do_not_move_its_probe():
    state = after(OPEN, NOW + timedelta(seconds=5), unanswered=60)
    assert (state.probe_at, state.probe_interval_s) == (OPEN.probe_at, OPEN.probe_interval_s)


def test_probes_come_with_growing_pauses():
    state, now, pauses = OPEN, OPEN.probe_at, []
    for _ in range(8):
        state = begin_probe(state, now=now)
        pauses.append((state.probe_at - now).total_seconds())
        now = state.probe_at
    assert pauses == [30, 60, 120, 240, 480, 900, 900, 900]
    assert pauses[-1] == MAX_PROBE_S


def test_there_is_one_probe_at_a_time():
    assert begin_probe(OPEN, now=NOW) is None
    probing = begin_probe(OPEN, now=OPEN.probe_at)
    assert begin_probe(probing, now=OPEN.probe_at) is None


@pytest.mark.parametrize("circuit", ["closed", "disabled"])
def test_only_an_open_circuit_is_probed(circuit):
    assert begin_probe(replace(OPEN, circuit=circuit), now=NOW + timedelta(days=1)) is None


@pytest.mark.parametrize("tally", [{"unanswered": 1}, {"answered": 1}])
def test_days_of_nothing_but_failures_disable_it(tally):
    state = CircuitState(failing_since=NOW - timedelta(days=5))
    disabled = after(state, **tally)
    assert (disabled.circuit, disabled.disabled_at) == ("disabled", NOW)


@pytest.mark.parametrize("tally", [{"succeeded": 1}, {"answered": 1}, {"unanswered": 1}])
def test_what_was_still_in_the_air_does_not_enable_it_again(tally):
    disabled = CircuitState(circuit="disabled", failures=3, disabled_at=NOW)
    assert after(disabled, **tally) == disabled


def test_failures_of_one_day_do_not_disable_it():
    assert (
        after(CircuitState(failing_since=NOW - timedelta(days=4)), unanswered=50).circuit == "open"
    )
