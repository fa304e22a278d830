"""The statements of a claim: what there is to do, and taking it. Two for most claims, since every one of them is time
between a change and its request."""

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import connection
from django.utils import timezone

from config.clocks import clock_sql
from config.queues import LEASE_S
from webhooks.lanes import GUARDED_SQL
from webhooks.models import Destination, WebhookJob

# One claim looks at so many lanes; the next claim goes on behind them.
LANES_PER_CLAIM: Final = 32


@dataclass(frozen=True, slots=True)
class ClaimedJob:
    """What is needed to send a job and to record what came of it. `attempts` counts the one to come."""

    id: str
    webhook_id: str | None
    method: str
    url: str
    headers: list[list[str]]
    body: str
    timeout_s: int
    max_redirects: int
    lane: str
    attempts: int
    manual_attempts: int
    interruptions: int
    policy: dict[str, Any]
    created_at: datetime
    depth: int = 0
    # webhooks.binding.Credentials as JSON; None for jobs that need no secrets.
    credentials: dict[str, Any] | None = None

    @property
    def tries(self) -> int:
        """Automatic attempts, this one included."""
        return self.attempts - self.manual_attempts - self.interruptions


@dataclass(frozen=True, slots=True)
class Look:
    """`lanes` have pending jobs; those of them that are `guarded` have limits or a circuit that is not closed.

    `now` is by the clock that all workers share.
    """

    lanes: Sequence[str]
    guarded: Sequence[str]
    now: datetime


def look_for_work(after_lane: str = "") -> Look | None:
    """The lanes that have pending jobs, those behind `after_lane` first; None when there are none."""
    rows = _hop(after_lane)
    if after_lane and len(rows) < LANES_PER_CLAIM:
        seen = {lane for lane, _, _ in rows}
        rows += [row for row in _hop("") if row[0] not in seen]
    if not rows:
        return None
    rows = rows[:LANES_PER_CLAIM]
    now = rows[0][2] if isinstance(rows[0][2], datetime) else timezone.now()
    return Look([lane for lane, _, _ in rows], [lane for lane, guarded, _ in rows if guarded], now)


def _hop(after_lane: str) -> list[tuple[str, bool, datetime | None]]:
    """(lane, guarded, time) by hops through the index: its cost follows the lanes, not the jobs.

    Source of the scheme: https://wiki.postgresql.org/wiki/Loose_indexscan
    """
    jobs, destinations = WebhookJob._meta.db_table, Destination._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH RECURSIVE hop(lane) AS (
                SELECT MIN(lane) FROM {jobs} WHERE status = 'pending' AND lane > %s
                UNION ALL
                SELECT (SELECT MIN(lane) FROM {jobs} WHERE status = 'pending' AND lane > hop.lane)
                FROM hop WHERE hop.lane IS NOT NULL
            )
            SELECT lane,
                   EXISTS (SELECT 1 FROM {destinations} d WHERE d.lane = hop.lane AND ({GUARDED_SQL})),
                   {clock_sql()}
            FROM hop WHERE lane IS NOT NULL LIMIT %s
            """,  # noqa: S608  (what is put in are names of tables and a constant)
            [after_lane, LANES_PER_CLAIM],
        )
        return cursor.fetchall()  # type: ignore[no-any-return]


def take_jobs(lane: str, limit: int, *, token: uuid.UUID, now: datetime) -> list[ClaimedJob]:
    """Mark up to `limit` due jobs of a lane as being sent under this lease, and give them, oldest first.

    Jobs in order wait for an earlier one of the same webhook and record.
    """
    jobs = WebhookJob._meta.db_table
    lock = "FOR UPDATE SKIP LOCKED" if connection.features.has_select_for_update_skip_locked else ""
    due_at, lease, until = _written(
        ("next_attempt_at", now),
        ("lease_token", token),
        ("lease_until", now + timedelta(seconds=LEASE_S)),
    )
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH due AS (
                SELECT job.id FROM {jobs} job
                WHERE job.status = 'pending' AND job.lane = %s AND job.next_attempt_at <= %s
                  AND (job.order_key IS NULL OR NOT EXISTS (
                      SELECT 1 FROM {jobs} earlier
                      WHERE earlier.status IN ('pending', 'sending')
                        AND earlier.order_key = job.order_key AND earlier.id < job.id))
                ORDER BY job.next_attempt_at LIMIT %s {lock}
            )
            UPDATE {jobs} SET status = 'sending', attempts = attempts + 1, lease_token = %s, lease_until = %s
            WHERE id IN (SELECT id FROM due)
            RETURNING next_attempt_at, {", ".join(_COLUMNS)}
            """,  # noqa: S608
            [lane, due_at, limit, lease, until],
        )
        rows = sorted(cursor.fetchall(), key=lambda row: row[:2])
    readers = _readers()
    return [
        ClaimedJob(*(read(value) for read, value in zip(readers, row[1:], strict=True)))
        for row in rows
    ]


# The columns of the table are named as the fields of a claimed job.
_COLUMNS: Final = tuple(field.name for field in fields(ClaimedJob))


def _written(*values: tuple[str, Any]) -> list[Any]:
    """Values as this database takes them."""
    return [
        WebhookJob._meta.get_field(name).get_db_prep_save(value, connection)  # type: ignore[union-attr]
        for name, value in values
    ]


def _readers() -> list[Callable[[Any], Any]]:
    """How this database's values are read, column by column: what the ORM does with them."""
    by_column = {field.column: field for field in WebhookJob._meta.concrete_fields}
    return [_reader_of(by_column[column]) for column in _COLUMNS]


def _reader_of(field: Any) -> Callable[[Any], Any]:
    expression = field.get_col(WebhookJob._meta.db_table)
    converters = [
        *connection.ops.get_db_converters(expression),
        *expression.get_db_converters(connection),
    ]

    def read(value: Any) -> Any:
        for convert in converters:
            value = convert(value, expression, connection)
        return value

    return read
