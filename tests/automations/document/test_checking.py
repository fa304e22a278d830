"""Every mistake is told where it is, in words that say what to do."""

from typing import Any

import pytest

from automations.document.checking import Mistake, check_document
from automations.steps import ACTIONS
from tests.automations.making import ON_CREATED, make_leads, step
from webhooks.models import Secret

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _leads() -> None:
    make_leads()


def document(*steps: dict[str, Any], **parts: Any) -> dict[str, Any]:
    return {"trigger": ON_CREATED, "conditions": None, "steps": list(steps), "settings": {}} | parts


def hook(step_id: str = "s1", /, **config: Any) -> dict[str, Any]:
    return step("webhook", step_id, **{"url": "https://api.example.com/hook", **config})


def told(values: Any, **options: Any) -> list[tuple[str, str, str]]:
    return [(one.card, one.path, one.message) for one in check_document(values, **options)]


def test_a_sound_document_has_no_mistakes() -> None:
    rules = {"match": "all", "rules": [{"field": "amount", "operator": "greater_than", "value": 5}]}
    values = document(
        step("set_variables", "total", variables={"sum": "{{ record.amount + 1 }}"}),
        hook("tell", body_kind="json", body='{"sum": "{{ vars.sum }}"}'),
        step("stop", "end", message="{{ steps.tell.status }}"),
        conditions=rules,
    )
    assert told(values) == []


def test_an_automation_without_steps_does_nothing() -> None:
    assert told(document()) == [("settings", "/steps", "Add a step first.")]


SHAPES: list[tuple[dict[str, Any], str, str, str]] = [
    ({"trigger": None}, "trigger", "/trigger", "Choose a trigger"),
    ({"trigger": {"type": "evnt"}}, "trigger", "/trigger/type", "did you mean `event`?"),
    ({"trigger": {"type": "event"}}, "trigger", "/trigger/config/event", "Event: enter a value"),
    (
        {"trigger": {"type": "event", "config": {"event": "record.creatd"}}},
        "trigger",
        "/trigger/config/event",
        "record.creatd",
    ),
    (
        {"trigger": {"type": "event", "config": {"event": "record.created", "object": "lead"}}},
        "trigger",
        "/trigger/config/object",
        "There is no object `lead`; did you mean `leads`?",
    ),
    (
        {"conditions": {"match": "all", "rules": [{"field": "amuont", "operator": "is_empty"}]}},
        "conditions",
        "/conditions/rules/0/field",
        "Leads has no field `amuont`; did you mean `amount`?",
    ),
    (
        {"conditions": {"expression": "steps.tell.status == 200"}},
        "conditions",
        "/conditions/expression",
        "this is asked before the first step",
    ),
    ({"setings": {}}, "settings", "/setings", "did you mean `settings`?"),
    ({"settings": {"max_depth": 0}}, "settings", "/settings/max_depth", "the least is 1."),
    (
        {"settings": {"concurrency": {"mode": "queue"}}},
        "settings",
        "/settings/concurrency/mode",
        "did you mean `queued`?",
    ),
    (
        {"settings": {"on_failure": {"notify_teams": ["Nobody"]}}},
        "settings",
        "/settings/on_failure/notify_teams/0",
        "There is no team “Nobody”",
    ),
]


@pytest.mark.parametrize(("parts", "card", "path", "words"), SHAPES)
def test_mistakes_outside_of_steps(parts: dict[str, Any], card: str, path: str, words: str) -> None:
    (mistake,) = check_document(document(hook("tell"), **parts))
    assert (mistake.card, mistake.path) == (card, path)
    assert words in mistake.message


def body(text: str) -> dict[str, Any]:
    return hook(body_kind="json", body=text)


