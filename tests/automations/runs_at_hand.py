"""Runs for tests, as the engine would have left them."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.utils import timezone

from automations.models import Automation, AutomationVersion, Run, StepRun
from records.ids import decode, encode, new_id
from tests.automations.making import ON_CREATED


def an_automation(
    name: str = "Close deals", *steps: dict[str, Any], **document: Any
) -> AutomationVersion:
    """The version that its runs run."""
    automation = Automation.objects.create(name=name)
    return AutomationVersion.objects.create(
        automation=automation,
        number=1,
        document={"trigger": ON_CREATED, "steps": list(steps), **document},
        published_at=timezone.now(),
    )


def a_run(version: AutomationVersion | None = None, **values: Any) -> Run:
    version = version or AutomationVersion.objects.first() or an_automation()
    status = values.setdefault("status", "succeeded")
    now = timezone.now()
    given = {"event_name": "record.created", "created_at": now, "started_at": now}
    if status not in ("pending", "running", "waiting"):
        given["finished_at"] = now
    return Run.objects.create(
        automation_id=version.automation_id, version=version, **{**given, **values}
    )


def a_step(run: Run, path: str = "s1", **values: Any) -> StepRun:
    now = timezone.now()
    given = {
        "step_id": path.rpartition("/")[2].partition("[")[0],
        "type": "set_variables",
        "status": "succeeded",
        "started_at": now,
        "finished_at": None if values.get("status") == "waiting" else now,
    }
    return StepRun.objects.create(run=run, path=path, **{**given, **values})


def run_id_of_age(age: timedelta) -> str:
    """A run's id as one made so long ago would have it."""
    low = decode("run", new_id("run")).int & ((1 << 80) - 1)
    then = timezone.now() - age
    return encode("run", UUID(int=int(then.timestamp() * 1000) << 80 | low))
