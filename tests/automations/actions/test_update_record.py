"""Fields are changed, of the run's record or of one it links to; what can't be is told in words."""

from typing import Any

import pytest

from records.models import Event, Record
from records.services import delete_record
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

SEED = {
    "status": "contacted",
    "last_contacted_at": "{{now}}",
    "follow_up_count": "{{record.follow_up_count + 1}}",
}


def lead() -> Record:
    return Record.objects.get(object__slug="leads")


@pytest.mark.parametrize("config", [{"data": SEED}, {"fields": SEED}, {"updates": SEED}, SEED])
def test_fields_are_set_with_their_types(config: dict[str, Any]) -> None:
    run = run_once(step("update_record", **config), record={"follow_up_count": 2})
    assert run.status == "succeeded", run.reason
    data = lead().data
    assert (data["status"], data["follow_up_count"]) == ("contacted", 3)
    assert data["last_contacted_at"].endswith("Z")
    assert step_of(run).output["changed"] == ["status", "follow_up_count", "last_contacted_at"]


def test_the_trace_has_what_changed_and_the_event_knows_the_run() -> None:
    run = run_once(step("update_record", data={"status": "x", "amount": "{{ 10 / 4 }}"}))
    changes = {each["field"]: (each["before"], each["after"]) for each in step_of(run).changes}
    assert changes == {"status": (None, "x"), "amount": (None, 2.5)}
    assert step_of(run).changes[0]["label"] == "Ada"
    event = Event.objects.get(type="record.updated")
    assert (event.run_id, event.depth, event.actor_label) == (run.pk, 1, "Automation “Welcome”")


def test_stage_and_owner_are_set_like_fields() -> None:
    user = make_user("grace", email="grace@example.com")
    run = run_once(step("update_record", data={"stage": "contacted", "owner": "grace@example.com"}))
    assert run.status == "succeeded", run.reason
    assert (lead().stage, lead().owner) == ("contacted", user)
    run_once(step("update_record", data={"owner": ""}), name="Two", record={"owner": user})
    assert Record.objects.filter(owner=user).count() == 1


def test_a_linked_record_is_changed_by_the_name_of_its_link_or_its_id() -> None:
    make_leads()
    acme = make_company()
    run = run_once(
        step("update_record", "s1", record="company", data={"city": "{{ record.name }}ville"}),
        step(
            "update_record",
            "s2",
            record="{{ record.company }}",
            data={"city": "{{ record.company.city }}!"},
        ),
        step("update_record", "s3", record=acme.pk, data={"name": "Acme AG"}),
        record={"company": acme.pk},
    )
    assert run.status == "succeeded", run.reason
    acme.refresh_from_db()
    assert acme.data == {"name": "Acme AG", "city": "Adaville!"}
    assert step_of(run, "s2").changes[0]["object"] == "companies"


@pytest.mark.parametrize(
    ("config", "field", "words"),
    [
        ({"data": {"amount": "much"}}, "data/amount", "amount: Enter a number"),
        (
            {"data": {"amuont": 1}},
            "data/amuont",
            "Leads has no field `amuont`. Did you mean `amount`?",
        ),
        ({"data": {"name": ""}}, "data/name", "name: This field is required."),
        (
            {"data": {"stage": "wno"}},
            "data/stage",
            "Leads has no stage “wno” (new, contacted, won). Did you mean `won`?",
        ),
        ({"data": {"owner": "nobody"}}, "data/owner", "There is no user “nobody”."),
        (
            {"data": {"status": "{{ record.nmae }}"}},
            "data/status",
            "Leads has no field `nmae`; did you mean `name`?",
        ),
        (
            {"data": {"status": "{{ secrets.key }}"}},
            "data/status",
            "secrets can be used in steps that send requests",
        ),
        (
            {"record": "compny", "data": {}},
            "record",
            "Leads has no link `compny`; did you mean `company`?",
        ),
        ({"record": "company", "data": {}}, "record", "It is empty: there is no record to change."),
        ({"record": "{{ record.name }}", "data": {}}, "record", "“Ada” is no record's id"),
        (
            {"record": "rec_01h455vb4pex5vsknk084sn02q", "data": {}},
            "record",
            "There is no record rec_01h455vb4pex5vsknk084sn02q (any more).",
        ),
    ],
)
def test_what_can_not_be_is_told_with_field_and_words(
    config: dict[str, Any], field: str, words: str
) -> None:
    run = run_once(step("update_record", **config), checked=False)
    assert run.status == "failed"
    assert words in run.reason
    error = step_of(run).error
    assert (error["field"], run.error["step"]) == (field, "s1")


def test_an_expression_that_fails_says_where() -> None:
    run = run_once(step("update_record", data={"status": "Hi {{ record.nmae }}"}), checked=False)
    assert step_of(run).error["expression"] == "Hi {{ record.nmae }}"
    assert step_of(run).error["column"] == 14


def test_a_deleted_record_is_not_changed() -> None:
    make_leads()
    automation = make_automation(step("update_record", data={"status": "x"}))
    delete_record(record=make_lead())
    work()
    assert "“Ada” is deleted; it has to be restored" in run_of(automation).reason


def test_a_run_about_no_record_says_so() -> None:
    make_leads()
    trigger = {"type": "event", "config": {"event": "user.created"}}
    automation = make_automation(step("update_record", data={"status": "x"}), trigger=trigger)
    make_user("bob")
    work()
    assert "This run is about no record (any more)." in run_of(automation).reason


def test_a_closed_record_is_changed_by_automations() -> None:
    run = run_once(step("update_record", data={"status": "x"}), record={"state": "closed"})
    assert run.status == "succeeded", run.reason


def test_what_people_change_between_two_steps_is_seen_and_kept() -> None:
    run = run_once(
        step("update_record", "s1", data={"status": "one"}),
        step("wait", "s2", duration=1, unit="hours"),
        step("update_record", "s3", data={"status": "{{ record.name }}"}),
    )
    assert run.status == "waiting"
    record = lead()
    record.data = {**record.data, "name": "Grace"}
    record.save()
    run.status, run.due_at = "pending", run.created_at
    run.save()
    work()
    assert lead().data["status"] == "Grace"
    assert lead().data["name"] == "Grace"


def test_nothing_to_change_is_no_event() -> None:
    run = run_once(step("update_record", data={"status": "x"}), record={"status": "x"})
    assert "Nothing changed" in step_of(run).note
    assert not Event.objects.filter(type="record.updated").exists()


def test_changes_are_made_in_test_mode_too() -> None:
    run = run_once(step("update_record", data={"status": "x"}), state="test")
    assert (run.mode, lead().data["status"]) == ("test", "x")
