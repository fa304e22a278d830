"""Claims of runs. A claim is a lease: a run says who advances it, and until when that holds.

Between claim and commit a worker does nothing but work on the database, so a lease needs no renewal: a batch is
small, and what takes longer is given back.
"""

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db import connection, transaction
from django.db.models import F, Q

from automations.failures import settle_finished
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


@dataclass(frozen=True, slots=True)
class Claim:
    """What was claimed. `last`: the automation behind which the next claim goes on."""

    runs: Sequence[str] = ()
    last: str = ""


def claim_runs(*, token: uuid.UUID, limit: int, after: str = "") -> Claim:
    """Claim up to `limit` ready runs, shared fairly over their automations.

    Automations behind `after` come first, so that with more of them than one claim looks at each gets its turn.
    """
    with transaction.atomic():
        for automations in _groups_with_work(after):
            claim = _take_shares(automations, limit)
            if claim.runs:
                Run.objects.filter(pk__in=claim.runs).update(
                    status=RunStatus.RUNNING,
                    lease_token=token,
                    lease_until=shared_now() + timedelta(seconds=LEASE_S),
                )
                return claim
    return Claim()


def held_by(token: uuid.UUID) -> RunQuerySet:
    return Run.objects.filter(status=RunStatus.RUNNING, lease_token=token)


def release_runs(token: uuid.UUID) -> None:
    """Give back what was claimed and not advanced: as if it had never been claimed."""
    held_by(token).update(status=RunStatus.PENDING, lease_token=None, lease_until=None)


def free_lapsed_runs() -> int:
    """Put back the runs of dead workers. Nothing of what they had begun is in the database. How many."""
    now = shared_now()
    with transaction.atomic():
        found = _lapsed(now).select_related("automation", "version").defer("version__document")
        lapsed = list(found.select_for_update(of=("self",), skip_locked=True)[:500])
        hopeless = [run for run in lapsed if run.interruptions + 1 >= MAX_INTERRUPTIONS]
        runs = Run.objects.filter(pk__in=[run.pk for run in lapsed])
        runs.update(
            status=RunStatus.PENDING,
            interruptions=F("interruptions") + 1,
            lease_token=None,
            lease_until=None,
        )
        for run in hopeless:
            _give_up(run, now)
        settle_finished(hopeless)
    return len(lapsed)


def _give_up(run: Run, now: datetime) -> None:
    run.status, run.reason = RunStatus.FAILED, INTERRUPTED
    run.error = {"message": INTERRUPTED, "kind": "interrupted", "step": "", "path": "", "field": ""}
    run.finished_at, run.due_at = now, None
    run.save(update_fields=["status", "reason", "error", "finished_at", "due_at"])


def wake_waiting(now: datetime) -> int:
    """Runs whose time has come are ready. How many."""
    return Run.objects.waited_enough(now).order_by().update(status=RunStatus.PENDING, due_at=now)


def wake_orphans(now: datetime) -> int:
    """Runs whose job was deleted are ready: their step says so. How many."""
    orphans = Run.objects.filter(
        status=RunStatus.WAITING, due_at__isnull=True, waiting_job__isnull=True
    )
    return orphans.update(status=RunStatus.PENDING, due_at=now)


def _lapsed(now: datetime) -> RunQuerySet:
    """Also leases that end absurdly far ahead: a clock that jumped back must not freeze a run."""
    absurd = now + timedelta(seconds=10 * LEASE_S)
    return Run.objects.filter(
        Q(lease_until__lt=now) | Q(lease_until__gt=absurd), status=RunStatus.RUNNING
    )


def _groups_with_work(after: str) -> Iterator[list[str]]:
    """Once round all automations that have ready runs, so many at a time. A second group is asked for only where
    all runs of the first have to wait for earlier ones."""
    seen: set[str] = set()
    while group := [each for each in _automations_with_work(after) if each not in seen]:
        yield group
        seen.update(group)
        after = group[-1]


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


def _take_shares(automations: Sequence[str], limit: int) -> Claim:
    """An equal share of `limit` from each; what some leave over goes to those that have more."""
    taken: list[str] = []
    served: set[str] = set()
    hungry = list(automations)
    while hungry and len(taken) < limit:
        share = -(-(limit - len(taken)) // len(hungry))
        still_hungry = []
        for automation in hungry:
            runs = _take(automation, min(share, limit - len(taken)), taken)
            taken += runs
            if runs:
                served.add(automation)
            if len(runs) == share:
                still_hungry.append(automation)
        hungry = still_hungry
    return Claim(taken, next((each for each in reversed(automations) if each in served), ""))


def _take(automation: str, limit: int, taken: Sequence[str]) -> list[str]:
    if limit <= 0:
        return []
    ready = Run.objects.ready().filter(automation=automation).exclude(pk__in=taken).unblocked()
    return list(
        ready.order_by("due_at", "pk")
        .select_for_update(skip_locked=True)
        .values_list("pk", flat=True)[:limit]
    )
