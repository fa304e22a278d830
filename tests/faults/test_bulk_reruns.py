"""Workers killed in the middle of a bulk retry of runs: each run is tried again, and none of them twice."""

from pathlib import Path

import pytest
from django.utils import timezone

from automations.bulk_reruns import start_bulk_rerun
from automations.history import RunsQuery
from automations.models import Run
from tests.automations.making import step
from tests.automations.runs_at_hand import an_automation
from tests.faults.conftest import Spawn
from tests.waiting import wait_until

pytestmark = [pytest.mark.faults, pytest.mark.django_db(transaction=True)]

LEASE = ("--lease", "1.6")
RUNS = 250
ERROR = {"step": "s1", "path": "s1", "cursor": [{"block": "", "index": 0}], "message": "No."}


@pytest.mark.parametrize("moment", ["rerun:before-commit:2", "rerun:after-commit:2"])
def test_a_killed_worker_retries_no_run_twice_and_forgets_none(
    spawn_flawed: Spawn, tmp_path: Path, moment: str
) -> None:
    version = an_automation("Score", step("set_variables", "s1", variables={"a": "1"}))
    now = timezone.now()
    Run.objects.bulk_create(
        Run(
            automation_id=version.automation_id,
            version=version,
            event_name="record.created",
            status="failed",
            error=ERROR,
            created_at=now,
            finished_at=now,
        )
        for _ in range(RUNS)
    )
    bulk = start_bulk_rerun(query=RunsQuery(), actor=None)
    death = tmp_path / "death"
    victim = spawn_flawed(*LEASE, "--die-at", moment, wait=False)
    spawn_flawed(*LEASE, "--after", str(death), wait=False)
    wait_until(lambda: not victim.is_running(), what="The worker's death")
    assert victim.process.returncode == -9, victim.output()
    death.touch()

    def is_over() -> bool:
        bulk.refresh_from_db()
        return not bulk.is_running and not Run.objects.open().exists()

    wait_until(is_over, timeout_s=40, what="The end of the bulk retry")
    assert (bulk.total, bulk.done, bulk.left) == (RUNS, RUNS, 0)
    retries = Run.objects.filter(retry_of__isnull=False)
    assert retries.count() == retries.values("retry_of").distinct().count() == RUNS
    assert set(retries.values_list("status", flat=True)) == {"succeeded"}
