"""What loops keep of their rounds stays small, whatever the rounds hold."""

import json
from typing import Any

import pytest

from automations.cursors import enter
from automations.jsonvalues import MAX_BYTES
from automations.loopresults import MAX_RESULTS, add_result, outcome_of


def rounds(count: int, item: Any, outputs: dict[str, Any], error: str = "") -> dict[str, Any]:
    frame = enter("s1", [item] * count)
    for place in range(count):
        frame["n"] = place
        add_result(frame, outputs, error)
    return outcome_of(frame)


def test_a_round_has_its_entry_its_status_and_the_outputs_of_its_steps() -> None:
    assert rounds(1, {"sku": "A"}, {"s2": {"id": 1}}) == {
        "count": 1,
        "failed": 0,
        "results": [
            {"index": 0, "item": {"sku": "A"}, "status": "succeeded", "outputs": {"s2": {"id": 1}}}
        ],
    }


def test_a_failed_round_has_its_error() -> None:
    outcome = rounds(2, "x", {}, "No such thing.")
    assert outcome["failed"] == 2
    assert outcome["results"][1] == {
        "index": 1,
        "item": "x",
        "status": "failed",
        "error": "No such thing.",
    }


@pytest.mark.parametrize("count", [1, 10, 100, 1000])
@pytest.mark.parametrize("words", ["", "broken"])
@pytest.mark.parametrize("steps", [1, 2, 30])
def test_everything_fits_into_what_is_kept_of_an_output(count: int, words: str, steps: int) -> None:
    error = words * 200
    outputs = {f"step_{place}": "y" * 10_000 for place in range(steps)}
    outcome = rounds(count, {"text": "x" * 10_000}, outputs, error)
    assert len(json.dumps(outcome, ensure_ascii=False)) < MAX_BYTES
    assert outcome["count"] == count
    assert outcome["failed"] == (count if error else 0)


def test_behind_the_first_ones_only_failures_are_kept() -> None:
    frame = enter("s1", list(range(150)))
    for place in range(150):
        frame["n"] = place
        add_result(frame, {}, "broken" if place == 140 else "")
    results = outcome_of(frame)["results"]
    assert [each["index"] for each in results[-2:]] == [MAX_RESULTS - 1, 140]
