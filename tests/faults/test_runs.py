"""Workers killed while they run automations: no step is done twice, none is left out, and every run ends."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from automations.models import AutomationState, Run, StepRun
from automations.services import create_automation, publish, set_state
from records.models import FieldDefinition, ObjectDefinition, Record
from records.services import create_record
from tests.faults.conftest import Receiver, Spawn
from tests.faults.ledger import is_quiet
from tests.waiting import wait_until
from webhooks.models import WebhookJob

pytestmark = [pytest.mark.faults, pytest.mark.django_db(transaction=True)]

LEASE = ("--lease", "1.6")
RECORDS = 15
# What every run does, in this order; the loop's body twice.
PATHS = ["count", "note", "again[0]/add", "again[1]/add", "tell", "pause", "end"]

# After a claim: see the test of interruptions; all others come by chance.
MOMENTS = {
    "before the runs are committed with their events": "dispatch:before-commit",
    "when everything of a batch is done but the commit": "advance runs:before-commit",
    "right after a batch is committed": "advance runs:after-commit",
    "when the answers come in, before they wake the runs": "record:before-commit",
}


@pytest.fixture
def parcels(transactional_db: None, receiver: Receiver) -> ObjectDefinition:
    """Records with an automation that changes them, makes new ones, asks the receiver and waits a moment."""
    definition = ObjectDefinition.objects.create(slug="parcels", name="Parcel", plural="Parcels")
    notes = ObjectDefinition.objects.create(slug="notes", name="Note", plural="Notes")
    for owner, slug, kind in (
        (definition, "title", "text"),
        (definition, "seen", "number"),
        (definition, "added", "number"),
        (definition, "answer", "text"),
        (notes, "about", "text"),
    ):
        FieldDefinition.objects.create(object=owner, slug=slug, label=slug, kind=kind)
    _automation(definition, receiver)
    return definition


def _automation(definition: ObjectDefinition, receiver: Receiver) -> None:
    def change(step_id: str, field: str) -> dict[str, Any]:
        more = {field: f"{{{{ (record.{field} or 0) + 1 }}}}"}
        return {"id": step_id, "type": "update_record", "config": {"fields": more}}

    automation = create_automation(
        name="Everything",
        draft={
            "trigger": {
                "type": "event",
                "config": {"event": "record.created", "object": "parcels"},
            },
            "steps": [
                change("count", "seen"),
                {
                    "id": "note",
                    "type": "create_record",
                    "config": {
                        "object_definition_id": "notes",
                        "data": {"about": "{{ record.id }}"},
                    },
                },
                {
                    "id": "again",
                    "type": "for_each",
                    "config": {"list": "{{ [1, 2] }}", "steps": [change("add", "added")]},
                },
                {
                    "id": "tell",
                    "type": "webhook",
                    "config": {
                        "url": receiver.url,
                        "retry_delays_s": [1, 1],
                        "response": "text",
                        "store": [{"field": "answer", "value": "heard"}],
                    },
                },
                {"id": "pause", "type": "wait", "config": {"duration": 1, "unit": "seconds"}},
                {"id": "end", "type": "set_variables", "config": {"variables": {"done": True}}},
            ],
        },
    )
    publish(automation=automation)
    set_state(automation=automation, state=AutomationState.ACTIVE)


def create(definition: ObjectDefinition, count: int = RECORDS) -> None:
    for number in range(count):
        create_record(object_definition=definition, data={"title": f"no. {number}"})


def check(receiver: Receiver, *, count: int = RECORDS, timeout_s: float = 40) -> None:
    """Wait until every run has ended, then hold what is in the database against what had to happen."""
    wait_until(
        lambda: is_quiet() and Run.objects.exists() and not Run.objects.open().exists(),
        what="The end of all runs",
        timeout_s=timeout_s,
    )
    runs = list(Run.objects.all())
    assert len(runs) == count
    assert {run.status for run in runs} == {"succeeded"}, [(run.status, run.reason) for run in runs]
    for run in runs:
        paths = [step.path for step in StepRun.objects.filter(run=run) if step.type != "for_each"]
        assert paths == PATHS, f"{run.pk}: {paths}"
    assert not StepRun.objects.exclude(status="succeeded").exists()
    for record in Record.objects.filter(object__slug="parcels"):
        told = (record.data["seen"], record.data["added"], record.data["answer"])
        assert told == (1, 2, "heard"), record.data
    notes = Counter(note.data["about"] for note in Record.objects.filter(object__slug="notes"))
    assert set(notes.values()) == {1}
    assert len(notes) == count
    jobs = set(WebhookJob.objects.values_list("pk", flat=True))
    assert len(jobs) == count
    assert {str(arrival["job_id"]) for arrival in receiver.arrivals()} == jobs


@pytest.fixture
def die_and_inherit(spawn_flawed: Spawn, tmp_path: Path) -> Callable[[str], None]:
    """One worker dies at a moment; another, which has been waiting for that, takes over."""

    def play(moment: str) -> None:
        death = tmp_path / "death"
        victim = spawn_flawed(*LEASE, "--die-at", moment, wait=False)
        spawn_flawed(*LEASE, "--after", str(death), wait=False)
        wait_until(lambda: not victim.is_running(), what="The worker's death")
        assert victim.process.returncode == -9, victim.output()
        death.touch()

    return play


@pytest.mark.parametrize("moment", MOMENTS.values(), ids=MOMENTS.keys())
def test_a_killed_worker_repeats_no_step_and_skips_none(
    parcels: ObjectDefinition,
    receiver: Receiver,
    die_and_inherit: Callable[[str], None],
    moment: str,
) -> None:
    create(parcels)
    die_and_inherit(moment)
    check(receiver)


def test_two_workers_that_are_killed_at_any_moment_lose_nothing(
    parcels: ObjectDefinition, receiver: Receiver, spawn_flawed: Spawn, rng: Any
) -> None:
    """Deaths at chosen points of a random count, one worker after the other."""
    points = [
        "claim runs:before-commit",
        "claim runs:after-commit",
        "advance runs:before-commit",
        "advance runs:after-commit",
        "store runs:begin",
    ]
    create(parcels)
    for _ in range(3):
        victim = spawn_flawed(
            *LEASE, "--die-at", f"{rng.choice(points)}:{rng.randint(1, 3)}", wait=False
        )
        spawn_flawed(*LEASE, "--die-at", f"{rng.choice(points)}:{rng.randint(2, 5)}", wait=False)
        wait_until(
            lambda victim=victim: not victim.is_running() or _all_ended(),
            what="A death",
            timeout_s=20,
        )
    spawn_flawed(*LEASE, wait=False)
    check(receiver)


def _all_ended() -> bool:
    return Run.objects.exists() and not Run.objects.open().exists()


def test_interrupted_runs_tell_how_often(
    parcels: ObjectDefinition, receiver: Receiver, die_and_inherit: Callable[[str], None]
) -> None:
    create(parcels, 3)
    die_and_inherit("claim runs:after-commit")
    check(receiver, count=3)
    assert set(Run.objects.values_list("interruptions", flat=True)) == {1}
