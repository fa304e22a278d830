"""Creating, deleting, moving and quarantining records, and what is said of them."""

from datetime import date
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import Group

from records.models import Comment, Event, Notification, Record, Task
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
from tests.records.making import make_user

pytestmark = pytest.mark.django_db


def lead() -> Record:
    return Record.objects.get(object__slug="leads")


@pytest.mark.parametrize("slug", ["companies", "obj_def_companies"])
def test_a_record_is_created_and_later_steps_know_its_id(slug: str) -> None:
    run = run_once(
        step(
            "create_record", "new", object_definition_id=slug, data={"name": "{{ record.name }} AG"}
        ),
        step("update_record", "link", data={"company": "{{ steps.new.id }}"}),
        step("update_record", "city", record="{{ steps.new.id }}", data={"city": "Ulm"}),
    )
    assert run.status == "succeeded", run.reason
    company = Record.objects.get(object__slug="companies")
    assert company.data == {"name": "Ada AG", "city": "Ulm"}
    assert lead().data["company"] == company.pk
    created = {each["field"]: each["after"] for each in step_of(run, "new").changes}
    assert created == {"name": "Ada AG", "state": "submitted"}
    assert Event.objects.get(type="record.created", run_id=run.pk).subject_id == company.pk


def test_a_created_record_has_a_stage_an_owner_and_may_be_a_draft() -> None:
    make_user("ada")
    run = run_once(
        step(
            "create_record",
            object_definition_id="leads",
            state="draft",
            data={"stage": "won", "owner": "ada"},
        ),
        trigger={"type": "event", "config": {"event": "record.submitted", "object": "leads"}},
    )
    assert run.status == "succeeded", run.reason
    draft = Record.objects.get(state="draft")
    assert (draft.stage, draft.owner.username) == ("won", "ada")


@pytest.mark.parametrize(
    ("config", "words"),
    [
        (
            {"object_definition_id": "compnies"},
            "There is no object “compnies”; did you mean `companies`?",
        ),
        ({"object_definition_id": "leads", "data": {"amount": "x"}}, "amount: Enter a number"),
        ({"object_definition_id": "leads", "data": {}}, "name: This field is required."),
    ],
)
def test_a_record_that_can_not_be_created_is_told_in_words(
    config: dict[str, Any], words: str
) -> None:
    run = run_once(step("create_record", **config), checked=False)
    assert (run.status, Record.objects.count()) == ("failed", 1)
    assert words in run.reason


def test_a_record_is_deleted_and_can_be_restored() -> None:
    run = run_once(step("delete_record"), step("delete_record", "s2"))
    assert run.status == "succeeded", run.reason
    assert lead().deleted_at is not None
    assert step_of(run).changes[0] | {"record": ""} == {
        "record": "", "label": "Ada", "object": "leads", "field": "deleted", "before": None, "after": True
    }  # fmt: skip
    assert step_of(run, "s2").note == "“Ada” was deleted already."


def test_a_linked_record_is_deleted() -> None:
    make_leads()
    acme = make_company()
    run = run_once(step("delete_record", record="company"), record={"company": acme.pk})
    assert run.status == "succeeded", run.reason
    acme.refresh_from_db()
    assert acme.deleted_at is not None


def test_a_record_is_moved_to_a_stage() -> None:
    run = run_once(
        step("move_stage", stage="contacted"), step("move_stage", "s2", stage="contacted")
    )
    assert lead().stage == "contacted"
    assert step_of(run).output | {"id": ""} == {"id": "", "from": "new", "to": "contacted"}
    assert step_of(run, "s2").note == "“Ada” is in this stage already."


def test_a_stage_that_is_not_there_is_told_with_what_may_be_meant() -> None:
    run = run_once(step("move_stage", stage="{{ 'contakted' }}"), checked=False)
    assert (
        "Leads has no stage “contakted” (new, contacted, won). Did you mean `contacted`?"
        in run.reason
    )
    assert step_of(run).error["field"] == "stage"
    assert step_of(run).error["expression"] == "{{ 'contakted' }}"


