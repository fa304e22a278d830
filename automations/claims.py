"""Claims of runs. A claim is a lease: a run says who advances it, and until when that holds.

Between claim and commit a worker does nothing but work on the database, so a lease needs no renewal: a batch is
small, and what takes longer is given back.
"""

import uuid
from datetime import datetime, timedelta
from typing import Final

from django.db import connection, transaction
from django.db.models import F, Q

from automations.models import Run, RunStatus
from automations.models.runs import RunQuerySet
from config.clocks import shared_now
from config.queues import LEASE_S

# One claim looks at so many automations; the next goes on behind them.
_AUTOMATIONS_PER_CLAIM: Final = 32
# A run that has seen so many workers die may be what kills them.
MAX_INTERRUPTIONS: Final = 10
INTERRUPTED: Final = (
    "The worker stopped in the middle of this run, ten times over. Whatever the steps had changed until then "
    "is undone to the last complete step; retry the run once the cause is found."
)


def claim_runs(*, token: uuid.UUID, limit: int, after: str = "") -> list[str]:
    """Claim up to `limit` ready runs, shared fairly over their automations. Their ids, oldest first.

    Automations behind `after` come first, so that with more of them than one claim looks at each gets its turn.
    """
    with transaction.atomic():
        automations = _automations_with_work(after)
        taken: list[str] = []
        while automations and len(taken) < limit:
            share = -(-(limit - len(taken)) // len(automations))
            hungry = []
            for automation in automations:
                runs = _take(automation, min(share, limit - len(taken)), taken)
                taken += runs
                if len(runs) == share:
                    hungry.append(automation)
            automations = hungry
        if taken:
            Run.objects.filter(pk__in=taken).update(
                status=RunStatus.RUNNING,
                lease_token=token,
                lease_until=shared_now() + timedelta(seconds=LEASE_S),
            )
    return taken


def held_by(token: uuid.UUID) -> RunQuerySet:
    return Run.objects.filter(status=RunStatus.RUNNING, lease_token=token)


def release_runs(token: uuid.UUID) -> None:
    """Give back what was claimed and not advanced: as if it had never been claimed."""
    held_by(token).update(status=RunStatus.PENDING, lease_token=None, lease_until=None)


def free_lapsed_runs() -> int:
    """Put back the runs of dead workers. Nothing of what they had begun is in the database. How many."""
    now = shared_now()
    with transaction.atomic():
        lapsed = list(
            _lapsed(now)
            .select_for_update(skip_locked=True)
            .values_list("pk", "interruptions")[:500]
        )
        hopeless = [pk for pk, interruptions in lapsed if interruptions + 1 >= MAX_INTERRUPTIONS]
        runs = Run.objects.filter(pk__in=[pk for pk, _ in lapsed])
        runs.update(interruptions=F("interruptions") + 1, lease_token=None, lease_until=None)
        runs.filter(pk__in=hopeless).update(
            status=RunStatus.FAILED,
            reason=INTERRUPTED,
            error={
                "message": INTERRUPTED,
                "kind": "interrupted",
                "step": "",
                "path": "",
                "field": "",
            },
            finished_at=now,
            due_at=None,
        )
        runs.exclude(pk__in=hopeless).update(status=RunStatus.PENDING)
    return len(lapsed)


def wake_waiting(now: datetime) -> int:
    """Runs whose time has come, or whose job has gone, are ready. How many."""
    waiting = Run.objects.filter(status=RunStatus.WAITING)
    return waiting.filter(
        Q(due_at__lte=now) | Q(due_at__isnull=True, waiting_job__isnull=True)
    ).update(status=RunStatus.PENDING, due_at=now)


def _lapsed(now: datetime) -> RunQuerySet:
    """Also leases that end absurdly far ahead: a clock that jumped back must not freeze a run."""
    absurd = now + timedelta(seconds=10 * LEASE_S)
    return Run.objects.filter(
        Q(lease_until__lt=now) | Q(lease_until__gt=absurd), status=RunStatus.RUNNING
    )


def _automations_with_work(after: str) -> list[str]:
    automations = _hop(after)
    if after and len(automations) < _AUTOMATIONS_PER_CLAIM:
        automations += [each for each in _hop("") if each not in automations]
    return automations[:_AUTOMATIONS_PER_CLAIM]


def _hop(after: str) -> list[str]:
    """The automations that have ready runs, by hops through the index: its cost follows them, not the runs.

    Source of the scheme: https://wiki.postgresql.org/wiki/Loose_indexscan
    """
    meta = Run._meta
    field = meta.get_field("automation").target_field
    smallest = f"""
        SELECT automation_id FROM {meta.db_table}
        WHERE status = 'pending' {{condition}} ORDER BY automation_id LIMIT 1
    """  # noqa: S608  (the only thing put in is the table's name)
    first = smallest.format(condition="AND automation_id > %s" if after else "")
    after_that = smallest.format(condition="AND automation_id > hop.automation")
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH RECURSIVE hop(automation) AS (
                SELECT * FROM ({first}) AS first_one
                UNION ALL
                SELECT ({after_that}) FROM hop WHERE hop.automation IS NOT NULL
            )
            SELECT automation FROM hop WHERE automation IS NOT NULL LIMIT %s
            """,  # noqa: S608
            [
                *([field.get_db_prep_value(after, connection)] if after else []),
                _AUTOMATIONS_PER_CLAIM,
            ],
        )
        return [_id_of(value) for (value,) in cursor.fetchall()]


def _id_of(value: uuid.UUID | str) -> str:
    """As the database gives it, back to the id."""
    found = value if isinstance(value, uuid.UUID) else uuid.UUID(hex=value)
    return str(Run._meta.get_field("automation").target_field.to_python(found))


def _take(automation: str, limit: int, taken: list[str]) -> list[str]:
    ready = Run.objects.ready().filter(automation=automation).exclude(pk__in=taken).unblocked()
    return list(
        ready.order_by("due_at", "pk")
        .select_for_update(skip_locked=True)
        .values_list("pk", flat=True)[:limit]
    )
