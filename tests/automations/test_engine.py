"""Runs from their event to their end: order, waits, loops, failures, and what survives in the rows."""

import uuid
from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from automations import batches, claims, jobs, plays
from automations.models import Run, RunStatus, StepRun
from records.dispatch import dispatch_events
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


# --- waiting --------------------------------------------------------------------------------------


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
