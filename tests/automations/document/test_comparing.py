"""Two documents side by side: what is different, in words."""

from typing import Any

import pytest

from automations.document.comparing import compare_documents
from automations.services import create_automation
from records.models import User
from tests.automations.making import make_leads, step
from tests.records.making import make_user

BEFORE: dict[str, Any] = {
    "trigger": {"type": "event", "config": {"event": "record.created"}},
    "conditions": {
        "match": "all",
        "rules": [{"field": "amount", "operator": "greater_than", "value": 10}],
    },
    "steps": [
        step("webhook", "tell", url="https://a.example", headers=[{"name": "X-Id", "value": "1"}]),
        step("stop", "end"),
        step("for_each", "loop", list="{{ record.tags }}", steps=[step("stop", "inner")]),
    ],
    "settings": {},
}
TELL, END, LOOP = BEFORE["steps"]
INNER = LOOP["config"]["steps"][0]


def changed(**parts: Any) -> dict[str, Any]:
    return {**BEFORE, **parts}


def with_config(values: dict[str, Any], **config: Any) -> dict[str, Any]:
    return {**values, "config": {**values["config"], **config}}


CHANGES: list[tuple[dict[str, Any], list[tuple[str, str, str]]]] = [
    (BEFORE, []),
    (
        changed(trigger={"type": "event", "config": {"event": "record.updated"}}),
        [("changed", "trigger", "Trigger, Event: “Record · Created” → “Record · Updated”")],
    ),
    (
        changed(trigger={"type": "webhook", "config": {}}),
        [("changed", "trigger", "Trigger: Record · Created → When a webhook is received")],
    ),
    (
        changed(conditions=None),
        [("changed", "conditions", "Conditions: amount is greater than 10 → always")],
    ),
    (
        changed(steps=[with_config(TELL, url="https://b.example"), END, LOOP]),
        [
            (
                "changed",
                "tell",
                "Step 1 · Send webhook, URL: “https://a.example” → “https://b.example”",
            )
        ],
    ),
    (
        changed(
            steps=[
                with_config(
                    TELL, headers=[{"name": "X-Id", "value": "2"}, {"name": "Y", "value": "3"}]
                ),
                END,
                LOOP,
            ]
        ),
        [
            ("changed", "tell", "Step 1 · Send webhook, Headers “X-Id”: “1” → “2”"),
            ("added", "tell", "Step 1 · Send webhook, Headers “Y” added: “3”"),
        ],
    ),
    (
        changed(steps=[{**TELL, "disabled": True, "name": "Tell the CRM"}, END, LOOP]),
        [
            (
                "changed",
                "tell",
                "Step “Tell the CRM” (Send webhook), Name: nothing → “Tell the CRM”",
            ),
            ("changed", "tell", "Step “Tell the CRM” (Send webhook), Switched off: no → yes"),
        ],
    ),
    (
        changed(steps=[TELL, LOOP]),
        [("removed", "end", "Step 2 · Stop removed")],
    ),
    (
        changed(steps=[*BEFORE["steps"], step("stop", "last")]),
        [("added", "last", "Step 5 · Stop added")],
    ),
    (
        changed(steps=[END, TELL, LOOP]),
        [("moved", "end", "Step 1 · Stop moved")],
    ),
    (
        changed(steps=[TELL, END, with_config(LOOP, steps=[]), INNER]),
        [("moved", "inner", "Step 4 · Stop moved")],
    ),
    (
        changed(steps=[LOOP, TELL, END]),
        [("moved", "loop", "Step 1 · For each moved")],
    ),
    (
        changed(settings={"max_depth": 5, "on_failure": {"quarantine": True}}),
        [
            ("changed", "settings", "Settings, Longest chain of runs: “10” → “5”"),
            ("changed", "settings", "Settings, Put the record into quarantine: no → yes"),
        ],
    ),
]


@pytest.mark.django_db
@pytest.mark.parametrize(("after", "expected"), CHANGES)
def test_changes(after: dict[str, Any], expected: list[tuple[str, str, str]]) -> None:
    found = compare_documents(BEFORE, after)
    assert [(change.kind, change.card, change.words) for change in found] == expected


def test_what_is_left_out_is_the_same_as_its_default() -> None:
    spelled_out = {**END, "disabled": False, "on_error": "stop", "config": {"outcome": "succeeded"}}
    after = changed(steps=[TELL, spelled_out, LOOP], settings={"max_depth": 10})
    assert compare_documents(BEFORE, after) == []


def test_a_change_has_both_values_as_they_were() -> None:
    (change,) = compare_documents(
        BEFORE, changed(steps=[with_config(TELL, body="x" * 500), END, LOOP])
    )
    assert (change.title, change.before, change.after) == ("Content", "", "x" * 500)
    assert len(change.words) < 150


def test_documents_with_mistakes_can_be_compared() -> None:
    broken = {"trigger": 5, "steps": [{"type": "nothing"}, 5], "settings": {"max_depth": "x"}}
    assert compare_documents(broken, broken) == []
    assert {change.card for change in compare_documents(BEFORE, broken)} == {
        "trigger", "conditions", "tell", "end", "loop", "inner", "/steps/0", "settings",
    }  # fmt: skip


