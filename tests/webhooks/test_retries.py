from datetime import UTC, datetime, timedelta

import pytest

from webhooks.retries import DEFAULT_DELAYS_S, is_success, judge_attempt

NOW = datetime(2025, 1, 15, 10, 30, tzinfo=UTC)


def judge(status_code=None, error_kind="", *, tries=1, delays_s=DEFAULT_DELAYS_S):
    return judge_attempt(
        status_code=status_code, error_kind=error_kind, delays_s=delays_s, tries=tries, now=NOW
    )


@pytest.mark.parametrize("status_code", [200, 201, 202, 204, 299])
def test_any_2xx_succeeds(status_code):
    assert judge(status_code).status == "succeeded"


@pytest.mark.parametrize("status_code", [100, 199, 300, 302, 304, 400, 404, 429, 500, 503, 599])
def test_any_other_status_is_tried_again(status_code):
    assert judge(status_code).status == "pending"


@pytest.mark.parametrize(
    "kind", ["dns", "connect", "tls", "timeout", "protocol", "too_large", "blocked"]
)
def test_no_whole_answer_is_tried_again(kind):
    assert judge(None, kind).status == "pending"


def test_a_good_status_with_a_broken_body_is_no_success():
    assert not is_success(200, "protocol")


@pytest.mark.parametrize(("tries", "delay_s"), [(1, 60), (2, 300), (3, 1800)])
def test_the_default_delays_are_1_5_and_30_minutes(tries, delay_s):
    assert judge(500, tries=tries).next_attempt_at == NOW + timedelta(seconds=delay_s)


def test_after_the_last_delay_it_has_failed():
    verdict = judge(500, tries=4)
    assert (verdict.status, verdict.next_attempt_at) == ("failed", None)


def test_without_delays_the_first_failure_is_the_last():
    assert judge(500, delays_s=[]).status == "failed"
