"""Documents in the forms that people know, read as the one form that is kept."""

import json
from typing import Any

import pytest

from automations.document.checking import check_document
from automations.document.forms import read_document
from automations.exceptions import DocumentInvalid
from tests.automations.making import make_leads, step
from webhooks.models import Secret

TRIGGERS: list[tuple[Any, dict[str, Any]]] = [
    (
        {"event": "record.created", "object": "obj_def_leads"},
        {"type": "event", "config": {"event": "record.created", "object": "leads"}},
    ),
    (
        {"event": "field.changed", "object": "obj_def_deals", "field": "stage"},
        {"type": "field_changed", "config": {"object": "deals", "fields": ["stage"]}},
    ),
    (
        {"event": "stage.changed", "object": "deals", "from": "new", "to": ["won"]},
        {
            "type": "stage_changed",
            "config": {"object": "deals", "from_stages": ["new"], "to_stages": ["won"]},
        },
    ),
    (
        {"event": "record.field_changed"},
        {"type": "event", "config": {"event": "record.field_changed"}},
    ),
    (
        {"event": "schedule", "cron": "0 9 * * 1", "timezone": "America/New_York"},
        {"type": "schedule", "config": {"cron": "0 9 * * 1", "timezone": "America/New_York"}},
    ),
    ({"event": "webhook.received"}, {"type": "webhook", "config": {}}),
    ({"type": "webhook"}, {"type": "webhook", "config": {}}),
    (
        {"type": "record.created", "config": {"object": "obj_def_leads"}},
        {"type": "event", "config": {"event": "record.created", "object": "leads"}},
    ),
    ("record.created", {"type": "event", "config": {"event": "record.created"}}),
    (None, {"type": "", "config": {}}),
]


@pytest.mark.parametrize(("written", "kept"), TRIGGERS)
def test_triggers(written: Any, kept: dict[str, Any]) -> None:
    assert read_document({"trigger": written})["trigger"] == kept


RULE = {"field": "status", "operator": "equals", "value": "new"}
CONDITIONS: list[tuple[Any, Any]] = [
    ([RULE], {"match": "all", "rules": [RULE]}),
    (RULE, {"match": "all", "rules": [RULE]}),
    ({"match": "any", "rules": [RULE]}, {"match": "any", "rules": [RULE]}),
    ("record.amount > 10", {"expression": "record.amount > 10"}),
    ([], None),
    ({}, None),
    (None, None),
]


@pytest.mark.parametrize(("written", "kept"), CONDITIONS)
def test_conditions(written: Any, kept: Any) -> None:
    assert read_document({"conditions": written})["conditions"] == kept
    branch = step("branch", "b", **{"if": written, "then": [], "else": []})
    arms = read_document({"steps": [branch]})["steps"][0]["config"]["conditions"]
    assert arms == [{"if": kept, "then": []}, {"else": []}]


