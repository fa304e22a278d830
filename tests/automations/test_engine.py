"""Runs from their event to their end: order, waits, loops, failures, and what survives in the rows."""

import uuid
from datetime import timedelta

import pytest
import time_machine
from django.db import OperationalError
from django.utils import timezone

from automations import batches, claims, jobs, plays
from automations.exceptions import RunRefused
from automations.generations import bump_generation
from automations.models import Run, RunStatus, StepRun
from automations.services import retry_run
from records.dispatch import dispatch_events
from records.models import Event, FieldDefinition, Notification, Record
from records.services import update_record
from tests.automations.making import (
    end_job,
    make_automation,
    make_lead,
    make_leads,
    run_of,
    run_once,
    step,
    step_of,
    steps_of,
    work,
)
from webhooks.models import WebhookJob
from webhooks.services import retry_job

pytestmark = pytest.mark.django_db

URL = "https://api.example.com/hook"
ON_UPDATED = {"type": "event", "config": {"event": "record.updated", "object": "leads"}}


def set_(step_id: str = "s1", **variables: object) -> dict:
    return step("set_variables", step_id, variables=variables)


def paths(run: Run) -> list[str]:
    return [each.path for each in steps_of(run)]


def test_steps_run_in_order_and_see_what_came_before():
    run = run_once(
        set_("one", a="{{ record.name }}"), set_("two", b="{{ vars.a }} {{ steps.one.a }}")
    )
    assert run.status == RunStatus.SUCCEEDED
    assert paths(run) == ["one", "two"]
    assert run.variables["vars"] == {"a": "Ada", "b": "Ada Ada"}
    assert (run.cursor, run.due_at, run.lease_token) == ([], None, None)


def test_a_step_that_is_switched_off_is_left_out_and_says_so():
    run = run_once({**set_("one", a=1), "disabled": True}, set_("two", b=2))
    assert step_of(run, "one").status == "skipped"
    assert run.variables["vars"] == {"b": 2}


def test_a_wait_is_a_row_and_the_run_goes_on_when_its_time_has_come():
    with time_machine.travel("2026-01-01T10:00:00Z", tick=False) as clock:
        run = run_once(step("wait", "w", duration=30, unit="days"), set_("after", done=True))
        assert (run.status, run.due_at) == (RunStatus.WAITING, timezone.now() + timedelta(days=30))
        clock.shift(timedelta(days=29))
        claims.wake_waiting(timezone.now())
        work()
        assert run_of(run.automation).status == RunStatus.WAITING
        clock.shift(timedelta(days=1))
        claims.wake_waiting(timezone.now())
        work()
    run = run_of(run.automation)
    assert run.status == RunStatus.SUCCEEDED
    assert paths(run) == ["w", "after"]
    assert step_of(run, "w").status == "succeeded"


def test_a_branch_takes_the_first_arm_that_fits():
    arms = [
        {"if": {"expression": "record.amount > 100"}, "then": [set_("big", size="big")]},
        {"if": {"expression": "record.amount > 10"}, "then": [set_("middle", size="middle")]},
        {"else": [set_("small", size="small")]},
    ]
    run = run_once(step("branch", "b", conditions=arms), set_("end", n=1), record={"amount": "50"})
    assert paths(run) == ["b", "b/middle", "end"]
    assert run.variables["vars"]["size"] == "middle"


def test_a_branch_without_a_fitting_arm_goes_on_behind_it():
    arms = [{"if": {"expression": "record.amount > 100"}, "then": [set_("big", size="big")]}]
    run = run_once(step("branch", "b", conditions=arms), set_("end", n=1))
    assert paths(run) == ["b", "end"]


