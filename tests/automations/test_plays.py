"""What the steps of a run see of each other, of other runs, and of what has changed meanwhile."""

import pytest

from automations.models import Run, RunStatus
from records.dispatch import dispatch_events
from records.models import Event, Record
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
    work,
)
from webhooks.models import WebhookJob

pytestmark = pytest.mark.django_db

URL = "https://api.example.com/hook"


def set_(step_id: str = "s1", **variables: object) -> dict:
    return step("set_variables", step_id, variables=variables)


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


def test_what_a_failed_step_had_begun_is_not_seen_by_later_ones(monkeypatch):
    def change_and_break(**values: object) -> None:
        update_record(**values)
        raise ValueError("after the change")

    monkeypatch.setattr("automations.actions.update_record.update_record", change_and_break)
    run = run_once(
        step("update_record", "one", on_error="continue", data={"status": "changed"}),
        set_("two", status="{{ record.status }}"),
        record={"status": "old"},
    )
    assert step_of(run, "one").status == "continued"
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