CONFIGS: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    (
        "webhook",
        {"url": "u", "method": "post", "headers": {"X-Id": "{{record.id}}", "X-N": 5}},
        {
            "url": "u",
            "method": "POST",
            "headers": [
                {"name": "X-Id", "value": "{{record.id}}"},
                {"name": "X-N", "value": "5"},
            ],
        },
    ),
    (
        "webhook",
        {"url": "u", "body": {"id": "{{record.id}}", "n": 1}},
        {"url": "u", "body": '{\n  "id": "{{record.id}}",\n  "n": 1\n}', "body_kind": "json"},
    ),
    (
        "webhook",
        {"url": "u", "body": [1]},
        {"url": "u", "body": "[\n  1\n]", "body_kind": "json"},
    ),
    (
        "webhook",
        {"url": "u", "body": "Hi {{record.name}}"},
        {"url": "u", "body": "Hi {{record.name}}", "body_kind": "text"},
    ),
    (
        "webhook",
        {"url": "u", "body": '{"a": "{{record.id}}"}'},
        {"url": "u", "body": '{"a": "{{record.id}}"}', "body_kind": "json"},
    ),
    (
        "webhook",
        {"url": "u", "body": '{"a": 1}', "content_type": "text/plain"},
        {"url": "u", "body": '{"a": 1}', "body_kind": "text"},
    ),
    ("webhook", {"url": "u", "body": None}, {"url": "u", "body": "", "body_kind": "none"}),
    (
        "webhook",
        {"url": "/p/{id}", "query": {"q": "1"}, "params": {"id": "{{record.id}}", "r": "2"}},
        {
            "url": "/p/{id}",
            "query_params": [{"name": "q", "value": "1"}, {"name": "r", "value": "2"}],
            "path_params": [{"name": "id", "value": "{{record.id}}"}],
        },
    ),
    (
        "webhook",
        {"url": "u", "response": {"type": "json", "schema": {"externalId": "/data/externalId"}}},
        {
            "url": "u",
            "response": "json",
            "response_schema": [{"name": "externalId", "pointer": "/data/externalId"}],
        },
    ),
    (
        "webhook",
        {"url": "u", "expectations": {"success": [200, 202], "retry": "5xx", "halt": 410}},
        {
            "url": "u",
            "success_statuses": "200, 202",
            "retry_statuses": "5xx",
            "halt_statuses": "410",
        },
    ),
    (
        "webhook",
        {"url": "u", "fields": {"name": "Acme", "value": 15.5, "new": True, "items": [1]}},
        {
            "url": "u",
            "body_kind": "rows",
            "body_rows": [
                {"name": "name", "type": "string", "value": "Acme"},
                {"name": "value", "type": "number", "value": "15.5"},
                {"name": "new", "type": "boolean", "value": "true"},
                {"name": "items", "type": "json", "value": "[1]"},
            ],
        },
    ),
    (
        "webhook",
        {"url": "u", "store": {"ref": "id"}},
        {"url": "u", "store": [{"field": "ref", "value": "id"}]},
    ),
    (
        "update_record",
        {"status": "contacted", "follow_up_count": "{{record.follow_up_count + 1}}"},
        {"data": {"status": "contacted", "follow_up_count": "{{record.follow_up_count + 1}}"}},
    ),
    ("update_record", {"fields": {"status": "x"}}, {"data": {"status": "x"}}),
    (
        "update_record",
        {"record": "company", "data": {"status": "x"}},
        {"record": "company", "data": {"status": "x"}},
    ),
    (
        "create_record",
        {"object_definition_id": "obj_def_tasks", "data": {"a": 1}},
        {"object_definition_id": "tasks", "data": {"a": 1}},
    ),
    (
        "create_record",
        {"object": "tasks", "fields": {"a": 1}},
        {"object_definition_id": "tasks", "data": {"a": 1}},
    ),
    ("wait", {"duration": 24, "unit": "hours"}, {"duration": 24, "unit": "hours"}),
    ("wait", {"duration": 1, "unit": "hour"}, {"duration": 1, "unit": "hours"}),
    (
        "send_email",
        {"template_id": "welcome", "to": "{{record.email}}", "variables": {"name": "x"}},
        {"template_id": "welcome", "to": "{{record.email}}", "variables": {"name": "x"}},
    ),
]


@pytest.mark.parametrize(("kind", "written", "kept"), CONFIGS)
def test_configurations(kind: str, written: dict[str, Any], kept: dict[str, Any]) -> None:
    (read,) = read_document({"steps": [{"type": kind, "config": written}]})["steps"]
    assert read["config"] == kept


def test_steps_get_ids_that_can_be_read_and_keep_those_they_have() -> None:
    inner = {"type": "webhook", "config": {"url": "u"}}
    branch = {"type": "branch", "config": {"conditions": [{"if": RULE, "then": [inner]}]}}
    own = {"id": "webhook", "type": "webhook", "config": {"url": "u"}}
    document = read_document({"actions": [inner, branch, own, inner]})
    assert [each["id"] for each in document["steps"]] == [
        "webhook_2",
        "branch",
        "webhook",
        "webhook_4",
    ]
    assert document["steps"][1]["config"]["conditions"][0]["then"][0]["id"] == "webhook_3"
    assert read_document(document) == document


def test_actions_are_steps_and_steps_have_all_their_parts() -> None:
    (read,) = read_document({"actions": [{"type": "call_api", "url": "u"}]})["steps"]
    assert read == {
        "id": "webhook",
        "type": "webhook",
        "name": "",
        "config": {"url": "u"},
        "disabled": False,
        "on_error": "stop",
        "retry_delays_s": [],
    }


