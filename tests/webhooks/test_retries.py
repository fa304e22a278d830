from datetime import UTC, datetime, timedelta

import pytest

from webhooks.retries import (
    MAX_RETRY_AFTER_S,
    RetryPolicy,
    exponential_delays_s,
    judge_attempt,
    retry_after_s,
)

NOW = datetime(2025, 1, 15, 10, 30, tzinfo=UTC)


def judge(
    status_code=None,
    error_kind="",
    *,
    is_hopeless=False,
    tries=1,
    age_s=0.0,
    retry_after="",
    chance=0.0,
    **policy,
):
    return judge_attempt(
        RetryPolicy(**policy),
        status_code=status_code,
        error_kind=error_kind,
        is_hopeless=is_hopeless,
        retry_after=retry_after,
        tries=tries,
        age_s=age_s,
        now=NOW,
        chance=chance,
    )


def delay_s(verdict):
    return (verdict.next_attempt_at - NOW).total_seconds()


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


def test_what_can_not_be_sent_is_not_tried_again():
    assert judge(None, "invalid").status == "failed"


def test_an_address_that_is_refused_as_it_is_written_is_not_tried_again():
    verdict = judge(None, "blocked", is_hopeless=True)
    assert (verdict.status, verdict.next_attempt_at) == ("failed", None)
    assert verdict.reason.startswith("A retry can't help: the URL names an address")


def test_a_good_status_with_a_broken_body_is_no_success():
    assert judge(200, "protocol").status == "pending"


@pytest.mark.parametrize(("tries", "seconds"), [(1, 60), (2, 300), (3, 1800)])
def test_the_default_delays_are_1_5_and_30_minutes(tries, seconds):
    assert delay_s(judge(500, tries=tries)) == seconds


def test_after_the_last_delay_it_has_failed():
    verdict = judge(500, tries=4)
    assert (verdict.status, verdict.next_attempt_at) == ("failed", None)
    assert verdict.reason == "All attempts are used up."


def test_without_delays_the_first_failure_is_the_last():
    assert judge(500, delays_s=[]).status == "failed"


@pytest.mark.parametrize(
    ("policy", "status_code", "expected"),
    [
        ({"success": "2xx,404"}, 404, "succeeded"),
        ({"success": "200"}, 204, "pending"),
        ({"halt": "400-499"}, 422, "failed"),
        ({"halt": "400-499"}, 500, "pending"),
        ({"retry": "5xx"}, 503, "pending"),
        ({"retry": "5xx"}, 404, "failed"),
        ({"retry": "5xx", "halt": "501"}, 501, "failed"),
        ({"success": "2xx", "halt": "2xx"}, 200, "succeeded"),
    ],
)
def test_a_webhook_says_what_succeeds_retries_and_halts(policy, status_code, expected):
    assert judge(status_code, **policy).status == expected


def test_only_listed_statuses_retry_but_no_answer_always_does():
    assert judge(None, "timeout", retry="503").status == "pending"


def test_410_ends_the_job_and_asks_to_switch_the_webhook_off():
    verdict = judge(410)
    assert (verdict.status, verdict.is_gone) == ("failed", True)
    assert "does not want" in verdict.reason


def test_410_is_an_ordinary_status_where_the_webhook_retries_it():
    verdict = judge(410, retry="410,5xx")
    assert (verdict.status, verdict.is_gone) == ("pending", False)


@pytest.mark.parametrize(("chance", "seconds"), [(0.0, 60), (0.5, 66), (0.999, 71.988)])
def test_jitter_makes_a_delay_longer_never_shorter(chance, seconds):
    assert delay_s(judge(500, jitter_percent=20, chance=chance)) == pytest.approx(seconds)


def test_a_job_too_old_for_another_attempt_fails():
    assert judge(500, max_age_s=3600, age_s=3541).status == "failed"
    assert judge(500, max_age_s=3600, age_s=3539).status == "pending"


@pytest.mark.parametrize("status_code", [429, 503])
def test_retry_after_delays_the_next_attempt(status_code):
    assert delay_s(judge(status_code, retry_after="120")) == 120


def test_retry_after_never_hastens():
    assert delay_s(judge(503, retry_after="1")) == 60


def test_retry_after_means_nothing_with_another_status():
    assert delay_s(judge(500, retry_after="120")) == 60


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("", 0),
        ("90", 90),
        (" 90 ", 90),
        ("0", 0),
        ("-5", 0),
        ("1.5", 0),
        ("soon", 0),
        ("٣", 0),
        ("9" * 400, MAX_RETRY_AFTER_S),
        ("Wed, 15 Jan 2025 10:32:00 GMT", 120),
        ("Wed, 15 Jan 2025 10:32:00", 120),
        ("Wed, 15 Jan 2025 10:00:00 GMT", 0),
        ("Fri, 15 Jan 2125 10:00:00 GMT", MAX_RETRY_AFTER_S),
        ("Wed, 99 Jan 2025 10:00:00 GMT", 0),
    ],
)
def test_retry_after_is_bounded(header, seconds):
    assert retry_after_s(header, NOW) == seconds


def test_exponential_back_off_doubles_up_to_its_cap():
    assert exponential_delays_s(first_s=30, cap_s=200, count=5) == [30, 60, 120, 200, 200]


def test_a_policy_survives_json():
    policy = RetryPolicy(
        delays_s=[1, 2], jitter_percent=5, max_age_s=9, success="2xx,404", halt="4xx"
    )
    assert RetryPolicy.from_json(policy.to_json()) == policy
    assert RetryPolicy.from_json(RetryPolicy().to_json()).delays_s == [60, 300, 1800]


def test_the_moment_of_the_next_attempt_counts_from_now():
    assert judge(500).next_attempt_at == NOW + timedelta(minutes=1)
