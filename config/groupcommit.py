"""Group commit: what several threads want stored at the same moment goes into one transaction.

Whoever comes first works, for itself; who comes while it works waits, and the first of those works for all of them.
So nobody waits when there is little to do, and the more there is, the less each item costs. No thread of its own is
needed, and no item waits for more than the batch before its own.

Source of the scheme: DeWitt et al., "Implementation Techniques for Main Memory Database Systems" (SIGMOD 1984).
"""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(slots=True, eq=False)
class _Ticket(Generic[Item, Result]):
    """One thread's item. `turn` is set once its outcome is there, or once it is the one that works."""

    item: Item
    turn: threading.Event = field(default_factory=threading.Event)
    outcome: Result | BaseException | None = None
    is_done: bool = False


class GroupCommit(Generic[Item, Result]):
    """`do(item)` from any thread. `work` gets up to `limit` items and has to return the result of each, in their
    order; in the place of a result there may be an exception, which is raised for that item alone."""

    def __init__(
        self, work: Callable[[Sequence[Item]], Sequence[Result | Exception]], *, limit: int
    ) -> None:
        self._work = work
        self._limit = limit
        self._lock = threading.Lock()
        self._waiting: deque[_Ticket[Item, Result]] = deque()
        self._is_busy = False

    def do(self, item: Item) -> Result:
        ticket = _Ticket[Item, Result](item)
        with self._lock:
            self._waiting.append(ticket)
            works = not self._is_busy
            self._is_busy = True
        if not works:
            ticket.turn.wait()
        if not ticket.is_done:
            self._work_off()
        if isinstance(ticket.outcome, BaseException):
            raise ticket.outcome
        return ticket.outcome  # type: ignore[return-value]  # it is done

    def _work_off(self) -> None:
        """One batch, whose first item is this thread's own. Then the next one's thread has its turn."""
        with self._lock:
            batch = [self._waiting.popleft() for _ in range(min(self._limit, len(self._waiting)))]
        outcomes: Sequence[Result | BaseException]
        try:
            outcomes = self._work([ticket.item for ticket in batch])
            if len(outcomes) != len(batch):
                raise RuntimeError(f"{len(outcomes)} results came of {len(batch)} items.")
        except BaseException as error:  # noqa: BLE001  (also what ends this thread: the others must not wait)
            outcomes = [error] * len(batch)
        for ticket, outcome in zip(batch, outcomes, strict=True):
            ticket.outcome, ticket.is_done = outcome, True
            ticket.turn.set()
        with self._lock:
            self._is_busy = bool(self._waiting)
            if self._waiting:
                self._waiting[0].turn.set()
