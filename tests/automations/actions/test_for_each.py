"""Loops: each entry has its round, and what came of it is kept."""

import pytest

from records.models import Record
from tests.automations.making import run_once, step, step_of

pytestmark = pytest.mark.django_db


def test_each_entry_has_its_own_round() -> None:
    run = run_once(
        step(
            "for_each",
            "each",
            list="{{ record.tags }}",
            steps=[
                step(
                    "create_record",
                    "make",
                    object_definition_id="companies",
                    data={"name": "{{ item }} {{ index }}"},
                )
            ],
        ),
        step(
            "set_variables",
            "after",
            variables={"last": "{{ steps.each.results[1].outputs.make.label }}"},
        ),
        record={"tags": ["a", "b"]},
    )
    assert run.status == "succeeded", run.reason
    names = Record.objects.filter(object__slug="companies").order_by("id")
    assert [each.data["name"] for each in names] == ["a 0", "b 1"]
    output = run.variables["steps"]["each"]
    assert (output["count"], output["failed"]) == (2, 0)
    assert [(each["index"], each["item"], each["status"]) for each in output["results"]] == [
        (0, "a", "succeeded"),
        (1, "b", "succeeded"),
    ]
    assert run.variables["vars"]["last"] == "b 1"
    assert step_of(run, "each[1]/make").status == "succeeded"


def test_an_entry_that_fails_does_not_stop_the_others_if_that_is_wanted() -> None:
    run = run_once(
        step(
            "for_each",
            "each",
            list="{{ record.tags }}",
            on_item_error="continue",
            steps=[
                step("set_variables", "first", variables={"n": "{{ index }}"}),
                step("update_record", "set", data={"amount": "{{ item }}"}),
            ],
        ),
        record={"tags": [1, "x", 3]},
    )
    assert run.status == "succeeded", run.reason
    results = run.variables["steps"]["each"]["results"]
    assert [each["status"] for each in results] == ["succeeded", "failed", "succeeded"]
    assert "amount: Enter a number" in results[1]["error"]
    assert results[1]["outputs"] == {"first": {"n": 1}}
    assert Record.objects.get(object__slug="leads").data["amount"] == 3


def test_what_an_earlier_round_gave_is_not_taken_for_this_ones() -> None:
    run = run_once(
        step(
            "for_each",
            "each",
            list="{{ record.tags }}",
            steps=[
                step(
                    "branch",
                    "only",
                    conditions=[
                        {
                            "if": {"expression": "index == 0"},
                            "then": [step("set_variables", "inner", variables={"n": 1})],
                        }
                    ],
                )
            ],
        ),
        record={"tags": ["a", "b"]},
        checked=False,
    )
    assert run.status == "succeeded", run.reason
    first, second = run.variables["steps"]["each"]["results"]
    assert first["outputs"]["inner"] == {"n": 1}
    assert "inner" not in second["outputs"]


@pytest.mark.parametrize(
    ("tags", "words"),
    [("text", "A list is needed here"), (list(range(5)), "nothing of it was done")],
)
def test_what_is_no_list_or_too_long_is_refused(tags: object, words: str) -> None:
    run = run_once(
        step("for_each", list="{{ record.tags }}", limit=4, steps=[]),
        record={"tags": tags},
        checked=False,
    )
    assert run.status == "failed"
    assert words in run.reason


def test_an_empty_list_is_nothing_to_do() -> None:
    run = run_once(step("for_each", list="{{ record.tags }}", steps=[]), checked=False)
    assert run.status == "succeeded"
    assert run.variables["steps"]["s1"] == {"count": 0, "failed": 0, "results": []}
