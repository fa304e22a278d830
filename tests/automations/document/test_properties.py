"""What holds for any document, and for any JSON at all."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from automations.document.checking import check_document
from automations.document.comparing import compare_documents
from automations.document.forms import read_document
from automations.document.names import names_at
from automations.exceptions import DocumentInvalid
from automations.services.versions import export_automation, import_automation
from automations.steps import ACTIONS
from automations.triggers import TRIGGERS

pytestmark = pytest.mark.django_db

quick = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

TEXTS = st.one_of(
    st.text(max_size=12),
    st.sampled_from(
        [
            "{{ record.name }}",
            "{{ steps.a.b }}",
            "{{",
            "{% x %}",
            "{{ secrets.k }}",
            "{x}",
            "http://a",
        ]
    ),
)
SCALARS = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), TEXTS)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(TEXTS, inner, max_size=4)),
    max_leaves=12,
)
# The names that configurations have, so that what stands there is looked at.
KEYS = sorted(
    {key for kind in [*ACTIONS.values(), *TRIGGERS.values()] for key in kind.Config.model_fields}
)


@st.composite
def steps(draw: Any, depth: int = 0) -> Any:
    kind = draw(st.sampled_from([*ACTIONS, "nothing"]))
    model = ACTIONS[kind].Config.model_fields if kind in ACTIONS else {}
    keys = st.sampled_from([info.alias or name for name, info in model.items()] or ["x"])
    config = draw(st.one_of(st.dictionaries(keys, JSON, max_size=3), JSON))
    if depth < 2 and isinstance(config, dict):
        inner = st.lists(steps(depth + 1), max_size=2)
        if kind == "for_each":
            config["steps"] = draw(inner)
        if kind == "branch":
            config["conditions"] = [{"if": draw(JSON), "then": draw(inner)}, {"else": draw(inner)}]
    step = {"type": kind, "config": config}
    if draw(st.booleans()):
        step["id"] = draw(st.sampled_from(["a", "b", "webhook", "A B"]))
    return step


DOCUMENTS = st.fixed_dictionaries(
    {},
    optional={
        "trigger": st.one_of(
            JSON,
            st.builds(
                lambda kind, config: {"type": kind, "config": config},
                st.sampled_from([*TRIGGERS]),
                st.dictionaries(st.sampled_from(KEYS), JSON, max_size=3),
            ),
        ),
        "conditions": JSON,
        "steps": st.one_of(st.lists(steps(), max_size=3), JSON),
        "settings": st.one_of(
            JSON,
            st.builds(
                lambda inner: {"on_failure": {"steps": inner}}, st.lists(steps(), max_size=2)
            ),
        ),
    },
)
ANYTHING = st.one_of(JSON, DOCUMENTS)


@quick
@given(ANYTHING)
def test_checking_never_raises(values: Any) -> None:
    for mistake in check_document(values, for_publishing=False):
        assert mistake.message
        assert mistake.path == "" or mistake.path.startswith("/")


@quick
@given(ANYTHING)
def test_reading_gives_a_document_or_says_why_not_and_reads_its_own_form_unchanged(
    values: Any,
) -> None:
    try:
        document = read_document(values)
    except DocumentInvalid:
        return
    assert read_document(document) == document


@quick
@given(ANYTHING, ANYTHING)
def test_any_two_documents_can_be_compared(one: Any, other: Any) -> None:
    compare_documents(one, other)


@quick
@given(ANYTHING, st.sampled_from(["a", "conditions", "settings", "trigger", "/steps/0/config/x"]))
def test_there_are_names_at_any_place(values: Any, place: str) -> None:
    names = names_at(values, place)
    assert names.groups()
    assert "event" in names.known()


@quick
@given(DOCUMENTS)
def test_export_and_import_are_stable(values: Any) -> None:
    try:
        imported = import_automation({"name": "One", "document": values})
    except DocumentInvalid:
        return
    first = export_automation(imported)
    again = export_automation(import_automation(first))
    assert again["document"] == first["document"]
