"""A sender that keeps us waiting finds the line cut, and others do not."""

import socket
import time

import pytest

from webhooks.intake.patience import watch


@pytest.fixture
def pair():
    ours, theirs = socket.socketpair()
    ours.settimeout(10)  # a test that fails does not hang
    with ours, theirs:
        yield ours, theirs


def test_who_waits_for_a_late_sender_sees_the_end(pair):
    ours, theirs = pair
    with watch(ours, for_s=0.1) as watched:
        theirs.send(b"a")
        assert ours.recv(10) == b"a"
        began = time.monotonic()
        assert ours.recv(10) == b""
        assert time.monotonic() - began < 5
    assert watched.ran_out
    ours.send(b"an answer")
    assert theirs.recv(100) == b"an answer"


def test_who_is_in_time_is_left_alone(pair):
    ours, theirs = pair
    with watch(ours, for_s=0.05) as watched:
        pass
    time.sleep(0.1)
    theirs.send(b"later")
    assert ours.recv(10) == b"later"
    assert not watched.ran_out


def test_an_earlier_deadline_is_not_kept_waiting_by_a_later_one(pair):
    ours, _ = pair
    other, peer = socket.socketpair()
    with other, peer, watch(other, for_s=60) as patient, watch(ours, for_s=0.1) as watched:
        assert ours.recv(10) == b""
        assert watched.ran_out
        assert not patient.ran_out


def test_a_socket_that_is_closed_harms_nobody(pair):
    ours, _ = pair
    gone, peer = socket.socketpair()
    with peer, watch(gone, for_s=0.05), watch(ours, for_s=0.1) as watched:
        gone.close()
        assert ours.recv(10) == b""
    assert watched.ran_out