# --- what people call it -----------------------------------------------------------------------

ON_LEADS = {"type": "event", "config": {"event": "record.created", "object": "leads"}}


def on_leads(*steps: dict[str, Any], **parts: Any) -> dict[str, Any]:
    return {"trigger": ON_LEADS, "conditions": None, "steps": list(steps), **parts}


def branch(*arms: dict[str, Any]) -> dict[str, Any]:
    return step("branch", "way", conditions=list(arms))


def more_than(amount: int) -> dict[str, Any]:
    rules = [{"field": "amount", "operator": "greater_than", "value": amount}]
    return {"match": "all", "rules": rules}


TOLD: list[tuple[dict[str, Any], dict[str, Any], str]] = [
    (
        on_leads(conditions=more_than(10)),
        on_leads(conditions=more_than(20)),
        "Conditions: Amount is greater than 10 → Amount is greater than 20",
    ),
    (
        on_leads(),
        {**on_leads(), "trigger": {**ON_LEADS, "config": {**ON_LEADS["config"], "object": ""}}},
        "Trigger, Object: “Leads” → nothing",
    ),
    (
        on_leads(step("update_record", data={"follow_up_count": "1"})),
        on_leads(step("update_record", data={"follow_up_count": "2"})),
        "Step 1 · Update record, Fields “Follow Up Count”: “1” → “2”",
    ),
    (
        on_leads(step("update_record", record="company", data={"city": "Rome"})),
        on_leads(step("update_record", record="company", data={"city": "Oslo"})),
        "Step 1 · Update record, Fields “City”: “Rome” → “Oslo”",
    ),
    (
        on_leads(step("update_record", data={"name": "1"})),
        on_leads(step("update_record", record="company", data={"name": "1"})),
        "Step 1 · Update record, Record: “the record that set it off” → “Its Company (Companie)”",
    ),
    (
        on_leads(step("move_stage", stage="new")),
        on_leads(step("move_stage", stage="won")),
        "Step 1 · Move to stage, Stage: “New” → “Won”",
    ),
    (
        on_leads(step("webhook", "s1", url="https://a.example", store=[{"field": "status", "value": "x"}])),
        on_leads(step("webhook", "s1", url="https://a.example", store=[{"field": "status", "value": "y"}])),
        "Step 1 · Send webhook, Store in the record “Status”: “x” → “y”",
    ),
    (
        on_leads(branch({"if": more_than(1), "then": []}, {"else": []})),
        on_leads(branch({"if": more_than(2), "then": [], "name": "Large"}, {"else": []})),
        "Step 1 · Branch, Case 1: “if Amount is greater than 1” → “Large: if Amount is greater than 2”",
    ),
    (
        on_leads(branch({"if": more_than(1), "then": []}, {"else": []})),
        on_leads(branch({"if": more_than(1), "then": []})),
        "Step 1 · Branch, Otherwise: yes → nothing",
    ),
    (
        on_leads({**step("stop"), "on_error": "stop"}),
        on_leads({**step("stop"), "on_error": "continue"}),
        "Step 1 · Stop, If it fails: “the automation fails” → “go on with the next step”",
    ),
    (
        on_leads({**step("stop"), "retry_delays_s": []}),
        on_leads({**step("stop"), "retry_delays_s": [60, 3600]}),
        "Step 1 · Stop, Try again after: nothing → “1 min, 1 h”",
    ),
    (
        on_leads(),
        on_leads(settings={"concurrency": {"mode": "queued"}}),
        "Settings, When it fires while it is still running: “run side by side” → “wait their turn”",
    ),
    (
        on_leads(),
        on_leads(settings={"on_failure": {"steps": [step("stop", "told")]}}),
        "Step 1 for failures · Stop added",
    ),
]  # fmt: skip


@pytest.mark.django_db
@pytest.mark.parametrize(("before", "after", "words"), TOLD)
def test_changes_are_told_with_the_names_that_people_use(
    before: dict[str, Any], after: dict[str, Any], words: str
) -> None:
    make_leads()
    user = User.objects.create_superuser("admin")

    assert [change.words for change in compare_documents(before, after, user)] == [words]


@pytest.mark.django_db
def test_automations_are_told_by_their_names_also_where_two_have_one() -> None:
    one, two, same = (create_automation(name=name) for name in ("One", "Two", "Two"))
    user = User.objects.create_superuser("admin")

    def told(before: str, after: str) -> str:
        documents = [
            {"steps": [step("run_automation", automation=each)]} for each in (before, after)
        ]
        [change] = compare_documents(*documents, user)
        return change.words.partition(", ")[2]

    assert told(one.pk, two.pk) == "Automation: “One” → “Two”"
    assert told(two.pk, same.pk) == f"Automation: “{two.pk}” → “{same.pk}”"
    assert told("One", "Unknown") == "Automation: “One” → “Unknown”"


@pytest.mark.django_db
def test_what_somebody_may_not_see_goes_by_its_plain_name() -> None:
    make_leads()
    before, after = (on_leads(conditions=more_than(most)) for most in (1, 2))

    [change] = compare_documents(before, after, make_user("stranger"))

    assert change.words == "Conditions: amount is greater than 1 → amount is greater than 2"
