"""A claim is kept while a long step of work goes on, and no longer."""

import threading

import pytest
from django.db import OperationalError

from config.leases import renewing
from tests.waiting import wait_until


def test_the_lease_is_renewed_while_the_work_goes_on_and_never_after():
    renewals = []
    with renewing(lambda: renewals.append(threading.current_thread().name), every_s=0.01):
        wait_until(lambda: len(renewals) >= 3)
    ended_with = len(renewals)
    assert threading.current_thread().name not in renewals
    assert not any(thread.name == "lease" for thread in threading.enumerate())
    assert len(renewals) == ended_with


def test_a_database_that_is_away_is_asked_again():
    asked = []

    def renew():
        asked.append(1)
        raise OperationalError("the database does not answer")

    with renewing(renew, every_s=0.01):
        wait_until(lambda: len(asked) >= 2)


def test_work_that_fails_ends_the_renewals():
    with pytest.raises(RuntimeError), renewing(lambda: None, every_s=0.01):
        raise RuntimeError
    assert not any(thread.name == "lease" for thread in threading.enumerate())
