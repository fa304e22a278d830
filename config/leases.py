"""Keeping a claim while one long step of work goes on."""

import contextlib
import threading
from collections.abc import Callable, Iterator

from django.db import Error as DatabaseTrouble
from django.db import connection

from config.queues import LEASE_RENEWAL_S


@contextlib.contextmanager
def renewing(renew: Callable[[], object], *, every_s: float = LEASE_RENEWAL_S) -> Iterator[None]:
    """While the block runs, `renew()` is called now and then, in a thread with a database connection of its own.

    When the block has ended, no call is going on and none will come: what is written then, stays. A database that
    is away is asked again; if it takes too long, the lease runs out, as with a process that dies.
    """
    done = threading.Event()

    def keep() -> None:
        while not done.wait(every_s):
            try:
                renew()
            except DatabaseTrouble:
                with contextlib.suppress(DatabaseTrouble):
                    connection.close()
        connection.close()

    keeper = threading.Thread(target=keep, name="lease", daemon=True)
    keeper.start()
    try:
        yield
    finally:
        done.set()
        keeper.join()
