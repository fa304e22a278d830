"""Rates are counted by Redis for all processes, by each for itself while it is away, and a fault refuses nobody."""

import time

import pytest

from webhooks.intake import limiter
from webhooks.intake.limiter import allow


@pytest.fixture(autouse=True)
def _forget(monkeypatch):
    monkeypatch.setattr(limiter, "_redis_away_until", 0.0)
    limiter._own.clear()


@pytest.fixture(params=["Redis", "this process"])
def counted_by(request, monkeypatch):
    if request.param == "this process":
        monkeypatch.setattr(limiter, "_redis_away_until", time.monotonic() + 1000)
    return request.param


def ask(address="192.0.2.1", endpoint="e", *, of_endpoint=None, of_address=None):
    return allow(
        endpoint, address, per_endpoint_per_min=of_endpoint, per_address_per_min=of_address
    )


def test_without_limits_nobody_waits(counted_by):
    assert [ask() for _ in range(5)] == [None] * 5
    assert ask(of_endpoint=0, of_address=0) is None


def test_a_minutes_worth_may_come_at_once_and_then_they_wait(counted_by):
    assert [ask(of_endpoint=3) for _ in range(3)] == [None] * 3
    assert 19 < ask(of_endpoint=3) <= 20


def test_who_waits_as_told_is_let_in(counted_by):
    answers = (ask(of_endpoint=600) for _ in range(2000))
    wait_s = next(answer for answer in answers if answer is not None)
    assert wait_s <= 0.1
    time.sleep(wait_s + 0.002)
    assert ask(of_endpoint=600) is None


def test_senders_and_endpoints_are_counted_apart(counted_by):
    assert ask("192.0.2.1", of_address=1) is None
    assert ask("192.0.2.1", of_address=1) is not None
    assert ask("192.0.2.2", of_address=1) is None
    assert ask("192.0.2.1", "other", of_address=1) is None
    assert ask("", of_address=1) is None


def test_a_network_of_ipv6_is_one_sender(counted_by):
    assert ask("2001:db8::1", of_address=1) is None
    assert ask("2001:db8::2", of_address=1) is not None


def test_a_sender_that_is_refused_takes_nothing_from_the_others(counted_by):
    assert ask("192.0.2.1", of_endpoint=2, of_address=1) is None
    for _ in range(5):
        assert ask("192.0.2.1", of_endpoint=2, of_address=1) is not None
    assert ask("192.0.2.2", of_endpoint=2, of_address=1) is None
    assert ask("192.0.2.3", of_endpoint=2, of_address=1) is not None


def test_all_processes_share_what_redis_counts(redis):
    assert ask(of_endpoint=1) is None
    limiter._own.clear()
    assert ask(of_endpoint=1) is not None
    assert 0 < redis.ttl("signalbox:rate:e") <= 60


def test_redis_that_forgot_the_script_is_told_again(redis):
    assert ask(of_endpoint=2) is None
    redis.script_flush()
    assert ask(of_endpoint=2) is None
    assert ask(of_endpoint=2) is not None


def test_without_redis_the_process_counts_and_asks_again_after_a_while(
    redis_process, monkeypatch, caplog
):
    redis_process.stop()
    began = time.monotonic()
    assert ask(of_endpoint=1) is None
    assert ask(of_endpoint=1) is not None
    assert time.monotonic() - began < 1
    assert len(caplog.records) == 1
    redis_process.start()
    monkeypatch.setattr(limiter, "_redis_away_until", time.monotonic())
    assert ask(of_endpoint=1) is None
    assert "again" in caplog.text


@pytest.mark.parametrize("spoiled", ["a text", {"tokens": "x", "at": "y"}])
def test_a_redis_that_holds_something_else_refuses_nobody(redis, spoiled):
    if isinstance(spoiled, str):
        redis.set("signalbox:rate:e", spoiled)
    else:
        redis.hset("signalbox:rate:e", mapping=spoiled)
    assert ask(of_endpoint=1) is None


def test_a_flood_of_senders_does_not_fill_the_memory(monkeypatch):
    monkeypatch.setattr(limiter, "_redis_away_until", time.monotonic() + 1000)
    monkeypatch.setattr(limiter, "_MAX_OWN_BUCKETS", 10)
    for number in range(50):
        ask(f"192.0.2.{number}", of_address=1)
    assert len(limiter._own) == 10
    assert ask("192.0.2.49", of_address=1) is not None
    assert ask("192.0.2.0", of_address=1) is None
