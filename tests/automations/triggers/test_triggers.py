"""What triggers match, say of themselves, and find wrong."""

from typing import Any

import pytest
from django.contrib.auth.models import Group

from automations.models import Run
from automations.services import set_state
from automations.triggers import TRIGGERS, Trigger, TriggerConfig, trigger
from records.eventtypes import CATALOGUE, event_names, label_of
from records.listeners import is_anybody_listening
from records.models import Event, ObjectDefinition, Record
from records.services import create_record, move_stage, update_record
from tests.automations.making import make_automation, step, work
from tests.records.making import fresh, make_object, make_user

NOTE = step("set_variables", variables=[{"name": "done", "value": "yes"}])


def problems(kind: str, **config: Any) -> list[tuple[str, str]]:
    found = TRIGGERS[kind]
    return found.problems(found.Config.model_validate(config))


def described(kind: str, **config: Any) -> str:
    found = TRIGGERS[kind]
    return found.describe(found.Config.model_validate(config))


@pytest.fixture
def deals(db: None) -> ObjectDefinition:
    return make_object(
        "deals",
        {"slug": "name", "required": True},
        {"slug": "amount", "kind": "number"},
        {"slug": "closes_on", "kind": "date"},
        {"slug": "call_at", "kind": "datetime"},
        stages="open offered won",
    )


# --- Matching ---------------------------------------------------------------------------------------


def changed(*names: str) -> Event:
    return Event(type="record.updated", changed=list(names))


@pytest.mark.parametrize(
    ("fields", "event", "expected"),
    [
        ([], changed("amount"), True),
        (["amount"], changed("amount"), True),
        (["amount", "name"], changed("closes_on", "name"), True),
        (["amount"], changed("name", "stage"), False),
        (["stage"], changed("name", "stage"), True),
        (["owner"], changed("owner"), True),
    ],
)
def test_a_field_changed_is_any_one_of_those_chosen(
    fields: list[str], event: Event, expected: bool
) -> None:
    kind = TRIGGERS["field_changed"]
    config = kind.Config.model_validate({"object": "deals", "fields": fields})
    assert kind.matches(config, event, "record.field_changed") is expected


@pytest.mark.parametrize(
    ("from_stages", "to_stages", "expected"),
    [
        ([], [], True),
        (["open"], [], True),
        ([], ["won"], True),
        (["open", "offered"], ["won"], True),
        (["offered"], [], False),
        ([], ["offered"], False),
        (["open"], ["offered"], False),
    ],
)
def test_a_stage_changed_is_from_some_to_some(
    from_stages: list[str], to_stages: list[str], expected: bool
) -> None:
    kind = TRIGGERS["stage_changed"]
    values = {"object": "deals", "from_stages": from_stages, "to_stages": to_stages}
    event = Event(type="record.updated", before={"stage": "open"}, after={"stage": "won"})
    assert kind.matches(kind.Config.model_validate(values), event, "") is expected


def runs(trigger_part: dict[str, Any], change: Any) -> list[str]:
    """The event names by which an automation fires for a change of a new deal."""
    automation = make_automation(NOTE, trigger=trigger_part)
    record = create_record(
        object_definition=ObjectDefinition.objects.get(slug="deals"), data={"name": "Acme"}
    )
    work()
    Run.objects.all().delete()
    change(fresh(record))
    work()
    return [run.event_name for run in Run.objects.filter(automation=automation)]


def set_amount(record: Record) -> None:
    update_record(record=record, data={"amount": 5})


def set_owner(record: Record) -> None:
    update_record(record=record, owner=make_user())


@pytest.mark.parametrize(
    ("kind", "config", "change", "expected"),
    [
        ("field_changed", {"fields": ["amount"]}, set_amount, ["record.field_changed"]),
        ("field_changed", {"fields": ["closes_on"]}, set_amount, []),
        ("field_changed", {}, set_amount, ["record.field_changed"]),
        ("field_changed", {}, set_owner, []),
        ("field_changed", {"fields": ["owner"]}, set_owner, ["record.updated"]),
        ("field_changed", {"fields": ["owner", "amount"]}, set_amount, ["record.updated"]),
        (
            "stage_changed",
            {"from_stages": ["open"], "to_stages": ["won"]},
            lambda record: move_stage(record=record, stage="won"),
            ["record.stage_changed"],
        ),
        (
            "stage_changed",
            {"to_stages": ["won"]},
            lambda record: move_stage(record=record, stage="offered"),
            [],
        ),
    ],
)
def test_a_change_fires_what_is_meant(
    deals: ObjectDefinition, kind: str, config: dict[str, Any], change: Any, expected: list[str]
) -> None:
    assert runs({"type": kind, "config": {"object": "deals", **config}}, change) == expected


