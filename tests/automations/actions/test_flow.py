"""Waiting, branching, stopping, answering callers, and starting other automations."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine

from automations.claims import wake_waiting
from automations.models import Automation, Run
from automations.services import create_automation, set_state
from automations.steps import ACTIONS
from records.models import Event, Record
from records.services import update_record
from tests.automations.making import (
    make_automation,
    make_company,
    make_lead,
    make_leads,
    run_of,
    run_once,
    step,
    step_of,
    work,
)

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 1, 10, tzinfo=UTC)
NEVER = {"type": "event", "config": {"event": "record.deleted", "object": "leads"}}


def lead() -> Record:
    return Record.objects.get(object__slug="leads")


# --- wait ---


@pytest.mark.parametrize(
    ("config", "moment"),
    [
        ({"duration": 24, "unit": "hours"}, NOW + timedelta(days=1)),
        ({"duration": "{{ record.amount }}", "unit": "minutes"}, NOW + timedelta(minutes=90)),
        ({"until": "{{ date_add(now, 2, 'days') }}"}, NOW + timedelta(days=2)),
        ({"until": "2026-03-05T09:00:00Z"}, datetime(2026, 3, 5, 9, tzinfo=UTC)),
        ({"until": "2026-03-05"}, datetime(2026, 3, 5, tzinfo=UTC)),
    ],
)
def test_a_run_waits_and_goes_on_when_the_moment_has_come(
    config: dict[str, Any], moment: datetime
) -> None:
    with time_machine.travel(NOW, tick=False) as clock:
        run = run_once(
            step("wait", **config),
            step("update_record", "s2", data={"status": "x"}),
            record={"amount": 90},
        )
        assert (run.status, run.due_at) == ("waiting", moment)
        clock.move_to(moment - timedelta(seconds=1))
        assert wake_waiting(datetime.now(UTC)) == 0
        clock.move_to(moment)
        assert wake_waiting(datetime.now(UTC)) == 1
        work()
    run.refresh_from_db()
    assert (run.status, lead().data["status"]) == ("succeeded", "x")


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"duration": "{{ record.name }}"}, "A duration is a number of hours, not 'Ada'"),
        ({"until": "{{ record.name }}"}, "“Ada” is no date and time"),
        ({"until": "9999-01-01"}, "more than ten years ahead"),
    ],
)
def test_a_wait_that_makes_no_sense_is_told(config: dict[str, Any], words: str) -> None:
    assert words in run_once(step("wait", **config), checked=False).reason


def test_a_moment_that_has_passed_is_not_waited_for() -> None:
    run = run_once(step("wait", until="2020-01-01"))
    assert run.status == "succeeded"
    assert "has passed" in step_of(run).note


# --- branch, stop ---


def sets(step_id: str, way: str) -> list[dict[str, Any]]:
    return [step("set_variables", step_id, variables={"way": way})]


def branch() -> dict[str, Any]:
    rule = {"field": "amount", "operator": "greater_than", "value": 10}
    return step(
        "branch",
        "b",
        conditions=[
            {"name": "Big", "if": {"match": "all", "rules": [rule]}, "then": sets("x", "big")},
            {"if": {"expression": "record.amount == 5"}, "then": sets("y", "five")},
            {"else": [step("stop", "z", outcome="failed", message="Too small: {{ record.amount }}")]},
        ],
    )  # fmt: skip


@pytest.mark.parametrize(("amount", "way"), [(11, "big"), (5, "five")])
def test_the_first_arm_whose_condition_holds_is_gone(amount: int, way: str) -> None:
    run = run_once(branch(), record={"amount": amount})
    assert run.status == "succeeded", run.reason
    assert run.variables["vars"] == {"way": way}
    assert step_of(run, "b").output["arm"] == (0 if way == "big" else 1)


def test_else_is_gone_where_none_holds_and_stop_fails_the_run() -> None:
    run = run_once(
        branch(), step("set_variables", "after", variables={"a": 1}), record={"amount": 1}
    )
    assert (run.status, run.reason) == ("failed", "z: Too small: 1")
    assert step_of(run, "b").note == "Otherwise"
    assert "vars" not in run.variables


def test_stop_ends_a_run_well() -> None:
    run = run_once(step("stop", message="Enough"), step("set_variables", "s2", variables={"a": 1}))
    assert (run.status, run.reason) == ("succeeded", "Enough")
    assert [each.status for each in run.steps.all()] == ["ended"]


# --- respond ---


def test_an_answer_is_kept_for_the_caller_and_the_run_goes_on() -> None:
    run = run_once(
        step(
            "respond",
            status="{{ 200 + 1 }}",
            headers={"X-Id": "{{ record.name }}"},
            body={"id": "{{ record.id }}", "amount": "{{ record.amount }}"},
        ),
        step("set_variables", "s2", variables={"a": 1}),
        record={"amount": 3},
    )
    assert run.status == "succeeded", run.reason
    assert run.answer == {
        "status": 201,
        "headers": [["Content-Type", "application/json"], ["X-Id", "Ada"]],
        "body": f'{{"id":"{run.record_id}","amount":3}}',
    }
    assert "Nobody is waiting for it" in step_of(run).note


@pytest.mark.parametrize(
    ("config", "headers", "body"),
    [
        ({"body": "Hi {{ record.name }}"}, [["Content-Type", "text/plain; charset=utf-8"]], "Hi Ada"),
        ({"body": "{{ {'a': 1} }}"}, [["Content-Type", "application/json"]], '{"a":1}'),
        ({"body": "<a/>", "headers": {"content-type": "text/xml"}}, [["content-type", "text/xml"]], "<a/>"),
        ({"status": 204}, [], ""),
    ],
)  # fmt: skip
def test_answers_have_a_content_type_where_they_have_a_body(
    config: dict[str, Any], headers: list[list[str]], body: str
) -> None:
    run = run_once(step("respond", **config))
    assert run.status == "succeeded", run.reason
    assert (run.answer["headers"], run.answer["body"]) == (headers, body)


@pytest.mark.parametrize(
    ("config", "field", "words"),
    [
        ({"status": 42}, "status", "A status is a number from 200 to 599, not “42”."),
        ({"status": "{{ record.name }}"}, "status", "not “Ada”"),
        ({"status": 204, "body": "x"}, "body", "has no body"),
        ({"headers": {"X Id": "1"}}, "headers", "Header `X Id`"),
        ({"headers": {"X-Id": "{{ 'a\\nb' }}"}}, "headers", "Header `X-Id`"),
        ({"body": "{{ 'x' * 3 }}"}, "body", "can't multiply"),
    ],
)
def test_an_answer_that_can_not_be_given_is_told(
    config: dict[str, Any], field: str, words: str
) -> None:
    run = run_once(step("respond", **config), checked=False)
    assert words in run.reason
    assert step_of(run).error["field"] == field
    assert run.answer is None


# --- run_automation ---


def other(*steps: dict[str, Any], name: str = "Other", **values: Any) -> Automation:
    steps = steps or (step("update_record", data={"status": "{{ automation.name }}"}),)
    return make_automation(*steps, trigger=values.pop("trigger", NEVER), name=name, **values)


def test_another_automation_runs_for_the_same_record_and_knows_why() -> None:
    make_leads()
    called = other()
    run = run_once(step("run_automation", automation="Other"))
    assert run.status == "succeeded", run.reason
    started = run_of(called)
    assert (started.status, lead().data["status"]) == ("succeeded", "Other")
    assert (started.caused_by, started.depth, started.event_name) == (run, 1, "record.called")
    assert step_of(run).output["automation"] == called.pk


def test_another_automation_runs_for_a_linked_record() -> None:
    make_leads()
    acme = make_company()
    called = other(
        step("update_record", data={"city": "{{ record.name }}"}),
        trigger={"type": "event", "config": {"event": "record.deleted", "object": "companies"}},
    )
    run = run_once(
        step("run_automation", automation=called.pk, record="company"), record={"company": acme.pk}
    )
    assert run.status == "succeeded", run.reason
    acme.refresh_from_db()
    assert acme.data["city"] == "Acme"


def test_the_conditions_of_the_other_automation_hold() -> None:
    make_leads()
    rule = {"field": "amount", "operator": "greater_than", "value": 10}
    called = other(conditions={"match": "all", "rules": [rule]})
    run_once(step("run_automation", automation="Other"), record={"amount": 5})
    assert Run.objects.get(automation=called).status == "skipped"


def test_automations_that_start_each_other_for_ever_are_cut() -> None:
    make_leads()
    first = other(step("run_automation", automation="Second"), name="First", checked=False)
    other(step("run_automation", automation="First"), name="Second", checked=False)
    make_automation(step("run_automation", automation="First"))
    make_lead()
    work()
    cut = Run.objects.get(status="skipped")
    assert cut.automation == first
    assert "A cycle: First → Second → First" in cut.reason


def test_the_other_automation_sees_no_record_where_there_is_none() -> None:
    make_leads()
    anywhere = {"type": "event", "config": {"event": "user.deleted"}}
    called = other(
        step("set_variables", variables={"a": "{{ automation.name }}"}), trigger=anywhere
    )
    trigger = {"type": "event", "config": {"event": "user.created"}}
    caller = make_automation(step("run_automation", automation="Other"), trigger=trigger)
    from tests.records.making import make_user

    make_user("bob")
    work()
    assert run_of(caller).status == "succeeded", run_of(caller).reason
    assert (run_of(called).status, run_of(called).record) == ("succeeded", None)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("Othr", "There is no automation “Othr”; did you mean `Other`?"),
        ("auto_01h455vb4pex5vsknk084sn02q", "There is no automation"),
        ("auto_x", "There is no automation “auto_x”"),
        ("Paused", "“Paused” is switched off (paused), so it can't be started."),
        ("Companies", "“Companies” is about Companies; “Ada” is one of Leads."),
        ("Twice", "There are several automations called “Twice”; name the one by its id."),
    ],
)
def test_an_automation_that_can_not_be_started_is_told(name: str, words: str) -> None:
    make_leads()
    other()
    set_state(automation=other(name="Paused"), state="paused")
    other(
        step("delete_record"),
        name="Companies",
        trigger={"type": "event", "config": {"event": "record.deleted", "object": "companies"}},
    )
    other(name="Twice")
    other(name="Twice")
    run = run_once(step("run_automation", automation=name), checked=False)
    assert words in run.reason
    assert not Event.objects.filter(type="record.called").exists()


def test_a_test_starts_nothing() -> None:
    make_leads()
    called = other()
    run = run_once(step("run_automation", automation="Other"), state="test")
    assert step_of(run).note == "Would have started “Other”; nothing was started."
    assert not Run.objects.filter(automation=called).exists()


# --- links in conditions ---


def test_conditions_reach_what_links_lead_to() -> None:
    make_leads()
    acme = make_company(city="Ulm")
    rules = [
        {"field": "company.city", "operator": "equals", "value": "Ulm"},
        {"field": "company", "operator": "equals", "value": acme.pk},
    ]
    run = run_once(
        step("set_variables", variables={"city": "{{ record.company.city }}"}),
        conditions={"match": "all", "rules": rules},
        record={"company": acme.pk},
    )
    assert run.variables["vars"] == {"city": "Ulm"}


def test_what_a_link_leads_to_is_seen_as_it_is_now() -> None:
    make_leads()
    acme = make_company(city="Ulm")
    run = run_once(
        step("set_variables", "a", variables={"before": "{{ record.company.city }}"}),
        step("update_record", "b", record="company", data={"city": "Bern"}),
        step("set_variables", "c", variables={"after": "{{ record.company.city }}"}),
        record={"company": acme.pk},
    )
    assert run.variables["vars"] == {"before": "Ulm", "after": "Bern"}
    acme.refresh_from_db()
    update_record(record=acme, data={"city": "x"})


def test_an_automation_that_is_chosen_by_its_id_is_told_by_its_name():
    other = create_automation(name="Orders")
    run_automation = ACTIONS["run_automation"]

    def words(source):
        return run_automation.describe(run_automation.Config(automation=source))

    assert words(other.pk) == "Run “Orders”"
    assert words("Orders") == "Run “Orders”"
    no_id = f"auto_{'u' * 26}"
    assert words(no_id) == f"Run “{no_id}”"
    config = run_automation.Config(automation=no_id)
    assert [field for field, _ in run_automation.problems(config, None)] == ["automation"]
