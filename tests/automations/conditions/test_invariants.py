"""What always holds, whatever the conditions and the facts."""

import json
from datetime import UTC
from decimal import Decimal
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from automations.conditions import (
    OPERATORS,
    CompareType,
    ConditionProblem,
    Facts,
    check_conditions,
    compile_conditions,
    describe,
)
from records.expressions import Namespace, Symbol
from tests.automations.conditions.at_hand import (
    BERLIN,
    NOW,
    every,
    rule,
    typed,
)

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.decimals()
    | st.text(max_size=8)
    | st.dates()
    | st.datetimes(timezones=st.sampled_from([None, UTC, BERLIN]))
    | st.sampled_from(["10", "1e999", "2025-01-31", "9999-12-31T23:59:59-11:00", "true", "\ud800"])
    | st.sampled_from(["{{ record.b }}", "{{ nothing }}", "{{ [record.a] }}", "{{ record.a + 1 }}"])
    | st.sampled_from([10**200, Symbol("§"), float("nan"), {1, 2}, b"x", Decimal("sNaN")])
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=6,
)
FIELDS = st.sampled_from(["a", "record.b", "previous.a", "a.0", "b.x", "nothing", "now", "record"])
RULES = st.fixed_dictionaries(
    {"field": FIELDS, "operator": st.sampled_from(list(OPERATORS))}, optional={"value": VALUES}
)
DOCUMENTS = st.recursive(
    RULES | st.sampled_from(list(OPERATORS)).map(lambda name: rule("a", name, "{{ record.b }}")),
    lambda inner: st.builds(
        lambda match, rules: {"match": match, "rules": rules},
        st.sampled_from(["all", "any"]),
        st.lists(inner, max_size=3),
    ),
    max_leaves=6,
).map(lambda document: document if "rules" in document else every(document))
FORMULAS = st.sampled_from(
    ["record.a > record.b", "record.a == previous.a", "record.a", "nothing", "record.a in record.b"]
).map(lambda source: {"expression": source})
TYPES = st.sampled_from([None, *get_args(CompareType)])


@settings(max_examples=1_000, deadline=None)
@given(DOCUMENTS | FORMULAS, VALUES, VALUES, TYPES)
def test_passes_says_what_explain_says_and_nothing_raises(
    document: Any, a: Any, b: Any, compare_type: CompareType | None
) -> None:
    if check_conditions(document, typed(compare_type)):
        with pytest.raises(ConditionProblem):
            compile_conditions(document, typed(compare_type))
        return
    conditions = compile_conditions(document, typed(compare_type))
    values = {
        "record": Namespace({"a": a, "b": b}, label="Leads"),
        "previous": Namespace({"a": b, "b": a}, label="Leads"),
        "now": NOW,
    }
    explained = conditions.explain(Facts(values, NOW))
    assert conditions.passes(Facts(values, NOW)) is explained["passed"]
    json.dumps(explained, allow_nan=False).encode()
    assert describe(document)


@settings(max_examples=300, deadline=None)
@given(
    st.recursive(
        VALUES,
        lambda inner: st.dictionaries(
            st.sampled_from(["match", "rules", "field", "operator", "value", "expression", "x"]),
            inner | st.lists(inner, max_size=3),
            max_size=4,
        ),
        max_leaves=8,
    )
)
def test_nonsense_is_refused_in_words(document: Any) -> None:
    found = check_conditions(document)
    assert isinstance(describe(document), str)
    assert all(mistake.message for mistake in found)