def test_an_object_may_be_named_by_its_public_id(deals: ObjectDefinition) -> None:
    part = {"type": "field_changed", "config": {"object": "obj_def_deals", "fields": ["amount"]}}
    assert runs(part, set_amount) == ["record.field_changed"]


def test_people_and_logins_fire_without_a_record(deals: ObjectDefinition, client: Any) -> None:
    failed, joined = (
        make_automation(NOTE, trigger={"type": "event", "config": {"event": name}})
        for name in ("space.login_failed", "team.membership_changed")
    )
    user = make_user()
    client.login(username="ada", password="wrong")
    user.groups.add(Group.objects.create(name="Sales"))
    work()
    found = {run.automation_id: (run.event_name, run.record_id) for run in Run.objects.all()}
    assert found == {
        failed.pk: ("space.login_failed", None),
        joined.pk: ("team.membership_changed", None),
    }


# --- In words ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "config", "words"),
    [
        ("event", {"event": "record.created", "object": "deals"}, "Deals · Created"),
        ("event", {"event": "task.completed", "object": "deals"}, "Deals · Task · Completed"),
        ("event", {"event": "record.created"}, "Record · Created"),
        ("event", {"event": "space.login_failed"}, "Space · Login failed"),
        ("field_changed", {"object": "deals"}, "When a deal's fields change"),
        (
            "field_changed",
            {"object": "deals", "fields": ["amount", "closes_on"]},
            "When a deal's amount or closes on changes",
        ),
        ("stage_changed", {"object": "deals"}, "When a deal's stage changes"),
        (
            "stage_changed",
            {"object": "deals", "from_stages": ["open", "offered"], "to_stages": ["won"]},
            "When a deal's stage changes from Open or Offered to Won",
        ),
        (
            "due",
            {"object": "deals", "field": "closes_on", "amount": 3, "timezone": "UTC"},
            "3 days before Deals · closes on, at 09:00",
        ),
        (
            "due",
            {
                "object": "deals",
                "field": "call_at",
                "amount": 1,
                "unit": "hours",
                "direction": "after",
            },
            "1 hour after Deals · call at",
        ),
        ("due", {"object": "deals", "field": "call_at"}, "On Deals · call at"),
        (
            "schedule",
            {"cron": "0 9 * * 1", "timezone": "America/New_York"},
            "Every Monday at 09:00 (America/New_York)",
        ),
        (
            "schedule",
            {"every": 3, "unit": "days", "at": "07:30", "timezone": "UTC"},
            "Every 3 days at 07:30 (UTC)",
        ),
        (
            "schedule",
            {"every": 1, "unit": "hours", "timezone": "UTC"},
            "Every hour (UTC)",
        ),
        ("manual", {"object": "deals"}, "Run by hand on a deal"),
        ("manual", {}, "Run by hand"),
        ("webhook", {}, "When a webhook is received"),
    ],
)
def test_triggers_describe_themselves(
    deals: ObjectDefinition, kind: str, config: dict[str, Any], words: str
) -> None:
    assert described(kind, **config) == words


def test_what_is_gone_is_described_as_it_was_written(db: None) -> None:
    assert described("due", object="gone", field="day", timezone="UTC") == "On gone · day"
    assert described("stage_changed", object="gone", to_stages=["x"]) == (
        "When a record's stage changes to x"
    )


