"""Senders that keep us waiting: after a time their socket has nothing more to read. Pure of all but sockets.

A thread that waits in `recv` cannot be told that its time is up, and a timeout of the socket begins anew with each
byte that drips in. So one thread watches all waiting ones, and when a deadline passes it shuts the socket for reading:
whoever waits for it sees the end of the stream, and can still answer.
"""

import contextlib
import math
import socket
import threading
import time
from types import TracebackType
from typing import Final, Self


class Watch:
    """One socket that may be read until a deadline. `end` it, or leave it as a context manager."""

    def __init__(self, sock: socket.socket, *, until: float) -> None:
        self._socket = sock
        self.until = until
        self.ran_out = False

    def end(self) -> None:
        """From here on the socket is left alone."""
        with _condition:
            _watches.discard(self)

    def run_out(self) -> None:
        self.ran_out = True
        # Not the method of the socket: TLS's would take the encryption off what is still to be written.
        with contextlib.suppress(OSError, ValueError):
            socket.socket.shutdown(self._socket, socket.SHUT_RD)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.end()


_condition: Final = threading.Condition()
_watches: Final[set[Watch]] = set()
_watcher: threading.Thread | None = None
_wakes_at = math.inf


def watch(sock: socket.socket, *, for_s: float) -> Watch:
    """Shut a socket for reading after `for_s` seconds, unless the watch has ended by then."""
    global _watcher
    new = Watch(sock, until=time.monotonic() + for_s)
    with _condition:
        _watches.add(new)
        # Begun when it is needed: a thread does not live on in the processes that a server forks.
        if _watcher is None or not _watcher.is_alive():
            _watcher = threading.Thread(target=_keep_watch, name="patience", daemon=True)
            _watcher.start()
        elif new.until < _wakes_at:
            _condition.notify()
    return new


def _keep_watch() -> None:
    global _wakes_at
    with _condition:
        while True:
            now = time.monotonic()
            for late in [each for each in _watches if each.until <= now]:
                _watches.discard(late)
                late.run_out()
            _wakes_at = min((each.until for each in _watches), default=math.inf)
            _condition.wait(None if math.isinf(_wakes_at) else _wakes_at - now)