def test_loops_in_loops_have_paths_with_numbers():
    inner = step(
        "for_each",
        "inner",
        list="{{ [1, 2] }}",
        **{"as": "n"},
        steps=[set_("leaf", sum="{{ item * n }}")],
    )
    run = run_once(
        step("for_each", "outer", list="{{ [10, 20] }}", steps=[inner]), set_("end", done=1)
    )
    assert paths(run) == [
        "outer", "outer[0]/inner", "outer[0]/inner[0]/leaf", "outer[0]/inner[1]/leaf",
        "outer[1]/inner", "outer[1]/inner[0]/leaf", "outer[1]/inner[1]/leaf", "end",
    ]  # fmt: skip
    assert run.variables["vars"]["sum"] == 40
    assert run.variables["steps"]["outer"]["count"] == 2


def test_a_loop_goes_on_with_the_next_item_if_it_is_told_so():
    fail_on_two = step(
        "branch", "b",
        conditions=[{"if": {"expression": "item == 2"}, "then": [step("wait", "w", until="no date")]}],
    )  # fmt: skip
    run = run_once(
        step(
            "for_each", "l", list="{{ [1, 2, 3] }}", on_item_error="continue", steps=[fail_on_two]
        ),
        set_("end", x=1),
    )
    assert run.status == RunStatus.SUCCEEDED
    output = run.variables["steps"]["l"]
    assert (output["count"], output["failed"]) == (3, 1)
    assert [result["status"] for result in output["results"]] == [
        "succeeded",
        "failed",
        "succeeded",
    ]


def test_a_list_that_is_longer_than_the_limit_does_nothing():
    run = run_once(step("for_each", "l", list="{{ [1, 2, 3] }}", limit=2, steps=[set_("x", a=1)]))
    assert run.status == RunStatus.FAILED
    assert paths(run) == ["l"]
    assert run.error["field"] == "limit"


def test_an_empty_list_is_nothing_to_do():
    run = run_once(step("for_each", "l", list="{{ [] }}", steps=[set_("x", a=1)]), set_("end", b=1))
    assert paths(run) == ["l", "end"]


def test_many_steps_take_several_turns():
    run = run_once(
        step(
            "for_each", "l", list="{{ record.tags }}", limit=200, steps=[set_("x", n="{{ item }}")]
        ),
        record={"tags": list(range(120))},
    )
    assert run.status == RunStatus.SUCCEEDED
    assert StepRun.objects.filter(run=run, step_id="x").count() == 120
    assert run.variables["vars"]["n"] == 119


# --- the webhook step -----------------------------------------------------------------------------


def test_a_webhook_step_waits_for_its_job_and_later_steps_see_the_answer():
    run = run_once(
        step("webhook", "call", url=URL, response_schema=[{"name": "id", "pointer": "/data/id"}]),
        set_("after", found="{{ steps.call.response.id }}"),
    )
    assert run.status == RunStatus.WAITING
    job = WebhookJob.objects.get()
    assert (run.waiting_job_id, job.run_id, job.step_path) == (job.pk, run.pk, "call")
    end_job(job, body='{"data": {"id": "X-1"}}')
    work()
    run = run_of(run.automation)
    assert run.status == RunStatus.SUCCEEDED
    assert run.variables["vars"] == {"found": "X-1"}
    assert [each.status for each in steps_of(run)] == ["succeeded", "succeeded"]


def test_fire_and_forget_goes_on_at_once():
    run = run_once(step("webhook", "call", url=URL, wait=False), set_("after", n=1))
    assert run.status == RunStatus.SUCCEEDED
    assert WebhookJob.objects.get().status == "pending"


def test_a_job_that_failed_fails_the_step_and_names_it():
    run = run_once(step("webhook", "call", url=URL))
    end_job(WebhookJob.objects.get(), status_code=500)
    work()
    run = run_of(run.automation)
    assert run.status == RunStatus.FAILED
    assert run.error["step"] == "call"
    assert "500" in run.reason


def test_a_halt_status_halts_the_run():
    run = run_once(step("webhook", "call", url=URL, halt_statuses="404"), set_("after", n=1))
    end_job(WebhookJob.objects.get(), status_code=404)
    work()
    run = run_of(run.automation)
    assert run.status == RunStatus.HALTED
    assert paths(run) == ["call"]


# --- failures -------------------------------------------------------------------------------------


