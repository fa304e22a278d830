"""Threads that want something stored at the same moment share the work, and each gets what came of its own."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from config.groupcommit import GroupCommit


class Recorder:
    """Doubles numbers, and remembers in which batches they came. It works only while the gate is open."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.began = threading.Event()
        self.gate = threading.Event()
        self.gate.set()

    def work(self, numbers: Sequence[int]) -> list[int | Exception]:
        self.batches.append(list(numbers))
        self.began.set()
        assert self.gate.wait(10)
        return [ValueError(f"{number} is odd") if number % 2 else number * 2 for number in numbers]


def all_behind(first: int, others: Sequence[int], limit: int) -> Recorder:
    """`first` is being worked on while all others come."""
    recorder = Recorder()
    together = GroupCommit(recorder.work, limit=limit)
    recorder.gate.clear()
    with ThreadPoolExecutor(len(others) + 1) as pool:
        results = [pool.submit(together.do, first)]
        assert recorder.began.wait(10)
        for count, number in enumerate(others, start=1):
            results.append(pool.submit(together.do, number))
            wait_for(lambda count=count: len(together._waiting) == count)
        recorder.gate.set()
        assert [result.result(10) for result in results] == [n * 2 for n in (first, *others)]
    return recorder


def wait_for(condition: Callable[[], bool]) -> None:
    pause = threading.Event()
    for _ in range(2_000):
        if condition():
            return
        pause.wait(0.005)
    raise AssertionError("It did not come about.")


def test_one_alone_does_not_wait() -> None:
    recorder = Recorder()
    together = GroupCommit(recorder.work, limit=8)
    assert [together.do(2), together.do(4)] == [4, 8]
    assert recorder.batches == [[2], [4]]


def test_those_who_come_meanwhile_are_done_together() -> None:
    assert all_behind(2, [4, 6, 8], limit=8).batches == [[2], [4, 6, 8]]


def test_a_batch_has_its_limit_and_the_rest_is_the_next() -> None:
    assert all_behind(2, [4, 6, 8, 10, 12], limit=2).batches == [[2], [4, 6], [8, 10], [12]]


def test_an_exception_is_for_its_own_item_alone() -> None:
    recorder = Recorder()
    together = GroupCommit(recorder.work, limit=8)
    recorder.gate.clear()
    with ThreadPoolExecutor(4) as pool:
        results = [pool.submit(together.do, 2)]
        assert recorder.began.wait(10)
        results += [pool.submit(together.do, number) for number in (3, 4, 6)]
        wait_for(lambda: len(together._waiting) == 3)
        recorder.gate.set()
        with pytest.raises(ValueError, match="3 is odd"):
            results[1].result(10)
        assert [results[place].result(10) for place in (0, 2, 3)] == [4, 8, 12]


@pytest.mark.parametrize("error", [RuntimeError("no"), SystemExit(1)])
def test_work_that_fails_as_a_whole_leaves_nobody_waiting(error: BaseException) -> None:
    calls = 0

    def work(numbers: Sequence[int]) -> list[int | Exception]:
        nonlocal calls
        calls += 1
        if calls == 1:
            raise error
        return list(numbers)

    together = GroupCommit(work, limit=8)
    with pytest.raises(type(error)):
        together.do(1)
    assert together.do(2) == 2


def test_work_that_forgets_an_item_leaves_nobody_waiting() -> None:
    results: list[list[int | Exception]] = [[], [4]]
    together = GroupCommit[int, int](lambda numbers: results.pop(0), limit=8)
    with pytest.raises(RuntimeError, match="0 results came of 1 items"):
        together.do(1)
    assert together.do(2) == 4


def test_many_threads_each_get_their_own_and_everything_is_done_once() -> None:
    recorder = Recorder()
    together = GroupCommit(recorder.work, limit=5)
    numbers = range(0, 4_000, 2)
    with ThreadPoolExecutor(16) as pool:
        assert list(pool.map(together.do, numbers)) == [number * 2 for number in numbers]
    done = [number for batch in recorder.batches for number in batch]
    assert sorted(done) == list(numbers)
    assert max(map(len, recorder.batches)) <= 5
