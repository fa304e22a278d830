"""Connections that wait for their next request: few, not for long, the oldest given up first."""

import queue
import threading
from collections import OrderedDict, deque
from time import monotonic
from typing import Protocol

# Receivers commonly close an idle connection after 5 to 75 s; one closed at the moment it is used
# is a failed delivery, so we are the first to let go.
IDLE_S = 15.0


class Idle(Protocol):
    expires_at: float  # monotonic clock

    @property
    def is_connected(self) -> bool: ...

    def close(self) -> None: ...


class IdleConnections:
    """Every idle connection of a transport, bounded for each origin and in all. Thread-safe."""

    def __init__(self, *, per_origin: int, total: int) -> None:
        self._per_origin = per_origin
        self._total = total
        self._lock = threading.Lock()
        self._shelves: dict[IdleShelf, deque[Idle]] = {}
        self._order: OrderedDict[Idle, IdleShelf] = OrderedDict()
        self._closed = False

    def __len__(self) -> int:
        return len(self._order)

    def take(self, shelf: "IdleShelf") -> Idle | None:
        """The latest connection of this shelf."""
        with self._lock:
            stack = self._shelves.get(shelf)
            if stack is None:
                return None
            connection = stack.pop()
            if not stack:
                del self._shelves[shelf]
            del self._order[connection]
            return connection

    def give(self, shelf: "IdleShelf", connection: Idle) -> None:
        victim: Idle | None = None
        with self._lock:
            stack = self._shelves.get(shelf)
            if self._closed:
                victim = connection
            elif stack is not None and len(stack) >= self._per_origin:
                victim = stack[0]
                self._remove(victim)
            elif len(self._order) >= self._total:
                victim = next(iter(self._order))
                self._remove(victim)
            if victim is not connection:
                # Only now: the removal may have taken an emptied shelf away.
                self._shelves.setdefault(shelf, deque()).append(connection)
                self._order[connection] = shelf
        if victim is not None:
            victim.close()

    def sweep(self) -> None:
        """Close what has waited too long."""
        now = monotonic()
        with self._lock:
            expired = [c for c in self._order if c.expires_at <= now]
            for connection in expired:
                self._remove(connection)
        for connection in expired:
            connection.close()

    def close(self) -> None:
        """Close all, and from now on whatever is given."""
        with self._lock:
            self._closed = True
            connections = list(self._order)
            self._order.clear()
            self._shelves.clear()
        for connection in connections:
            connection.close()

    def _remove(self, connection: Idle) -> None:
        shelf = self._order.pop(connection)
        stack = self._shelves[shelf]
        stack.remove(connection)
        if not stack:
            del self._shelves[shelf]


class IdleShelf:
    """The connections of one origin."""

    def __init__(self, idle: IdleConnections) -> None:
        self._idle = idle

    def take(self) -> Idle | None:
        return self._idle.take(self)

    def put(self, connection: Idle | None) -> None:
        if connection is not None:  # urllib3 begins by filling a pool with None
            self._idle.give(self, connection)

    def get(self, block: bool = False) -> Idle:
        """As urllib3 empties the queue of a pool that nobody uses any more."""
        connection = self.take()
        if connection is None:
            raise queue.Empty
        return connection
