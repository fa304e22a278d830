"""The clock that all workers share, and whether it can be believed just now."""

import time
from datetime import datetime, timedelta
from typing import Final

from django.db import connection
from django.utils import timezone

from config.queues import LEASE_RENEWAL_S, LEASE_S

# Living workers renew their leases within this time, once the database answers again.
GRACE_S: Final = 1.5 * LEASE_RENEWAL_S
# When the database did not answer for so long, the leases of living workers may have run out.
LONGEST_SILENCE_S: Final = LEASE_S - GRACE_S
# Clocks that are slewed by a time server go wrong by less than this from one sweep to the next.
_JUMP_S: Final = 1.5


def shared_now() -> datetime:
    """The time by the database's clock. Leases and due times go by it, however wrong a machine's clock is.

    SQLite has no clock of its own, and all its workers are on one machine.
    """
    if connection.vendor != "postgresql":
        return timezone.now()
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        moment: datetime = cursor.fetchone()[0]
    return moment


def clock_sql() -> str:
    """The same clock within a statement, so that asking for the time costs none of its own; NULL where the database
    has no clock."""
    return "clock_timestamp()" if connection.vendor == "postgresql" else "NULL"


class ClockWatch:
    """Looks at the shared clock in every sweep, beside this process's own that only ever counts on.

    `is_steady`: for a while the database has answered and its clock has gone as it should, so that a lease
    that ran out means a dead worker. `may_have_been_set`: in the last look the clock had jumped, or nobody
    knows what it did before.
    """

    def __init__(self) -> None:
        self._last: tuple[datetime, float] | None = None
        self._steady_since = 0.0
        self.is_steady = False
        self.may_have_been_set = True

    def look(self, now: datetime, ticks_s: float | None = None) -> None:
        """`now`: the shared clock's; `ticks_s`: `time.monotonic()`, unless a test says otherwise."""
        ticks_s = time.monotonic() if ticks_s is None else ticks_s
        was_silent = self.may_have_been_set = True
        if self._last is not None:
            passed_s = ticks_s - self._last[1]
            was_silent = passed_s > LONGEST_SILENCE_S
            off = now - self._last[0] - timedelta(seconds=passed_s)
            self.may_have_been_set = abs(off.total_seconds()) > _JUMP_S
        if was_silent or self.may_have_been_set:
            self._steady_since = ticks_s
        self._last = (now, ticks_s)
        self.is_steady = ticks_s - self._steady_since >= GRACE_S