# --- What is wrong ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "config", "field", "words"),
    [
        ("event", {"event": "record.craeted"}, "event", "did you mean `record.created`?"),
        ("event", {"event": "record.due"}, "event", "There is no event"),
        (
            "event",
            {"event": "user.login", "object": "deals"},
            "object",
            "User · Login is about no record; leave the object empty.",
        ),
        ("event", {"event": "record.created", "object": "deal"}, "object", "did you mean `deals`?"),
        ("field_changed", {"object": ""}, "object", "Choose an object."),
        ("field_changed", {"object": "orders"}, "object", "There is no object `orders`."),
        (
            "field_changed",
            {"object": "deals", "fields": ["amount", "ammount"]},
            "fields",
            "Deals has no field `ammount`; did you mean `amount`?",
        ),
        (
            "stage_changed",
            {"object": "deals", "to_stages": ["wonn"]},
            "to_stages",
            "Deals has no stage `wonn`; did you mean `won`?",
        ),
        (
            "stage_changed",
            {"object": "deals", "from_stages": ["wonn"]},
            "from_stages",
            "did you mean `won`?",
        ),
        ("due", {"object": "deals", "field": "amount"}, "field", "“Amount” is no date"),
        ("due", {"object": "deals", "field": "stage"}, "field", "“stage” is no date"),
        ("due", {"object": "deals", "field": "closes"}, "field", "did you mean `closes_on`?"),
        (
            "due",
            {"object": "deals", "field": "call_at", "timezone": "Berlin"},
            "timezone",
            "did you mean “Europe/Berlin”",
        ),
        ("schedule", {}, "cron", "one of the two"),
        ("schedule", {"cron": "0 9 * * 1", "every": 2}, "cron", "one of the two"),
        ("schedule", {"cron": "0 9 * *"}, "cron", "has 4"),
        (
            "schedule",
            {"every": 2, "timezone": "Moon"},
            "timezone",
            "There is no time zone “Moon”",
        ),
        ("manual", {"object": "dealz"}, "object", "did you mean `deals`?"),
        (
            "manual",
            {"teams": ["Salse"]},
            "teams",
            "There is no team `Salse`; did you mean `Sales`?",
        ),
    ],
)
def test_triggers_say_what_is_wrong_and_what_was_meant(
    deals: ObjectDefinition, kind: str, config: dict[str, Any], field: str, words: str
) -> None:
    Group.objects.create(name="Sales")
    found = problems(kind, **config)
    assert [name for name, _ in found] == [field]
    assert words in found[0][1]


@pytest.mark.parametrize(
    ("kind", "config"),
    [
        ("event", {"event": "record.created", "object": "deals"}),
        ("event", {"event": "run.failed"}),
        ("field_changed", {"object": "deals", "fields": ["amount", "owner", "stage"]}),
        ("stage_changed", {"object": "deals", "from_stages": ["open"], "to_stages": ["won"]}),
        ("due", {"object": "deals", "field": "closes_on", "timezone": "Asia/Kathmandu"}),
        ("schedule", {"cron": "*/5 * * * *", "timezone": "UTC"}),
        ("schedule", {"every": 90, "unit": "minutes"}),
        ("manual", {"object": "deals"}),
        ("manual", {}),
        ("webhook", {}),
    ],
)
def test_nothing_is_wrong_with_what_is_right(
    deals: ObjectDefinition, kind: str, config: dict[str, Any]
) -> None:
    assert problems(kind, **config) == []


def test_an_object_without_stages_is_no_choice(db: None) -> None:
    make_object("notes", stages="")
    assert problems("stage_changed", object="notes") == [("object", "Notes have no stages.")]


# --- The registry -----------------------------------------------------------------------------------


def test_every_event_of_the_catalogue_can_be_chosen() -> None:
    schema = TRIGGERS["event"].Config.model_fields["event"].json_schema_extra
    assert [value for value, _ in schema["choices"]] == event_names()
    assert len(CATALOGUE["record"]) > 5


def test_events_that_are_meant_for_one_automation_have_a_name_in_words() -> None:
    for kind in TRIGGERS.values():
        if kind.is_targeted:
            required = {"object": "deals", "field": "call_at"}
            values = {k: v for k, v in required.items() if k in kind.Config.model_fields}
            for name in kind.event_names(kind.Config.model_validate(values)):
                assert label_of(name) != name
                assert name not in event_names()


def test_another_app_can_bring_a_trigger(deals: ObjectDefinition) -> None:
    class NamedConfig(TriggerConfig):
        beginning: str

    @trigger
    class Named(Trigger):
        name = "named"
        label = "A record is named so"
        Config = NamedConfig

        def event_names(self, config: NamedConfig) -> tuple[str, ...]:
            return ("record.created",)

        def matches(self, config: NamedConfig, event: Event, name: str) -> bool:
            return str(event.subject_label).startswith(config.beginning)

    try:
        automation = make_automation(NOTE, trigger={"type": "named", "config": {"beginning": "Ac"}})
        for name in ("Acme", "Other"):
            create_record(object_definition=deals, data={"name": name})
        work()
        assert Run.objects.get(automation=automation).record.title == "Acme"
        with pytest.raises(ValueError, match="two triggers named"):
            trigger(type("Other", (Trigger,), {"name": "named"}))
    finally:
        del TRIGGERS["named"]


def test_whether_somebody_listens_follows_what_is_switched_on(db: None) -> None:
    assert not is_anybody_listening("run.failed")
    automation = make_automation(NOTE, trigger={"type": "event", "config": {"event": "run.failed"}})
    assert is_anybody_listening("run.failed")
    set_state(automation=automation, state="paused")
    assert not is_anybody_listening("run.failed")
