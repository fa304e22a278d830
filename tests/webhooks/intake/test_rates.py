"""A bucket fills steadily; each request takes one from it."""

import pytest

from webhooks.intake.rates import Bucket, sender_of, take


@pytest.mark.parametrize(
    ("bucket", "now", "after", "wait_s"),
    [
        (None, 100, Bucket(9, 100), None),
        (Bucket(5, 100), 100, Bucket(4, 100), None),
        (Bucket(0, 100), 101, Bucket(0, 101), None),
        (Bucket(0, 100), 100.25, Bucket(0.25, 100.25), 0.75),
        (Bucket(0, 100), 10_000, Bucket(9, 10_000), None),
        (Bucket(0, 100), 50, Bucket(0, 50), 1),
    ],
)
def test_one_a_second_and_ten_at_once(bucket, now, after, wait_s):
    assert take(bucket, now, rate_per_min=60, burst=10) == (after, wait_s)


def test_who_waits_as_told_is_let_in():
    bucket, now = None, 0.0
    for _ in range(50):
        bucket, wait_s = take(bucket, now, rate_per_min=7, burst=3)
        if wait_s is not None:
            now += wait_s + 1e-9
            bucket, wait_s = take(bucket, now, rate_per_min=7, burst=3)
            assert wait_s is None


@pytest.mark.parametrize(
    ("address", "sender"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("unix:", "unix:"),
        ("x" * 100, "x" * 60),
    ],
)
def test_a_sender_is_an_address_or_a_network_of_ipv6(address, sender):
    assert sender_of(address) == sender