def test_a_failed_step_stops_the_run_and_names_step_field_and_expression():
    run = run_once(set_("one", a="{{ record.name / 2 }}"), set_("two", b=1))
    assert run.status == RunStatus.FAILED
    assert paths(run) == ["one"]
    error = run.error
    assert (error["step"], error["field"], error["expression"]) == (
        "one",
        "variables/a",
        "{{ record.name / 2 }}",
    )
    assert "text" in error["message"]


def test_continue_goes_on_with_the_error_as_output():
    run = run_once(
        {**set_("one", a="{{ record.name / 2 }}"), "on_error": "continue"},
        set_("two", b="{{ steps.one.error }}"),
    )
    assert run.status == RunStatus.SUCCEEDED
    assert step_of(run, "one").status == "continued"
    assert "text" in run.variables["vars"]["b"]


def test_a_step_is_tried_again_after_its_delays_and_then_fails():
    with time_machine.travel("2026-01-01T10:00:00Z", tick=False) as clock:
        run = run_once({**set_("one", a="{{ record.name / 2 }}"), "retry_delays_s": [60, 300]})
        for delay_s in (60, 300):
            run = run_of(run.automation)
            assert (run.status, run.due_at) == (
                "waiting",
                timezone.now() + timedelta(seconds=delay_s),
            )
            clock.shift(timedelta(seconds=delay_s))
            claims.wake_waiting(timezone.now())
            work()
    run = run_of(run.automation)
    assert run.status == RunStatus.FAILED
    assert [(each.attempt, each.status) for each in steps_of(run)] == [
        (1, "retried"),
        (2, "retried"),
        (3, "failed"),
    ]


def test_the_fallback_runs_after_a_failure_and_knows_the_error():
    run = run_once(
        set_("one", a="{{ record.name / 2 }}"),
        settings={
            "on_failure": {"steps": [set_("fallback", what="{{ error.step }}: {{ error.field }}")]}
        },
    )
    assert run.status == RunStatus.FAILED
    assert paths(run) == ["one", "fallback"]
    assert run.variables["vars"]["what"] == "one: variables/a"
    assert run.error["step"] == "one"


def test_a_failure_in_the_fallback_keeps_the_first_error():
    run = run_once(
        set_("one", a="{{ record.name / 2 }}"),
        settings={"on_failure": {"steps": [set_("fallback", what="{{ record.name / 3 }}")]}},
    )
    assert (run.status, run.error["step"]) == (RunStatus.FAILED, "one")


# --- claims and leases ----------------------------------------------------------------------------


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


# --- what steps see of each other ------------------------------------------------------------------


def test_the_outer_entry_comes_back_behind_an_inner_loop_and_none_is_left_behind_both():
    inner = step("for_each", "inner", list="{{ [1, 2] }}", steps=[set_("leaf", x="{{ item }}")])
    run = run_once(
        step(
            "for_each", "outer", list="{{ ['a'] }}", steps=[inner, set_("back", seen="{{ item }}")]
        ),
        {**set_("late", y="{{ item }}"), "on_error": "continue"},
        checked=False,
    )
    assert run.variables["vars"]["seen"] == "a"
    assert step_of(run, "late").status == "continued"


def test_an_entry_may_have_the_name_of_something_else_only_within_its_loop():
    run = run_once(
        step(
            "for_each",
            "l",
            list="{{ [1] }}",
            **{"as": "record"},
            steps=[set_("in", a="{{ record }}")],
        ),
        set_("behind", b="{{ record.name }}"),
        checked=False,
    )
    assert run.variables["vars"] == {"a": 1, "b": "Ada"}


def test_what_a_failed_step_had_begun_is_not_seen_by_later_ones():
    """A webhook's answer is stored in two fields; the second does not fit."""
    run = run_once(
        step(
            "update_record", "one", on_error="continue",
            data={"status": "changed", "email": "no address"},
        ),
        set_("two", status="{{ record.status }}"),
        record={"status": "old"},
    )  # fmt: skip
    assert run.variables["vars"]["status"] == "old"