STEPS: list[tuple[dict[str, Any], str, str]] = [
    ({"id": "S 1", "type": "stop"}, "/id", "Id: start with a small letter"),
    ({"type": "stop"}, "/id", "Id: enter a value"),
    ({"id": "s1"}, "/type", "Type: enter a value"),
    (step("webhok", "s1"), "/type", "did you mean `webhook`?"),
    ({**step("stop"), "on_eror": "stop"}, "/on_eror", "did you mean `on_error`?"),
    (step("stop", outcome="won"), "/config/outcome", "choose one of succeeded, failed."),
    (step("stop", mesage="x"), "/config/mesage", "did you mean `message`?"),
    (step("stop", message="{{ record.nmae }}"), "/config/message", "did you mean `name`?"),
    (step("stop", message="{{ record. }}"), "/config/message", "Message, column"),
    (step("stop", message="{{ vars.x }}"), "/config/message", "no step before this one sets"),
    (step("stop", message="{{ steps.x.y }}"), "/config/message", "there is no step `x`"),
    (step("stop", message="{{ item }}"), "/config/message", "inside of a loop only"),
    (step("stop", message="{{ webhook.body }}"), "/config/message", "“Webhook received” only"),
    (step("stop", message="{{ error.message }}"), "/config/message", "steps for failures only"),
    (step("stop", message="{{ secrets.api_key }}"), "/config/message", "send requests only"),
    (step("set_variables", variables={"A": 1}), "/config/variables/A", "start with a small letter"),
    (step("set_variables", variables={"a": {"b": "{{ x }}"}}), "/config/variables/a/b", "`x`"),
    (step("wait"), "/config", "Say how long to wait"),
    (step("wait", duration=1, unit="hour"), "/config/unit", "did you mean `hours`?"),
    (step("branch"), "/config/conditions", "Add a case"),
    (step("for_each", steps=[]), "/config/list", "List: enter a value"),
    (step("for_each", list="{{ x }}", steps=[]), "/config/list", "unknown name `x`"),
    (step("webhook"), "/config/url", "URL: enter a value"),
    (hook(url=" "), "/config/url", "Enter the address to call"),
    (hook(url="https://{{ secrets.nothing }}"), "/config/url", "there is no secret `nothing`"),
    (hook(headers=[{"name": "", "value": "x"}]), "/config/headers/0", "it has no name"),
    (hook(headers=[{"name": "X", "value": "{{ y }}"}]), "/config/headers/0", "Header `X`"),
    (body('{"a": {{ record.name }} }'), "/config/body", "put expressions between quotes"),
    (hook(success_statuses="2x"), "/config/success_statuses", "“2x” (part 1) is no status"),
    (hook(success_statuses=" "), "/config/success_statuses", "such as 2xx"),
    (
        hook(response_schema=[{"name": "id", "pointer": "data/id"}]),
        "/config/response_schema/0/pointer",
        "no JSON Pointer",
    ),
    (
        hook(store=[{"field": "nmae", "value": "{{ response.id }}"}]),
        "/config/store/0/field",
        "Leads has no field `nmae`",
    ),
    (
        hook(store=[{"field": "name", "value": "{{ respnse.id }}"}]),
        "/config/store/0/value",
        "did you mean `response`?",
    ),
    (hook(auth={"kind": "bearer"}), "/config/auth/secret", "Choose the secret"),
    (hook(signing_secret="whsec"), "/config/signing_secret", "there is no secret `whsec`"),
    (hook(url="http://testserver/x"), "/config/url", "URL: "),
]


@pytest.mark.parametrize(("wrong", "path", "words"), STEPS)
def test_mistakes_in_a_step(wrong: dict[str, Any], path: str, words: str) -> None:
    if "testserver" in str(wrong):
        from webhooks.outbound import own_hosts

        wrong["config"]["url"] = f"https://{own_hosts()[0]}/admin/"
    (mistake,) = check_document(document(wrong))
    assert mistake.path == f"/steps/0{path}"
    assert mistake.card == wrong.get("id", "/steps/0")
    assert words in mistake.message


def test_two_steps_may_not_share_an_id() -> None:
    assert told(document(step("stop", "a"), step("stop", "a"))) == [
        ("a", "/steps/0/id", "Two steps have the id `a`; each needs its own."),
        ("a", "/steps/1/id", "Two steps have the id `a`; each needs its own."),
    ]


