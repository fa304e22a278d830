"""Two documents side by side: what is different, in words."""

from typing import Any

import pytest

from automations.document.comparing import compare_documents
from tests.automations.making import step

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
        [("changed", "trigger", "Trigger, Event: “record.created” → “record.updated”")],
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
                "Step “tell” (Send webhook), URL: “https://a.example” → “https://b.example”",
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
            ("changed", "tell", "Step “tell” (Send webhook), Headers “X-Id”: “1” → “2”"),
            ("added", "tell", "Step “tell” (Send webhook), Headers “Y” added: “3”"),
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
        [("removed", "end", "Step “end” (Stop) removed")],
    ),
    (
        changed(steps=[*BEFORE["steps"], step("stop", "last")]),
        [("added", "last", "Step “last” (Stop) added")],
    ),
    (
        changed(steps=[END, TELL, LOOP]),
        [("moved", "end", "Step “end” (Stop) moved")],
    ),
    (
        changed(steps=[TELL, END, with_config(LOOP, steps=[]), INNER]),
        [("moved", "inner", "Step “inner” (Stop) moved")],
    ),
    (
        changed(steps=[LOOP, TELL, END]),
        [("moved", "loop", "Step “loop” (For each) moved")],
    ),
    (
        changed(settings={"max_depth": 5, "on_failure": {"quarantine": True}}),
        [
            ("changed", "settings", "Settings, Max depth: “10” → “5”"),
            ("changed", "settings", "Settings, On failure: quarantine: no → yes"),
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


def test_conditions_are_told_with_what_people_call_the_fields() -> None:
    before, after = (
        {
            "trigger": {"type": "event", "config": {"event": "record.created"}},
            "conditions": {
                "rules": [{"field": "value", "operator": "greater_than", "value": most}]
            },
            "steps": [],
        }
        for most in (10, 20)
    )

    changes = compare_documents(before, after, {"value": "Estimated value"})

    assert [change.words for change in changes] == [
        "Conditions: Estimated value is greater than 10 → Estimated value is greater than 20"
    ]
