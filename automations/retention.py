"""How long runs are kept. What succeeded never pushes out what failed: each has an age of its own. Runs that did not
fire are kept by their number, the newest of each automation, so that “why not?” is answered for quiet automations too.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Final

from django.conf import settings
from django.db.models import Exists, OuterRef, Q

from automations.models import BulkRerun, Run, RunStatus
from webhooks.retention_rules import Rule, add_rules, delete_rows

_ENDED_WELL: Final = (RunStatus.SUCCEEDED, RunStatus.HALTED, RunStatus.CANCELLED)


def _ended(*statuses: RunStatus) -> Callable[[datetime], Q]:
    def ended_before(old: datetime) -> Q:
        return Q(status__in=statuses, finished_at__lt=old)

    return ended_before


def _has_enough_newer(old: datetime) -> Q:
    """There are as many newer ones of the same automation as are kept."""
    kept = settings.RETENTION_RUNS_NOT_FIRED
    newer = Run.objects.filter(
        automation=OuterRef("automation"), status=RunStatus.SKIPPED, pk__gt=OuterRef("pk")
    )
    return Q(Exists(newer.order_by("-pk")[kept - 1 : kept]))


add_rules(
    Rule(
        name="runs_succeeded",
        label="Runs that succeeded, were halted or cancelled, with their steps",
        setting="RETENTION_RUNS_SUCCEEDED_DAYS",
        prefix="run",
        rows=Run.objects.all,
        which=_ended(*_ENDED_WELL),
        clean=delete_rows(Run),
    ),
    Rule(
        name="runs_failed",
        label="Runs that failed, with their steps",
        setting="RETENTION_RUNS_FAILED_DAYS",
        prefix="run",
        rows=lambda: Run.objects.filter(status=RunStatus.FAILED),
        which=_ended(RunStatus.FAILED),
        clean=delete_rows(Run),
    ),
    Rule(
        name="runs_not_fired",
        label="Automations that did not fire, and why",
        setting="RETENTION_RUNS_NOT_FIRED",
        prefix="run",
        rows=lambda: Run.objects.filter(status=RunStatus.SKIPPED),
        which=_has_enough_newer,
        clean=delete_rows(Run),
        counts="of each",
    ),
    Rule(
        name="bulk_reruns",
        label="Bulk retries of runs that have ended",
        setting="RETENTION_RUNS_FAILED_DAYS",
        prefix="rerun",
        rows=BulkRerun.objects.all,
        which=lambda old: Q(finished_at__lt=old),
        clean=delete_rows(BulkRerun),
    ),
)