def test_two_runs_of_one_batch_see_each_other_s_changes():
    make_leads()
    count = step(
        "update_record", "u", data={"follow_up_count": "{{ (record.follow_up_count or 0) + 1 }}"}
    )
    for name in ("One", "Two"):
        make_automation(set_("look", n="{{ record.follow_up_count or 0 }}"), count, name=name)
    lead = make_lead()
    work()
    lead.refresh_from_db()
    assert lead.data["follow_up_count"] == 2
    seen = [run.variables["vars"]["n"] for run in Run.objects.filter(status="succeeded")]
    assert sorted(seen) == [0, 1]


def test_a_run_sees_the_record_as_it_is_now_and_not_as_it_was_when_it_fired():
    make_leads()
    automation = make_automation(set_("one", now="{{ record.status }}"))
    lead = make_lead(status="old")
    dispatch_events()
    update_record(record=lead, data={"status": "new"})
    work()
    assert run_of(automation).variables["vars"] == {"now": "new"}


def test_a_record_that_is_gone_is_seen_as_the_event_told_of_it():
    make_leads()
    automation = make_automation(set_("one", name="{{ record.name }}"))
    make_lead()
    dispatch_events()
    Record.objects.all().delete()
    work()
    assert run_of(automation).variables["vars"] == {"name": "Ada"}


def test_a_run_of_a_batch_is_held_by_a_quarantine_that_an_earlier_one_began():
    make_leads()
    make_automation(step("quarantine_record", "q", reason="Look at it"), name="First")
    second = make_automation(set_("one", a=1), name="Second")
    make_lead()
    work()
    assert run_of(second).status == RunStatus.WAITING
    assert "quarantine" in run_of(second).reason


def test_a_run_goes_on_when_its_event_has_been_cleaned_up():
    run = run_once(
        step("wait", "w", duration=30, unit="days"),
        step("webhook", "call", url=URL),
        step("for_each", "l", list="{{ [1] }}", steps=[set_("in", who="{{ record.name }}")]),
    )
    Event.objects.all().delete()
    Run.objects.update(status="pending")
    work()
    end_job(WebhookJob.objects.get())
    work()
    run.refresh_from_db()
    assert (run.event, run.status) == (None, RunStatus.SUCCEEDED)
    assert run.variables["vars"] == {"who": "Ada"}


# --- waiting ---------------------------------------------------------------------------------------


def test_a_job_that_is_retried_by_hand_before_its_run_has_looked_is_waited_for_again():
    run = run_once(step("webhook", "call", url=URL))
    job = WebhookJob.objects.get()
    end_job(job, status_code=500)
    retry_job(job=job, actor=None)
    work()
    run.refresh_from_db()
    assert (run.status, run.waiting_job_id) == (RunStatus.WAITING, job.pk)
    end_job(WebhookJob.objects.get())
    work()
    run.refresh_from_db()
    assert run.status == RunStatus.SUCCEEDED
    assert [each.status for each in steps_of(run)] == ["succeeded"]


def test_the_sweep_wakes_a_run_whose_job_was_deleted(monkeypatch):
    run = run_once(step("webhook", "call", url=URL))
    WebhookJob.objects.all().delete()
    monkeypatch.setattr(jobs, "_orphans_at", -1e9)
    jobs.look_after_runs()
    work()
    run.refresh_from_db()
    assert (run.status, "deleted" in run.reason) == (RunStatus.FAILED, True)


def test_waits_go_by_the_clock_that_ends_them(monkeypatch):
    """A machine whose clock is an hour behind waits no longer than the others."""
    ahead = timedelta(hours=1)
    monkeypatch.setattr(batches, "_shared_clock", lambda: lambda: timezone.now() + ahead)
    with time_machine.travel("2026-01-01T10:00:00Z", tick=False):
        waits = run_once(step("wait", "w", duration=5, unit="minutes"))
        retries = run_once({**set_("one", a="{{ record.name / 2 }}"), "retry_delays_s": [60]})
        shared = timezone.now() + ahead
    assert waits.due_at == shared + timedelta(minutes=5)
    assert retries.due_at == shared + timedelta(seconds=60)


