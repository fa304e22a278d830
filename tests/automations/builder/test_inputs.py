"""What people write in each kind of input, as configs have it."""

from typing import Any

import pytest
from django.utils.datastructures import MultiValueDict
from pydantic import Field

from automations.builder.fields import fields_of
from automations.builder.forms import ConfigForm, read_config
from automations.builder.place import Place
from automations.services import create_automation
from automations.steps import Config
from records.expressions import render_typed
from records.models import User
from tests.automations.making import make_automation, make_leads, step


def kind(name: str, **options: Any) -> dict[str, Any]:
    return {"json_schema_extra": {"input": name, **options}}


class Everything(Config):
    text: str = Field("", **kind("text"))
    link: str = Field("", **kind("url"))
    number: float | str | None = Field(None, **kind("number"))
    flag: bool = Field(True, **kind("checkbox"))
    rows: dict[str, Any] = Field({}, **kind("rows"))
    to: list[str] = Field([], **kind("emails"))
    one: str = Field("", **kind("emails"))
    people: list[str] = Field([], **kind("users"))
    teams: list[str] = Field([], **kind("teams"))
    delays: list[int] = Field([60], **kind("delays"))
    after: int = Field(0, **kind("duration"))
    data: Any = Field(None, **kind("json"))
    auth: dict[str, str] = Field({}, **kind("auth"))
    rules: dict[str, Any] | None = Field(None, **kind("conditions"))
    record: str = Field("", **kind("record"))
    automation: str = Field("", **kind("automation"))


@pytest.mark.parametrize(
    ("key", "sent", "expected"),
    [
        ("text", {"c-text": " plain "}, "plain"),
        ("link", {"c-link": " https://x.test "}, "https://x.test"),
        ("number", {"c-number": "2.5"}, 2.5),
        ("number", {"c-number": "{{ vars.n }}"}, "{{ vars.n }}"),
        ("number", {"c-number": "many"}, "many"),
        ("number", {"c-number": "1e999"}, "1e999"),
        ("flag", {"c-flag-sent": "1"}, False),
        ("rows", {"c-rows-sent": "1", "c-rows-name": ["a", " "], "c-rows-value": ["{{ 1 }}", " "]}, {"a": "{{ 1 }}"}),
        ("to", {"c-to": "a@x.test; {{ f('b, c') }},\nd@x.test"}, ["a@x.test", "{{ f('b, c') }}", "d@x.test"]),
        ("one", {"c-one": "a@x.test, b@x.test"}, "a@x.test, b@x.test"),
        ("people", {"c-people-sent": "1", "c-people": ["ada"], "c-people-others": "{{ record.manager }}"},
         ["ada", "{{ record.manager }}"]),
        ("teams", {"c-teams-sent": "1", "c-teams": ["Sales", ""]}, ["Sales"]),
        ("delays", {"c-delays": ""}, []),
        ("delays", {"c-delays": "1 min, 1 h"}, [60, 3600]),
        ("delays", {"c-delays": "whenever"}, "whenever"),
        ("after", {"c-after": "5 min"}, 300),
        ("data", {"c-data": '{"a": [1, null]}'}, {"a": [1, None]}),
        ("data", {"c-data": '{"a":'}, '{"a":'),
        ("auth", {"c-auth-kind": "bearer", "c-auth-secret": "key"}, {"kind": "bearer", "secret": "key"}),
        ("rules", {"c-rules": '{"expression": "1 > 0"}'}, {"expression": "1 > 0"}),
        ("record", {"c-record": "company", "c-record-id": "left over"}, "company"),
        ("record", {"c-record": "?", "c-record-id": " {{ steps.create.id }} "}, "{{ steps.create.id }}"),
        ("record", {"c-record": "?", "c-record-id": " "}, "{{ }}"),
        ("automation", {"c-automation": "Orders"}, "Orders"),
    ],
)  # fmt: skip
def test_what_is_written_is_read(key: str, sent: dict[str, Any], expected: Any) -> None:
    data = MultiValueDict(
        {name: value if isinstance(value, list) else [value] for name, value in sent.items()}
    )

    assert read_config(Everything, {}, data) == {key: expected}


@pytest.mark.parametrize(
    ("key", "sent"),
    [
        ("text", {"c-text": ""}),
        ("rows", {"c-rows-sent": "1"}),
        ("teams", {"c-teams-sent": "1"}),
        ("auth", {"c-auth-kind": "none"}),
        ("record", {"c-record": "", "c-record-id": "left over"}),
        ("automation", {"c-automation": ""}),
        ("rules", {"c-rules": '{"match": "all", "rules": []}'}),
    ],
)
def test_what_is_emptied_is_left_out(key: str, sent: dict[str, str]) -> None:
    data = MultiValueDict({name: [value] for name, value in sent.items()})

    assert read_config(Everything, {key: "as before"}, data) == {}


