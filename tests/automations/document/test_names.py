"""Which names there are at which place."""

from typing import Any

import pytest
from django.utils import timezone

from automations.document.names import names_at
from automations.models import Run, RunStatus
from automations.services import create_automation, publish
from tests.automations.making import ON_CREATED, make_leads, step
from webhooks.models import Secret
from webhooks.names import menu_of

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _leads() -> None:
    make_leads()
    Secret.objects.create(name="api_key", encrypted="x", value_changed_at="2025-01-01T00:00Z")


RULE = {"match": "all", "rules": [{"field": "amount", "operator": "is_empty"}]}


def hook(step_id: str, **config: Any) -> dict[str, Any]:
    return step("webhook", step_id, url="https://example.com", **config)


DOCUMENT: dict[str, Any] = {
    "trigger": ON_CREATED,
    "conditions": None,
    "steps": [
        hook("lookup", response_schema=[{"name": "id", "pointer": "/id"}]),
        step("set_variables", "first", variables={"total": 1}),
        step(
            "branch",
            "way",
            conditions=[
                {"if": RULE, "then": [hook("a1"), step("stop", "a2")]},
                {"else": [hook("b1"), step("stop", "b2")]},
            ],
        ),
        step(
            "for_each", "loop", list="{{ vars.total }}", **{"as": "line"}, steps=[hook("in_loop")]
        ),
        {**hook("off"), "disabled": True},
        step("stop", "end"),
    ],
    "settings": {"on_failure": {"steps": [step("stop", "fallback")]}},
}
BEFORE_BRANCH = {"lookup", "first"}
AFTER_BRANCH = BEFORE_BRANCH | {"way", "a1", "a2", "b1", "b2"}
VISIBLE: list[tuple[str, set[str], bool]] = [
    # place, steps that can be seen, whether secrets can
    ("lookup", set(), True),
    ("first", {"lookup"}, False),
    ("a1", BEFORE_BRANCH, True),
    ("a2", BEFORE_BRANCH | {"a1"}, False),
    ("b2", BEFORE_BRANCH | {"b1"}, False),
    ("/steps/2/config/conditions/1/else/1/config/message", BEFORE_BRANCH | {"b1"}, False),
    ("in_loop", AFTER_BRANCH, True),
    ("end", AFTER_BRANCH | {"loop", "in_loop"}, False),
    ("fallback", AFTER_BRANCH | {"loop", "in_loop", "end"}, False),
]


@pytest.mark.parametrize(("place", "steps", "has_secrets"), VISIBLE)
def test_steps_see_those_that_may_have_run_before(
    place: str, steps: set[str], has_secrets: bool
) -> None:
    known = names_at(DOCUMENT, place).known()
    assert known["steps"] == steps
    assert ("secrets" in known) is has_secrets


@pytest.mark.parametrize(
    ("place", "there", "not_there"),
    [
        ("conditions", {"record", "previous", "event", "automation"}, {"steps", "vars", "run"}),
        ("in_loop", {"line", "index"}, {"item", "error", "webhook"}),
        ("end", {"vars", "run"}, {"line", "index"}),
        ("fallback", {"error"}, {"secrets"}),
    ],
)
def test_first_names(place: str, there: set[str], not_there: set[str]) -> None:
    known = names_at(DOCUMENT, place).known()
    assert there <= known.keys()
    assert not not_there & known.keys()


def test_variables_are_there_after_the_step_that_sets_them() -> None:
    assert names_at(DOCUMENT, "first").known()["vars"] == frozenset()
    assert names_at(DOCUMENT, "way").known()["vars"] == {"total"}


@pytest.mark.parametrize(
    ("place", "path", "words"),
    [
        (
            "first",
            "steps.lookup.respons",
            "`steps.lookup` has no `respons`; did you mean `response`?",
        ),
        ("first", "steps.lookup.response.nr", "`steps.lookup.response` has no `nr`"),
        ("first", "steps.end", "the step `end` does not come before this one"),
        (
            "first",
            "steps.lokup",
            "there is no step `lokup` before this one; did you mean `lookup`?",
        ),
        ("a1", "vars.totl", "did you mean `total`?"),
        ("end", "steps.way.arm", "the step `way` gives nothing to later steps"),
        ("end", "record.nmae", "Leads has no field `nmae`; did you mean `name`?"),
        ("end", "steps.off.status", "does not come before"),
    ],
)
def test_unknown_names_are_told_with_what_may_be_meant(place: str, path: str, words: str) -> None:
    names = names_at(DOCUMENT, place)
    problem = names.problem_with(path, names.known())
    assert problem
    assert words in problem[0]


@pytest.mark.parametrize(
    "path", ["steps.lookup.response.id", "steps.lookup.headers.etag", "steps.lookup", "vars.total"]
)
def test_what_is_there_has_no_problem(path: str) -> None:
    names = names_at(DOCUMENT, "a1")
    assert names.problem_with(path, names.known()) is None


def test_a_step_that_may_fail_and_go_on_has_an_error() -> None:
    steps = [{**hook("lookup"), "on_error": "continue"}, step("stop", "end")]
    names = names_at({**DOCUMENT, "steps": steps}, "end")
    assert names.problem_with("steps.lookup.error", names.known()) is None


def test_a_request_that_came_in_is_seen_where_one_came_in() -> None:
    names = names_at({**DOCUMENT, "trigger": {"type": "webhook", "config": {}}}, "conditions")
    assert "body" in (names.known()["webhook"] or ())
    assert names.problem_with("record.name", names.known()) == (
        "what triggers this automation is about no record",
        "record",
    )


def paths(names: Any) -> list[str]:
    return [name["path"] for group in menu_of(names) for name in group["names"]]


def test_the_menu_offers_what_the_last_run_gave() -> None:
    automation = create_automation(name="Welcome", draft=DOCUMENT)
    version = publish(automation=automation)
    outputs = {"lookup": {"response": {"id": "EXT-1", "x-y": 2, "rows": [{"sku": "A"}]}}}
    for status, steps in ((RunStatus.SUCCEEDED, outputs), (RunStatus.FAILED, {"lookup": {}})):
        Run.objects.create(
            automation=automation,
            version=version,
            event_name="record.created",
            status=status,
            variables={"steps": steps},
            created_at=timezone.now(),
        )
    names = names_at(DOCUMENT, "first", automation=automation)
    (group,) = [each for each in names.groups() if each.label == "Step: lookup"]
    assert [(name.path, name.label) for name in group.names] == [
        ("steps.lookup.response.id", "Last time: EXT-1"),
        ('steps.lookup.response["x-y"]', "Last time: 2"),
        ("steps.lookup.response.rows", 'Last time: [{"sku": "A"}]'),
        ("steps.lookup.response.rows[0].sku", "Last time: A"),
    ]


def test_without_a_run_the_menu_offers_what_steps_say_they_give() -> None:
    offered = paths(names_at(DOCUMENT, "in_loop"))
    for path in (
        "line",
        "index",
        "record.amount",
        "steps.lookup.response.id",
        "vars.total",
        "automation.name",
        "secrets.api_key",
        "now",
    ):
        assert path in offered
    assert "secrets.api_key" not in paths(names_at(DOCUMENT, "end"))
    assert "error.message" in paths(names_at(DOCUMENT, "fallback"))


def test_a_trigger_with_mistakes_hides_no_names_of_records() -> None:
    names = names_at({**DOCUMENT, "trigger": {"type": "nothing"}}, "end")
    assert names.problem_with("record.anything", names.known()) is None
