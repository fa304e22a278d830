"""What steps refer to is looked up by the kinds of input that their configurations declare, whoever wrote the step."""

from collections.abc import Iterator
from typing import Any, ClassVar

import pytest
from django.contrib.auth.models import Group
from pydantic import Field

from automations.document.checking import check_document
from automations.steps import ACTIONS, Action, Config, action
from records.models import User
from tests.automations.making import ON_CREATED, make_leads, step

pytestmark = pytest.mark.django_db


def declared(kind: str, **more: Any) -> Any:
    return Field(None, title="It", json_schema_extra={"input": kind, **more})


class AnyConfig(Config):
    object: Any = declared("object")
    target: Any = Field(None, json_schema_extra={"input": "object"})
    field: Any = declared("field")
    fields: Any = declared("fields")
    stage: Any = declared("stage")
    teams: Any = declared("teams")
    users: Any = declared("users")
    secret: Any = declared("secret", kinds=["text"])
    statuses: Any = declared("statuses")
    auth: Any = declared("auth")
    pointers: Any = declared("pointers")
    map: Any = declared("field_map", attributes=["stage"])
    their_map: Any = declared("field_map", object_from="target")
    when: Any = declared("conditions")
    link: Any = declared("url")
    plain: Any = declared("text")
    anything: Any = declared("json")


@pytest.fixture(autouse=True)
def _another_apps_action() -> Iterator[None]:
    make_leads()

    @action
    class FromElsewhere(Action):
        name = "elsewhere"
        label = "From elsewhere"
        Config: ClassVar = AnyConfig

        def texts_without_expressions(self) -> frozenset[str]:
            return frozenset({"plain"})

        def problems(self, config: Any, names: Any) -> list[tuple[str, str]]:
            return [("anything", "not this one")] if config.anything == "bad" else []

    yield
    del ACTIONS["elsewhere"]


WRONG: list[tuple[dict[str, Any], str, str]] = [
    ({"object": "lead"}, "/object", "It: there is no object `lead`; did you mean `leads`?"),
    ({"field": "nmae"}, "/field", "did you mean `name`?"),
    ({"fields": ["name", "nmae"]}, "/fields/1", "did you mean `name`?"),
    ({"object": "companies", "field": "amount"}, "/field", "has no field `amount`"),
    ({"stage": "wno"}, "/stage", "did you mean `won`?"),
    ({"teams": ["Sales", "Slaes"]}, "/teams/1", "did you mean `Sales`?"),
    ({"users": ["ada", "bob"]}, "/users/1", "no active user “bob”"),
    ({"users": ["user_nobody"]}, "/users/0", "no active user"),
    ({"secret": "key"}, "/secret", "there is no secret `key`"),
    ({"statuses": "2xx, x"}, "/statuses", "“x” (part 2) is no status"),
    ({"auth": {"kind": "basic", "secret": "s"}}, "/auth/username", "Enter the user name"),
    ({"pointers": [{"name": "a", "pointer": "a"}]}, "/pointers/0/pointer", "no JSON Pointer"),
    ({"map": {"nmae": 1}}, "/map/nmae", "did you mean `name`?"),
    ({"map": [{"field": "nmae", "value": 1}]}, "/map/0", "did you mean `name`?"),
    ({"map": [{"field": "", "value": 1}]}, "/map/0", "It: choose a field."),
    ({"map": {"stage": "wno"}}, "/map/stage", "did you mean `won`?"),
    ({"map": {"name": "{{ record.nmae }}"}}, "/map/name", "did you mean `name`?"),
    ({"target": "companies", "their_map": {"amount": 1}}, "/their_map/amount", "no field `amount`"),
    ({"when": {"match": "al"}}, "/when/match", "all or any"),
    ({"link": "https://x/{record.nmae}"}, "/link", "did you mean `name`?"),
    ({"anything": {"a": ["{{ x }}"]}}, "/anything/a/0", "unknown name `x`"),
    ({"anything": "bad"}, "/anything", "not this one"),
]


def mistakes_in(config: dict[str, Any]) -> list[tuple[str, str]]:
    Group.objects.create(name="Sales")
    User.objects.create(username="ada", email="ada@example.com")
    document = {"trigger": ON_CREATED, "steps": [step("elsewhere", **config)]}
    return [(one.path, one.message) for one in check_document(document)]


@pytest.mark.parametrize(("config", "path", "words"), WRONG)
def test_what_is_not_there_is_told(config: dict[str, Any], path: str, words: str) -> None:
    found = mistakes_in(config)
    assert [at for at, _ in found if at != "/steps/0/config/auth/secret"] == [
        f"/steps/0/config{path}"
    ]
    assert words in found[0][1]


@pytest.mark.parametrize(
    "config",
    [
        {"object": "obj_def_leads", "fields": ["name", "stage"], "stage": "won"},
        {"teams": ["Sales", "{{ record.name }}"], "users": ["ada", "ADA@example.com"]},
        {"map": {"stage": "won", "name": "{{ record.email }}"}},
        {"target": "companies", "their_map": {"city": "Rome"}},
        {"plain": "{{ not an expression", "link": "", "secret": "{{ record.name }}"},
    ],
)
def test_what_is_there_or_worked_out_later_is_no_mistake(config: dict[str, Any]) -> None:
    assert mistakes_in(config) == []


def test_steps_about_linked_records_know_the_fields_of_these() -> None:
    def update(**config: Any) -> list[tuple[str, str]]:
        document = {"trigger": ON_CREATED, "steps": [step("update_record", **config)]}
        return [(one.path, one.message) for one in check_document(document)]

    assert update(record="company", data={"city": "Rome"}) == []
    assert update(record="{{ steps_of_others }}", data={"x": 1})[0][0] == "/steps/0/config/record"
    ((path, words),) = update(record="company", data={"amount": 1})
    assert (path, "Companies" in words or "companies" in words) == (
        "/steps/0/config/data/amount",
        True,
    )
    ((path, words),) = update(record="compny", data={})
    assert path == "/steps/0/config/record"
    assert "did you mean `company`?" in words
