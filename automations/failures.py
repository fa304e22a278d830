"""The error path: what the end of a run means for its automation, its record and the people concerned."""

from collections import Counter
from collections.abc import Sequence

from django.db.models import F

from automations.models import Automation, Run, RunStatus


def settle_finished(runs: Sequence[Run]) -> None:
    """Call it in the transaction that ends the runs."""
    failed = [run for run in runs if run.status == RunStatus.FAILED]
    succeeded = {run.automation_id for run in runs if run.status == RunStatus.SUCCEEDED}
    if succeeded:
        Automation.objects.filter(pk__in=succeeded, failures_in_a_row__gt=0).update(
            failures_in_a_row=0
        )
    for automation, count in Counter(run.automation_id for run in failed).items():
        Automation.objects.filter(pk=automation).update(
            failures_in_a_row=F("failures_in_a_row") + count
        )