def test_steps_within_steps_have_cards_of_their_own() -> None:
    inner = step("stop", "inner", message="{{ record.nmae }}")
    branch = step("branch", "way", conditions=[{"if": RULE, "then": [inner]}, {"else": []}])
    assert [(one.card, one.path) for one in check_document(document(branch))] == [
        ("inner", "/steps/0/config/conditions/0/then/0/config/message")
    ]


def test_what_is_no_step_is_told() -> None:
    loop = step("for_each", "loop", list="{{ record.tags }}", steps=["x"])
    assert [one.path for one in check_document(document(loop, 5))] == [  # type: ignore[arg-type]
        "/steps/0/config/steps/0",
        "/steps/1",
    ]


RULE = {"match": "all", "rules": [{"field": "amount", "operator": "greater_than", "value": 1}]}


def test_the_conditions_of_a_branch_are_checked_with_the_names_of_its_place() -> None:
    rules = [
        {"field": "vars.total", "operator": "equals", "value": 1},
        {"field": "vars.other", "operator": "equals", "value": 1},
        {"field": "amount", "operator": "starts_with", "value": "1"},
    ]
    arm = {"if": {"match": "all", "rules": rules}, "then": []}
    first = step("set_variables", "first", variables={"total": 1})
    found = check_document(document(first, step("branch", "way", conditions=[arm])))
    assert [one.path for one in found] == [
        "/steps/1/config/conditions/0/if/rules/1/field",
        "/steps/1/config/conditions/0/if/rules/2/operator",
    ]


def test_a_case_without_a_condition_would_always_apply() -> None:
    arms = [{"if": None, "then": []}, {"else": []}]
    (mistake,) = check_document(document(step("branch", "way", conditions=arms)))
    assert (mistake.path, mistake.card) == ("/steps/0/config/conditions/0/if", "way")


def test_the_fallback_sees_the_error_and_is_checked_like_all_steps() -> None:
    fallback = [step("stop", "tell", message="{{ error.message }} {{ error.mesage }}")]
    values = document(hook(), settings={"on_failure": {"steps": fallback}})
    (mistake,) = check_document(values)
    assert mistake.path == "/settings/on_failure/steps/0/config/message"
    assert mistake.card == "tell"
    assert "did you mean `message`?" in mistake.message


def test_a_destination_that_is_refused_as_things_are_is_a_warning() -> None:
    values = document(hook(url="http://10.0.0.1/hook"))
    assert check_document(values) == []
    (warning,) = check_document(values, for_publishing=False)
    assert warning.is_warning
    assert (warning.card, warning.path) == ("s1", "/steps/0/config/url")


def test_a_secret_of_another_kind_is_no_header() -> None:
    Secret.objects.create(
        name="signing", kind="symmetric", encrypted="x", value_changed_at="2025-01-01T00:00Z"
    )
    (mistake,) = check_document(document(hook(auth={"kind": "bearer", "secret": "signing"})))
    assert "of another kind" in mistake.message


def test_one_broken_step_does_not_hide_the_others() -> None:
    values = document({"id": 5}, step("stop", "b", outcome="x"), step("nothing", "c"))
    assert {one.card for one in check_document(values)} == {"/steps/0", "b", "c"}


def test_what_is_too_deep_or_too_large_is_told_and_not_looked_at() -> None:
    deep: Any = []
    for _ in range(100_000):
        deep = [deep]
    (mistake,) = check_document(document(hook(), conditions=deep))
    assert "nested more than 40" in mistake.message
    assert check_document(document(hook(body="x" * 2_000_000))) == [
        Mistake("", "It is larger than 1 MB; an automation is not.")
    ]


def test_loops_in_loops_have_a_limit() -> None:
    inner = step("stop", "end")
    for depth in range(10):
        inner = step("for_each", f"loop_{depth}", list="{{ record.tags }}", steps=[inner])
    (mistake,) = check_document(document(inner))
    assert "more than 8 deep" in mistake.message


def test_what_could_not_be_loaded_is_not_published(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: Any) -> None:
        raise RuntimeError("not today")

    monkeypatch.setattr(ACTIONS["stop"], "prepare", fail, raising=False)
    (mistake,) = check_document(document(step("stop", "end")))
    assert "not today" in mistake.message
