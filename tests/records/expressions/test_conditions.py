"""Bare expressions as conditions."""

from __future__ import annotations

import pytest

from records.expressions import ExpressionError, evaluate_condition
from tests.records.expressions.context import CONTEXT


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("", True),
        ("  \n", True),
        ("record.amount > 2", True),
        ("record.amount > 2 and record.name == 'Bob'", False),
        ("{{ record.amount > 2 }}", True),
        ("record.owner", False),
        ("record.tags", True),
        ("vars.empty", False),
        ("0", False),
        ("'false'", True),
    ],
)
def test_conditions(source: str, expected: bool) -> None:
    assert evaluate_condition(source, CONTEXT) is expected


def test_a_condition_is_one_expression() -> None:
    with pytest.raises(ExpressionError, match="one expression is needed"):
        evaluate_condition("{{ record.amount }} > 2", CONTEXT)
    with pytest.raises(ExpressionError) as caught:
        evaluate_condition("record.nmae == 'x'", CONTEXT)
    assert str(caught.value).startswith("`record.nmae == 'x'`: Leads has no field `nmae`")
    assert caught.value.column == 8
