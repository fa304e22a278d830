"""Who advances which runs: claims and their leases, workers that die, and everybody getting a turn."""

import uuid
from datetime import timedelta

import pytest
from django.db import OperationalError
from django.utils import timezone

from automations import batches, claims
from automations.models import Run, RunStatus, StepRun
from records.dispatch import dispatch_events
from records.models import Notification
from records.services import update_record
from tests.automations.making import (
    make_automation,
    make_lead,
    make_leads,
    run_of,
    step,
    steps_of,
    work,
)

pytestmark = pytest.mark.django_db

ON_UPDATED = {"type": "event", "config": {"event": "record.updated", "object": "leads"}}


def set_(step_id: str = "s1", **variables: object) -> dict:
    return step("set_variables", step_id, variables=variables)


def paths(run: Run) -> list[str]:
    return [each.path for each in steps_of(run)]


def test_what_was_claimed_by_a_dead_worker_is_done_by_the_next_and_shows(monkeypatch):
    make_leads()
    automation = make_automation(set_("one", a=1))
    make_lead()
    dispatch_events()
    assert len(claims.claim_runs(token=uuid.uuid4(), limit=10).runs) == 1
    assert claims.claim_runs(token=uuid.uuid4(), limit=10) == claims.Claim()
    Run.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    assert claims.free_lapsed_runs() == 1
    work()
    run = run_of(automation)
    assert (run.status, run.interruptions) == (RunStatus.SUCCEEDED, 1)
    assert paths(run) == ["one"]


def test_a_run_that_kills_its_workers_ends_after_ten_times():
    make_leads()
    automation = make_automation(set_("one", a=1))
    make_lead()
    dispatch_events()
    for _ in range(claims.MAX_INTERRUPTIONS):
        claims.claim_runs(token=uuid.uuid4(), limit=10)
        Run.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
        claims.free_lapsed_runs()
    run = run_of(automation)
    assert (run.status, run.error["kind"]) == (RunStatus.FAILED, "interrupted")


def test_claims_are_shared_fairly_over_automations():
    make_leads()
    busy = make_automation(set_("one", a=1), name="Busy")
    for _ in range(30):
        make_lead()
    dispatch_events()
    quiet = make_automation(set_("one", a=1), name="Quiet")
    make_lead()
    dispatch_events()
    claimed = claims.claim_runs(token=uuid.uuid4(), limit=10).runs
    of_quiet = Run.objects.filter(pk__in=claimed, automation=quiet).count()
    assert (len(claimed), of_quiet) == (10, 1)
    assert busy.runs.filter(status="running").count() == 9


def test_a_batch_that_can_t_be_written_is_undone_and_claimed_again(monkeypatch):
    make_leads()
    automation = make_automation(step("update_record", "one", status="seen"))
    lead = make_lead()
    dispatch_events()
    real = batches._store

    def fail(*args: object) -> None:
        monkeypatch.setattr(batches, "_store", real)
        raise OperationalError("the database went away")

    monkeypatch.setattr(batches, "_store", fail)
    with pytest.raises(OperationalError):
        batches.advance_ready_runs()
    lead.refresh_from_db()
    assert lead.data.get("status") in (None, "")
    assert run_of(automation).status == RunStatus.PENDING
    work()
    lead.refresh_from_db()
    assert lead.data["status"] == "seen"
    assert StepRun.objects.count() == 1


def test_one_run_that_breaks_a_batch_does_not_stop_the_others(monkeypatch):
    make_leads()
    automation = make_automation(set_("one", a="{{ record.name }}"))
    for name in ("Ada", "Bad", "Cyd"):
        make_lead(name=name)
    dispatch_events()
    real = batches._store

    def store(token, runs, writes):
        if any("Bad" in str(run.variables) and run.status == "succeeded" for run in runs):
            raise ValueError("what can't be written")
        real(token, runs, writes)

    monkeypatch.setattr(batches, "_store", store)
    batches.advance_ready_runs()
    assert sorted(automation.runs.values_list("status", flat=True)) == [
        "failed",
        "succeeded",
        "succeeded",
    ]
    assert automation.runs.get(status="failed").error["kind"] == "internal"


def test_every_automation_gets_its_turn_when_there_are_more_than_one_claim_looks_at(monkeypatch):
    monkeypatch.setattr(claims, "_AUTOMATIONS_PER_CLAIM", 3)
    make_leads()
    for number in range(7):
        make_automation(set_("one", a=1), name=f"No. {number}")
    for _ in range(3):
        make_lead()
    dispatch_events()
    # The first one's are the latest in time, as those of a run with many steps are.
    first = Run.objects.order_by("automation").first().automation_id
    Run.objects.filter(automation=first).update(due_at=timezone.now() + timedelta(hours=1))
    turns, after = [], ""
    for _ in range(7):
        claim = claims.claim_runs(token=uuid.uuid4(), limit=2, after=after)
        turns += Run.objects.filter(pk__in=claim.runs).values_list("automation", flat=True)
        after = claim.last
    assert len(set(turns)) == 7
    assert max(turns.count(each) for each in turns) == 2


def test_automations_whose_runs_all_wait_for_earlier_ones_keep_nobody_else_waiting(monkeypatch):
    monkeypatch.setattr(claims, "_AUTOMATIONS_PER_CLAIM", 2)
    make_leads()
    for number in range(4):
        make_automation(
            step("wait", "w", duration=1), name=f"No. {number}", trigger=ON_UPDATED,
            settings={"concurrency": {"mode": "queued"}},
        )  # fmt: skip
    free = make_automation(set_("one", a=1), trigger=ON_UPDATED, name="Free")
    lead = make_lead()
    for status in ("one", "two", "three"):
        update_record(record=lead, data={"status": status})
        work()
    assert Run.objects.filter(status="pending").count() == 8
    assert free.runs.filter(status="succeeded").count() == 3


def test_a_run_that_kills_its_workers_is_told_of_like_every_failure(admin_user):
    make_leads()
    automation = make_automation(set_("one", a=1))
    make_lead()
    dispatch_events()
    Run.objects.update(interruptions=claims.MAX_INTERRUPTIONS - 1)
    claims.claim_runs(token=uuid.uuid4(), limit=10)
    Run.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    claims.free_lapsed_runs()
    automation.refresh_from_db()
    assert automation.failures_in_a_row == 1
    assert Notification.objects.filter(user=admin_user).exists()


def test_a_run_that_was_cancelled_after_its_claim_is_not_advanced():
    make_leads()
    automation = make_automation(step("update_record", "one", data={"status": "seen"}))
    lead = make_lead()
    dispatch_events()
    token = uuid.uuid4()
    claim = claims.claim_runs(token=token, limit=10)
    Run.objects.update(status="cancelled", lease_token=None, cursor=[])  # as a restart does
    batches._advance_claimed(token, claim.runs)
    lead.refresh_from_db()
    assert (run_of(automation).status, lead.data.get("status")) == (RunStatus.CANCELLED, None)
    assert not StepRun.objects.exists()