def test_a_record_is_set_aside_with_a_reason_and_the_run_goes_on() -> None:
    run = run_once(
        step("quarantine_record", reason="{{ record.name }} looks odd"),
        step("wait", "s2", duration=0),
        step("update_record", "s3", data={"status": "held"}),
    )
    assert run.status == "succeeded", run.reason
    assert lead().quarantine_reason == "Ada looks odd"
    assert lead().data["status"] == "held"
    assert step_of(run).changes[0]["field"] == "quarantine"


def test_a_record_set_aside_without_a_reason_says_who_did_it() -> None:
    run_once(step("quarantine_record"))
    assert lead().quarantine_reason == "Set aside by the automation “Welcome”."


def test_a_comment_is_made_by_the_automation_and_who_is_mentioned_is_told() -> None:
    ada = make_user("ada", is_superuser=True)
    run = run_once(step("add_comment", body="Hi @ada, see {{ record.name }}"))
    assert run.status == "succeeded", run.reason
    comment = Comment.objects.get()
    assert (comment.body, comment.author_name) == ("Hi @ada, see Ada", "Automation “Welcome”")
    assert Notification.objects.filter(user=ada).exists()
    assert Event.objects.get(type="comment.created").run_id == run.pk


def test_an_empty_comment_is_refused() -> None:
    run = run_once(step("add_comment", body="{{ record.email }}"))
    assert "body: Write something first." in run.reason
    assert step_of(run).error["expression"] == "{{ record.email }}"


@time_machine.travel("2026-03-01T10:00:00Z", tick=True)
def test_a_task_has_people_and_a_date() -> None:
    make_user("ada", is_superuser=True)
    bob = make_user("bob", is_superuser=True, email="bob@example.com")
    carl = make_user("carl", is_superuser=True)
    Group.objects.create(name="Sales").user_set.add(carl)
    run = run_once(
        step(
            "add_task",
            title="Call {{ record.name }}",
            note="Soon",
            assignees=["ada"],
            teams=["Sales"],
            owner=True,
            due="{{ date_add(now, 3, 'days') }}",
        ),
        record={"owner": bob},
    )
    assert run.status == "succeeded", run.reason
    task = Task.objects.get()
    assert (task.title, task.note, task.due_on) == ("Call Ada", "Soon", date(2026, 3, 4))
    assert {user.username for user in task.assignees.all()} == {"ada", "bob", "carl"}
    assert (task.record_id, task.run_id) == (lead().pk, run.pk)


@pytest.mark.parametrize(
    ("config", "field", "words"),
    [
        ({"due": "{{ record.name }}"}, "due", "“Ada” is no date"),
        ({"assignees": ["adaa"]}, "assignees/0", "There is no user “adaa”; did you mean `ada`?"),
        ({"assignees": ["gone"]}, "assignees/0", "“gone” is not active any more"),
        ({"assignees": ["blind"]}, "assignees", "blind may not see Leads."),
        ({"teams": ["Slaes"]}, "teams/0", "There is no team “Slaes”; did you mean `Sales`?"),
        (
            {"assignees": ["{{ record.amount }}"]},
            "assignees/0",
            "A name is needed here, not int: 7",
        ),
    ],
)
def test_a_task_that_can_not_be_given_is_told_in_words(
    config: dict[str, Any], field: str, words: str
) -> None:
    make_user("ada")
    make_user("gone", is_active=False)
    make_user("blind")
    Group.objects.create(name="Sales")
    run = run_once(step("add_task", title="Call", **config), record={"amount": 7}, checked=False)
    assert words in run.reason
    assert step_of(run).error["field"] == field


def test_a_task_can_be_about_no_record() -> None:
    make_leads()
    trigger = {"type": "event", "config": {"event": "user.created"}}
    automation = make_automation(step("add_task", title="Greet"), trigger=trigger)
    make_user("bob")
    work()
    assert run_of(automation).status == "succeeded"
    assert Task.objects.get().record is None


def test_two_leads_make_two_comments() -> None:
    make_leads()
    make_automation(step("add_comment", body="{{ record.name }}"))
    make_lead(name="Ada")
    make_lead(name="Bob")
    work()
    assert sorted(Comment.objects.values_list("body", flat=True)) == ["Ada", "Bob"]