REFUSED: list[tuple[Any, str, str]] = [
    (5, "", "A document is an object"),
    ({"stpes": []}, "/stpes", "did you mean `steps`?"),
    ({"steps": [], "actions": []}, "/actions", "stands here twice"),
    ({"trigger": 5}, "/trigger", "A trigger is an object"),
    ({"steps": 5}, "/steps", "Steps are a list"),
    ({"actions": [5]}, "/actions/0", "A step is an object"),
    ({"steps": [{"id": "X Y", "type": "stop"}]}, "/steps/0/id", "start with a small letter"),
    ({"steps": [{"type": 5}]}, "/steps/0/type", "enter text"),
    ({"steps": [{"type": "stop", "config": 5}]}, "/steps/0/config", "give an object"),
    ({"steps": [{"type": "stop", "on_error": "x"}]}, "/steps/0/on_error", "choose one of"),
    (
        {"steps": [{"type": "stop", "config": {}, "messag": 1}]},
        "/steps/0/messag",
        "there is no `messag`",
    ),
    ({"steps": [step("branch", conditions=5)]}, "/steps/0/config/conditions", "a list"),
    ({"steps": [step("branch", conditions=[5])]}, "/steps/0/config/conditions/0", "A case"),
    (
        {"steps": [step("branch", conditions=[{"if": {}, "then": [5]}])]},
        "/steps/0/config/conditions/0/then/0",
        "A step is an object",
    ),
    ({"steps": [step("for_each", do=[5])]}, "/steps/0/config/do/0", "A step is an object"),
    ({"settings": {"max_depth": 0}}, "/settings/max_depth", "the least is 1"),
    (
        {"settings": {"on_failure": {"steps": [5]}}},
        "/settings/on_failure/steps/0",
        "A step is an object",
    ),
    ({"conditions": {"a\0": 1}}, "/conditions", "NUL"),
    ({"conditions": ["\ud800"]}, "/conditions/0", "half a character"),
    ({"conditions": [float("nan")]}, "/conditions/0", "infinite"),
    ({"conditions": [10**400]}, "/conditions/0", "too large"),
    ({"conditions": {"k" * 201: 1}}, "/conditions", "longer than 200"),
    ({"conditions": "x" * 1_100_000}, "", "larger than 1 MB"),
]


@pytest.mark.parametrize(("written", "path", "words"), REFUSED)
def test_what_cannot_be_read_is_told_with_its_place(written: Any, path: str, words: str) -> None:
    with pytest.raises(DocumentInvalid) as refused:
        read_document(written)
    ((at, message),) = refused.value.mistakes
    assert at == path
    assert words in message


def test_all_places_are_told_at_once() -> None:
    with pytest.raises(DocumentInvalid) as refused:
        read_document({"trigger": 5, "steps": [5, {"type": 5}], "setings": {}})
    assert [path for path, _ in refused.value.mistakes] == [
        "/setings", "/trigger", "/steps/0", "/steps/1/type",
    ]  # fmt: skip


def test_hostile_json_is_refused_without_recursion() -> None:
    deep: Any = []
    for _ in range(100_000):
        deep = {"a": deep}
    with pytest.raises(DocumentInvalid, match="nested more than 40"):
        read_document({"conditions": deep})


SEEDS: list[dict[str, Any]] = [
    {
        "type": "webhook",
        "config": {
            "url": "https://api.example.com/webhook",
            "method": "POST",
            "headers": {
                "Authorization": "Bearer {{secrets.api_key}}",
                "Content-Type": "application/json",
            },
            "body": {
                "event": "new_lead",
                "lead_id": "{{record.id}}",
                "name": "{{record.name}}",
                "email": "{{record.email}}",
            },
        },
    },
    {
        "type": "webhook",
        "config": {
            "url": "{{secrets.slack_webhook_url}}",
            "method": "POST",
            "body": {
                "text": "New high-value lead: {{record.name}} ({{record.company}}) - ${{record.amount}}"
            },
        },
    },
    {
        "type": "update_record",
        "config": {
            "status": "contacted",
            "last_contacted_at": "{{now}}",
            "follow_up_count": "{{record.follow_up_count + 1}}",
        },
    },
    {"type": "wait", "config": {"duration": 24, "unit": "hours"}},
    {
        "type": "branch",
        "config": {
            "conditions": [
                {
                    "if": {"field": "amount", "operator": "greater_than", "value": 10000},
                    "then": [{"type": "stop", "config": {"message": "large"}}],
                },
                {"else": [{"type": "stop", "config": {}}]},
            ]
        },
    },
]


@pytest.mark.django_db
@pytest.mark.parametrize("seed", SEEDS, ids=lambda seed: seed["type"])
def test_the_examples_of_the_manuals_are_read_and_have_no_mistakes(seed: dict[str, Any]) -> None:
    make_leads()
    for name in ("api_key", "slack_webhook_url"):
        Secret.objects.create(name=name, encrypted="x", value_changed_at="2025-01-01T00:00Z")
    written = {"trigger": {"event": "record.created", "object": "obj_def_leads"}, "actions": [seed]}
    document = read_document(json.loads(json.dumps(written)))
    assert check_document(document, for_publishing=False) == []
