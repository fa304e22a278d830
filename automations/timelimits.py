"""Database work that a person waits for: cut off after some seconds, also in the middle of a statement."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, Final

from django.db import OperationalError, connection

# How long a row that somebody else is changing is waited for.
_LOCK_S: Final = 1.0
# SQLite asks after so many of its instructions whether to go on: well under a millisecond.
_INSTRUCTIONS: Final = 20_000
# How a block that has failed is left.
_ALWAYS_ALLOWED: Final = ("ROLLBACK", "RELEASE", "SAVEPOINT")


class OutOfTime(OperationalError):
    """It takes longer than it may."""


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """Inside of a transaction: no statement begins after so many seconds, and the one that runs then is stopped.

    Raises OperationalError, of which OutOfTime is one kind.
    """
    until = time.monotonic() + seconds

    def guard(execute: Callable[..., Any], sql: str, *args: Any) -> Any:
        if time.monotonic() > until and not sql.startswith(_ALWAYS_ALLOWED):
            raise OutOfTime(f"More than {seconds:g} s")
        return execute(sql, *args)

    with ExitStack() as stack:
        if connection.vendor == "postgresql":
            _limit_statements(seconds)
        else:
            stack.enter_context(_interrupting(until))
        stack.enter_context(connection.execute_wrapper(guard))
        yield


def _limit_statements(seconds: float) -> None:
    """Until the end of the transaction, or of the savepoint that is rolled back."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('statement_timeout', %s, true)", [_ms(seconds)])
        cursor.execute("SELECT set_config('lock_timeout', %s, true)", [_ms(min(_LOCK_S, seconds))])


def _ms(seconds: float) -> str:
    return str(max(1, round(seconds * 1000)))


@contextmanager
def _interrupting(until: float) -> Iterator[None]:
    connection.ensure_connection()
    database = connection.connection
    database.set_progress_handler(lambda: int(time.monotonic() > until), _INSTRUCTIONS)
    try:
        yield
    finally:
        database.set_progress_handler(None, 0)