def test_a_run_that_takes_long_lets_others_go_first(monkeypatch):
    monkeypatch.setattr(batches, "BATCH_S", 0.0)
    make_leads()
    automation = make_automation(set_("one", a=1), set_("two", b=2))
    make_lead()
    dispatch_events()
    token = uuid.uuid4()
    batches._advance(token, claims.claim_runs(token=token, limit=1).runs)
    run = run_of(automation)
    assert (run.status, paths(run)) == (RunStatus.PENDING, ["one"])


def test_a_run_that_carries_too_much_ends_and_says_what_to_do(monkeypatch):
    monkeypatch.setattr(plays, "MAX_CARRIED", 5_000)
    run = run_once(
        set_("one", text="{{ record.name }}" + 6_000 * "x"),
        step("wait", "w", duration=1),
        set_("two", b=1),
    )
    Run.objects.update(status="pending")
    work()
    run.refresh_from_db()
    assert run.status == RunStatus.FAILED
    assert "loop over shorter lists" in run.reason
    assert step_of(run, "w").status == "skipped"


# --- versions that can't be run any more -----------------------------------------------------------

OVER_ONE = {"match": "all", "rules": [{"field": "amount", "operator": "greater_than", "value": 1}]}


def change_kind_of_amount() -> None:
    field = FieldDefinition.objects.get(object__slug="leads", slug="amount")
    field.kind = "boolean"
    field.save()


def test_conditions_that_fit_no_more_pause_their_automation_and_no_other(admin_user):
    make_leads()
    broken = make_automation(set_("one", a=1), conditions=OVER_ONE, name="Broken")
    sound = make_automation(set_("one", a=1), name="Sound")
    change_kind_of_amount()
    make_lead()
    work()
    assert run_of(sound).status == RunStatus.SUCCEEDED
    assert not broken.runs.exists()
    jobs.look_after_runs()
    broken.refresh_from_db()
    assert broken.state == "paused"
    assert "conditions do not fit the fields any more" in broken.paused_reason
    assert Notification.objects.filter(user=admin_user, title__contains="Broken").count() == 1
    jobs.look_after_runs()
    assert Notification.objects.count() == 1


def test_what_waits_in_a_version_that_can_t_be_run_any_more_fails_in_words():
    broken = run_once(step("wait", "w", duration=1), conditions=OVER_ONE, record={"amount": "5"})
    sound = make_automation(set_("one", a=1), name="Sound")
    change_kind_of_amount()
    Run.objects.update(status="pending")
    make_lead(name="Bea")
    work()
    broken.refresh_from_db()
    assert (broken.status, broken.error["kind"]) == (RunStatus.FAILED, "version")
    assert "conditions do not fit" in broken.reason
    assert run_of(sound).status == RunStatus.SUCCEEDED
    with pytest.raises(RunRefused, match="conditions do not fit"):
        retry_run(run=broken, actor=None, begin="start")


@pytest.mark.parametrize("part", ["trigger", "action"])
def test_what_an_uninstalled_app_had_brought_is_missed_in_words(part):
    run = run_once(step("wait", "w", duration=1), set_("two", b=1))
    document = run.version.document
    if part == "trigger":
        document["trigger"]["type"] = "moon_phase"
    else:
        document["steps"][1]["type"] = "moon_phase"
    run.version.save()
    bump_generation()
    Run.objects.update(status="pending")
    work()
    run.refresh_from_db()
    assert run.status == RunStatus.FAILED
    assert "“moon_phase” is not installed" in run.reason


# --- claims that are fair --------------------------------------------------------------------------


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
    for status in ("one", "two"):
        update_record(record=lead, data={"status": status})
    work()
    assert Run.objects.filter(status="pending").count() == 4
    assert free.runs.filter(status="succeeded").count() == 2


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
