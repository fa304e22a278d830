"""From rows and a document to what a run's page shows. No database: rows and runs are made in memory."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from automations.document import Document
from automations.findings import Finding, finding_of, value_text
from automations.models import Run, StepRun
from automations.tracenodes import Node, Trace, anchor_of
from automations.traces import trace_of
from tests.automations.making import ON_CREATED, step

START = datetime(2026, 3, 1, 9, tzinfo=UTC)


def document_of(*steps: dict[str, Any], fallback: tuple[dict[str, Any], ...] = ()) -> Document:
    settings = {"on_failure": {"steps": list(fallback)}}
    return Document.model_validate(
        {"trigger": ON_CREATED, "steps": list(steps), "settings": settings}
    )


def row(path: str, status: str = "succeeded", took_ms: int = 0, **values: Any) -> StepRun:
    step_id = path.rpartition("/")[2].partition("[")[0]
    end = None if status == "waiting" else START + timedelta(milliseconds=took_ms)
    given = {"type": "set_variables", "step_id": step_id, "started_at": START, "finished_at": end}
    return StepRun(path=path, status=status, **{**given, **values})


def traced(document: Document, *rows: StepRun, status: str = "succeeded", **values: Any) -> Trace:
    more = {key: values.pop(key) for key in ("shown_items", "labels") if key in values}
    return trace_of(Run(status=status, **values), document, rows, **more)


def outline(nodes: list[Node]) -> Any:
    """Steps by their ids and states, blocks by their names."""
    return [
        (node.step_id, str(node.state), {block.name: outline(block.nodes) for block in node.blocks})
        if node.blocks
        else (node.step_id, str(node.state))
        for node in nodes
    ]


def failed_at(path: str) -> dict[str, Any]:
    return {"error": {"path": path, "message": "No."}, "status": "failed"}


# --- steps ---


def test_steps_stand_in_the_order_of_the_document_with_what_became_of_them() -> None:
    document = document_of(step("set_variables", "a"), step("set_variables", "b"))

    assert outline(traced(document, row("b"), row("a")).nodes) == [
        ("a", "succeeded"),
        ("b", "succeeded"),
    ]


@pytest.mark.parametrize(
    ("run", "expected"),
    [
        ({"status": "waiting"}, "to_come"),
        ({"status": "pending"}, "to_come"),
        (failed_at("a"), "not_reached"),
        ({"status": "cancelled"}, "not_reached"),
    ],
)
def test_what_has_not_run_is_still_to_come_or_was_never_reached(
    run: dict[str, Any], expected: str
) -> None:
    document = document_of(step("set_variables", "a"), step("set_variables", "b"))

    assert traced(document, row("a"), **run).nodes[1].state == expected


def test_a_step_that_is_switched_off_says_so_and_is_shown_once() -> None:
    document = document_of(step("set_variables", "a", disabled=True))

    trace = traced(document, row("a", "skipped"))

    assert outline(trace.nodes) == [("a", "skipped")]
    assert trace.stray == []
    assert outline(traced(document).nodes) == [("a", "off")]


def test_attempts_of_one_step_are_together() -> None:
    document = document_of(step("set_variables", "a"))

    (node,) = traced(document, row("a", "retried", attempt=1), row("a", attempt=2)).nodes

    assert [attempt.row.attempt for attempt in node.attempts] == [1, 2]
    assert node.state == "succeeded"


def test_durations_are_shares_of_the_longest() -> None:
    document = document_of(*(step("set_variables", each) for each in "abc"))

    trace = traced(document, row("a", took_ms=50), row("b", took_ms=200), row("c", "waiting"))

    attempts = [node.attempts[0] for node in trace.nodes]
    assert [(each.duration_ms, each.share) for each in attempts] == [
        (50, 25),
        (200, 100),
        (None, 0),
    ]


def test_what_has_ended_waits_no_more() -> None:
    document = document_of(step("wait", "a", duration=1))

    (node,) = traced(document, row("a", note="Waits until noon")).nodes
    (open_node,) = traced(document, row("a", "waiting", note="Waits until noon")).nodes

    assert node.attempts[0].note == "Waited until noon"
    assert open_node.attempts[0].note == "Waits until noon"
    assert open_node.is_open


def test_an_action_that_is_not_installed_any_more_is_shown_by_its_name() -> None:
    (node,) = traced(document_of(step("fax", "a")), row("a", "failed"), **failed_at("a")).nodes

    assert (node.name, node.kind) == ("a", "fax (not installed)")


def test_a_configuration_that_its_action_does_not_know_any_more_is_no_trouble() -> None:
    (node,) = traced(document_of(step("set_variables", "a", colour="red")), row("a")).nodes

    assert node.name == "Set variables"


def test_a_row_without_a_place_in_the_document_is_not_lost() -> None:
    trace = traced(document_of(step("set_variables", "a")), row("a"), row("gone"))

    assert outline(trace.stray) == [("gone", "succeeded")]


# --- branches ---

BRANCH = step(
    "branch",
    "b",
    conditions=[
        {"name": "Big", "if": {"rules": []}, "then": [step("set_variables", "x")]},
        {"if": {"rules": []}, "then": [step("set_variables", "y")]},
        {"else": [step("set_variables", "z")]},
    ],
)
EXPLAINED = {"match": "all", "passed": True, "rules": []}


def test_arms_that_were_not_taken_are_told_apart_from_the_one_that_was() -> None:
    output = {"arm": 1, "name": "Case 2", "asked": [{"name": "Case 2", "conditions": EXPLAINED}]}

    trace = traced(document_of(BRANCH), row("b", type="branch", output=output), row("b/y"))

    assert outline(trace.nodes) == [
        (
            "b",
            "succeeded",
            {
                "Big": [("x", "not_taken")],
                "Case 2": [("y", "succeeded")],
                "Otherwise": [("z", "not_taken")],
            },
        )
    ]
    assert [block.is_quiet for block in trace.nodes[0].blocks] == [True, False, True]
    assert trace.nodes[0].blocks[1].finding == Finding(True, "Always", members=[])


def test_a_branch_that_was_not_reached_has_no_arm_that_was_not_taken() -> None:
    trace = traced(document_of(BRANCH), status="waiting")

    assert [block.state for block in trace.nodes[0].blocks] == ["to_come"] * 3


def test_a_step_that_failed_opens_everything_around_it() -> None:
    rows = [row("b", type="branch", output={"arm": 0}), row("b/x", "failed")]

    (branch,) = traced(document_of(BRANCH), *rows, **failed_at("b/x")).nodes

    assert branch.is_open
    assert branch.blocks[0].is_open
    assert branch.blocks[0].nodes[0].is_failing
    assert branch.look[2] == "Failed"
    assert not branch.blocks[1].is_open


# --- loops ---

LOOP = step("for_each", "l", list="{{ record.tags }}", steps=[step("set_variables", "t")])


def loop_rows(count: int, failed: tuple[int, ...] = ()) -> list[StepRun]:
    items = [row(f"l[{n}]/t", "failed" if n in failed else "succeeded") for n in range(count)]
    return [row("l", type="for_each", input={"list": ["red", {"name": "Blue"}]}), *items]


def test_items_of_a_loop_are_told_by_what_they_are() -> None:
    (loop,) = traced(document_of(LOOP), *loop_rows(3)).nodes

    assert [(block.name, block.item) for block in loop.blocks] == [
        ("Item 1", "red"),
        ("Item 2", "Blue"),
        ("Item 3", ""),
    ]


def test_a_long_loop_shows_its_first_items_those_that_failed_and_folds_the_others() -> None:
    (loop,) = traced(document_of(LOOP), *loop_rows(100, failed=(50, 60, 61, 62, 63, 64, 99))).nodes

    shown = [block.name for block in loop.blocks]
    assert shown[:6] == ["Item 1", "Item 2", "Item 3", "Item 4", "Item 5", "Item 51"]
    assert shown[-1] == "Item 100"
    assert sum(each.count for each in loop.folded) == 89
    assert [each.name for each in loop.folded if each.has_failed] == ["Item 65"]


def test_more_items_are_shown_when_asked_for() -> None:
    (loop,) = traced(document_of(LOOP), *loop_rows(30), shown_items=20).nodes

    assert (len(loop.blocks), [each.name for each in loop.folded]) == (20, ["Items 21–30"])


def test_a_loop_in_a_loop_has_its_own_items() -> None:
    inner = step("for_each", "k", list="{{ item }}", steps=[step("set_variables", "t")])
    document = document_of(step("for_each", "l", list="{{ x }}", steps=[inner]))
    rows = [row("l"), row("l[0]/k"), row("l[0]/k[0]/t"), row("l[1]/k"), row("l[1]/k[0]/t"),
            row("l[1]/k[1]/t", "failed")]  # fmt: skip

    trace = traced(document, *rows, **failed_at("l[1]/k[1]/t"))

    assert outline(trace.nodes) == [
        (
            "l",
            "succeeded",
            {
                "Item 1": [("k", "succeeded", {"Item 1": [("t", "succeeded")]})],
                "Item 2": [
                    (
                        "k",
                        "succeeded",
                        {"Item 1": [("t", "succeeded")], "Item 2": [("t", "failed")]},
                    )
                ],
            },
        )
    ]
    assert trace.stray == []


def test_the_rest_of_an_item_that_failed_was_not_reached_though_the_run_goes_on() -> None:
    steps = [step("set_variables", "t"), step("set_variables", "u")]
    document = document_of(step("for_each", "l", list="{{ x }}", steps=steps))

    trace = traced(document, row("l"), row("l[0]/t", "failed"), row("l[1]/t"), status="waiting")

    states = [block.nodes[1].state for block in trace.nodes[0].blocks]
    assert states == ["not_reached", "to_come"]


# --- failures and retries ---


def test_steps_for_the_case_of_failure_are_shown_once_it_has_come() -> None:
    document = document_of(step("set_variables", "a"), fallback=(step("set_variables", "f"),))

    assert traced(document, row("a")).fallback == []
    trace = traced(document, row("a", "failed"), row("f"), **failed_at("a"))
    assert outline(trace.fallback) == [("f", "succeeded")]


def test_a_stop_as_failed_is_where_the_run_failed() -> None:
    trace = traced(document_of(step("stop", "s")), row("s", "ended"), **failed_at("s"))

    assert trace.nodes[0].state == "failed"


def test_a_retry_does_not_say_of_steps_that_were_done_before_that_they_were_not() -> None:
    document = document_of(*(step("set_variables", each) for each in "abc"))

    trace = traced(document, row("b"), retry_of_id="run_1", status="cancelled")

    assert [node.state for node in trace.nodes] == ["earlier", "succeeded", "not_reached"]


def test_a_retry_that_begins_within_a_branch_says_what_was_done_before_it() -> None:
    document = document_of(step("set_variables", "a"), BRANCH)

    trace = traced(document, row("b/x"), retry_of_id="run_1", status="cancelled")

    assert outline(trace.nodes) == [
        ("a", "earlier"),
        (
            "b",
            "earlier",
            {
                "Big": [("x", "succeeded")],
                "Case 2": [("y", "not_taken")],
                "Otherwise": [("z", "not_taken")],
            },
        ),
    ]


@pytest.mark.parametrize(
    ("path", "anchor"), [("s1", "step-s1"), ("b/l[0]/w", "step-b-l-0-w"), ("l[12]/k[3]/w", "step-l-12-k-3-w")]
)  # fmt: skip
def test_each_place_has_an_anchor(path: str, anchor: str) -> None:
    assert anchor_of(path) == anchor


# --- conditions ---


def test_a_rule_is_told_with_what_it_found() -> None:
    explained = {
        "field": "record.amount", "operator": "greater_than", "value": 10, "actual": 5, "previous": 4,
        "template": "{{ vars.limit }}", "passed": False, "note": "",
    }  # fmt: skip

    finding = finding_of(explained, {"amount": "Amount"})

    assert finding is not None
    assert (finding.words, finding.operator, finding.wanted) == ("Amount", "is greater than", "10")
    assert (finding.actual, finding.previous, finding.template) == ("5", "4", "{{ vars.limit }}")
    assert not finding.passed


def test_groups_and_expressions_are_a_tree() -> None:
    formula = {"expression": "a > b", "passed": True, "note": "", "actuals": {"a": 2, "b": None}}
    finding = finding_of({"match": "any", "passed": True, "rules": [formula]})

    assert finding is not None
    assert finding.words == "At least one of these"
    (member,) = finding.members
    assert member.is_expression
    assert [(fact.name, fact.value) for fact in member.facts] == [("a", "2"), ("b", "empty")]


@pytest.mark.parametrize("nothing", [None, {}, [], "text"])
def test_no_conditions_are_no_tree(nothing: Any) -> None:
    assert finding_of(nothing) is None


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "empty"),
        ("", "empty"),
        (True, "yes"),
        (0, "0"),
        (["a", 1], "a, 1"),
        ({"a": [1]}, '{"a": [1]}'),
        ("x" * 300, "x" * 199 + "…"),
    ],
)
def test_values_are_told_as_people_read_them(value: Any, text: str) -> None:
    assert value_text(value) == text
