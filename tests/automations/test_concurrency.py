"""Modes: what an open run means for the next one of the same automation and record."""

import pytest

from automations.models import Run
from records.dispatch import dispatch_events
from records.services import update_record
from tests.automations.making import make_automation, make_lead, make_leads, step, work
from webhooks.models import WebhookJob

pytestmark = pytest.mark.django_db

ON_UPDATED = {"type": "event", "config": {"event": "record.updated", "object": "leads"}}
WAIT = step("wait", "w", duration=1, unit="hours")


@pytest.fixture(autouse=True)
def _leads() -> None:
    make_leads()


def fire_twice(mode: str, *, together: bool, same_record: bool = True, **more: object) -> list[Run]:
    """Two updates; `together`: in one batch of events. The runs in their order."""
    automation = make_automation(
        WAIT, trigger=ON_UPDATED, settings={"concurrency": {"mode": mode, **more}}
    )
    lead = make_lead()
    other = lead if same_record else make_lead()
    work()
    update_record(record=lead, data={"status": "one"})
    if not together:
        work()
    update_record(record=other, data={"status": "two"})
    work()
    return list(automation.runs.order_by("id"))


@pytest.mark.parametrize("together", [True, False])
@pytest.mark.parametrize(
    ("mode", "statuses"),
    [
        ("parallel", ["waiting", "waiting"]),
        ("queued", ["waiting", "pending"]),
        ("restart", ["cancelled", "waiting"]),
        ("skip", ["waiting", "skipped"]),
    ],
)
def test_modes(mode, statuses, together):
    assert [run.status for run in fire_twice(mode, together=together)] == statuses


@pytest.mark.parametrize("mode", ["queued", "restart", "skip"])
def test_modes_do_not_mind_other_records(mode):
    runs = fire_twice(mode, together=False, same_record=False)
    assert [run.status for run in runs] == ["waiting", "waiting"]


@pytest.mark.parametrize("together", [True, False])
def test_a_maximum_of_open_runs(together):
    runs = fire_twice("parallel", together=together, same_record=False, max_open=1)
    assert [run.status for run in runs] == ["waiting", "skipped"]
    assert "allows 1 at once" in runs[1].reason


def test_a_restart_makes_room_for_itself():
    runs = fire_twice("restart", together=False, max_open=1)
    assert [run.status for run in runs] == ["cancelled", "waiting"]


def test_a_queued_run_goes_on_when_the_earlier_one_has_ended():
    first, second = fire_twice("queued", together=True)
    Run.objects.filter(pk=first.pk).update(status="pending")
    work()
    second.refresh_from_db()
    first.refresh_from_db()
    assert (first.status, second.status) == ("succeeded", "waiting")


def test_parallel_automations_ask_nothing_of_other_runs(django_assert_num_queries):
    make_automation(step("stop"), trigger=ON_UPDATED)
    lead = make_lead()
    dispatch_events()
    update_record(record=lead, data={"status": "one"})
    dispatch_events()  # the index is read
    update_record(record=lead, data={"status": "two"})
    # A savepoint's begin and end; the events, the webhooks, the generation, the runs, the mark.
    with django_assert_num_queries(7):
        dispatch_events()


def test_a_restart_gives_up_the_request_that_the_earlier_run_waits_for():
    automation = make_automation(
        step("webhook", "call", url="https://api.example.com/hook"),
        trigger=ON_UPDATED,
        settings={"concurrency": {"mode": "restart"}},
    )
    lead = make_lead()
    for status in ("one", "two"):
        update_record(record=lead, data={"status": status})
        work()
    earlier, later = automation.runs.order_by("id")
    assert (earlier.status, later.status) == ("cancelled", "waiting")
    assert earlier.steps.get().status == "skipped"
    assert [job.status for job in WebhookJob.objects.order_by("id")] == ["cancelled", "pending"]