def test_what_the_form_does_not_have_stays_as_it_was() -> None:
    assert read_config(Everything, {"text": "kept", "flag": False}, MultiValueDict()) == {
        "text": "kept",
        "flag": False,
    }


def test_a_config_that_declares_nothing_gets_a_form_from_its_types() -> None:
    class Foreign(Config):
        url: str
        timeout_s: int = 30
        is_quick: bool = False
        mode: str = ""
        signing_secret: str = ""
        tags: list[str] = []
        headers: dict[str, str] = {}
        anything: Any = None

    kinds = {field.key: (field.kind, field.label) for field in fields_of(Foreign)}
    assert kinds == {
        "url": ("url", "Url"),
        "timeout_s": ("number", "Timeout"),
        "is_quick": ("checkbox", "Is quick"),
        "mode": ("expression", "Mode"),
        "signing_secret": ("secret", "Signing secret"),
        "tags": ("lines", "Tags"),
        "headers": ("rows", "Headers"),
        "anything": ("json", "Anything"),
    }


@pytest.mark.django_db
def test_values_that_are_no_texts_are_shown_as_expressions_and_keep_their_type() -> None:
    values = {"rows": {"a": 5, "b": {"x": [True, None, "it's"]}, "c": "text"}}
    place = Place({"trigger": {}}, User.objects.create_user("ada"))
    rows = ConfigForm(Everything, values, place, "s1").by_key()["rows"].context["rows"]

    shown = [row["value"] for row in rows if not row.get("is_blank")]
    assert shown == ["{{ 5 }}", '{{ { "x": [true, none, "it\'s"] } }}', "text"]
    assert [render_typed(text, {}) for text in shown] == [5, {"x": [True, None, "it's"]}, "text"]


# --- what a step is about ----------------------------------------------------------------------


def shown(draft: dict[str, Any], user: User, **values: Any) -> dict[str, Any]:
    """The contexts of a form with these values, by their fields."""
    form = ConfigForm(Everything, values, Place(draft, user), "s1")
    return {each.key: each.context for each in form.shown()}


ON_LEADS = {"trigger": {"type": "event", "config": {"event": "record.created", "object": "leads"}}}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("value", "chosen", "source"),
    [
        ("", "", ""),
        ("company", "company", ""),
        ("nothing", "nothing", ""),
        ("{{ steps.create.id }}", "?", "{{ steps.create.id }}"),
        ("rec_01h455vb4pex5vsknk084sn02q", "?", "rec_01h455vb4pex5vsknk084sn02q"),
        ("{{ }}", "?", ""),
    ],
)
def test_a_record_is_the_own_a_linked_one_or_written(value: str, chosen: str, source: str) -> None:
    make_leads()
    record = shown(ON_LEADS, User.objects.create_superuser("admin"), record=value)["record"]

    assert (record["chosen"], record["source"]) == (chosen, source)
    choices = dict(record["choices"])
    assert choices.pop("company") == "Its Company (Companie)"
    assert choices == ({"nothing": "nothing (not there)"} if value == "nothing" else {})


@pytest.mark.django_db
def test_automations_are_chosen_by_name_with_what_they_do() -> None:
    on = make_automation(step("stop"), trigger={"type": "manual", "config": {}}, name="On")
    off = create_automation(name="Off")
    user = User.objects.create_superuser("admin")

    context = shown(ON_LEADS, user, automation=off.pk)["automation"]

    groups = dict(context["groups"])
    assert groups["Switched on"] == [(on.pk, "On · active")]
    assert groups["Not switched on: it can't be started yet"] == [(off.pk, "Off · draft")]
    assert (context["chosen"], context["choices"]) == ([off.pk], [])


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("names", "value", "unknown"),
    [
        (["Orders"], "Orders", []),
        (["Orders", "Orders"], "Orders", [("Orders", "Orders (not there)")]),
        ([], "Orders", [("Orders", "Orders (not there)")]),
    ],
)
def test_an_automation_that_is_named_stays_named(
    names: list[str], value: str, unknown: list[tuple[str, str]]
) -> None:
    for name in names:
        create_automation(name=name)
    user = User.objects.create_superuser("admin")

    context = shown(ON_LEADS, user, automation=value)["automation"]

    assert context["choices"] == unknown
    offered = [key for _, choices in context["groups"] for key, _ in choices]
    assert (value in offered) is not bool(unknown)
