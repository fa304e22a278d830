"""Actions of other apps, and what all actions have in common."""

from collections.abc import Iterator
from typing import Any, ClassVar

import pytest
from pydantic import ValidationError

from automations.dryrun import dry_run
from automations.models import Run, StepRun
from automations.steps import ACTIONS, Action, Answer, Config, Done, Scene, action
from records.models import Comment, Event, Mail, Notification, Record
from tests.automations.making import make_automation, make_lead, make_leads, run_once, step, step_of
from tests.records.making import make_user
from webhooks.models import WebhookJob

pytestmark = pytest.mark.django_db

GROUPS = {"Records", "Messages", "Requests", "Flow", "Data"}


class ShoutConfig(Config):
    text: str


@pytest.fixture
def shout() -> Iterator[None]:
    """An action as another app would bring it."""

    @action
    class Shout(Action):
        name = "shout"
        label = "Shout"

        Config: ClassVar = ShoutConfig

        def execute(self, config: ShoutConfig, scene: Scene, prepared: Any) -> Answer:
            return Done(str(scene.render("text", config.text)).upper())

    yield
    del ACTIONS["shout"]


def test_another_app_can_bring_an_action(shout: None) -> None:
    run = run_once(step("shout", text="hi {{ record.name }}"))
    assert (run.status, step_of(run).output) == ("succeeded", "HI ADA")


def test_two_actions_can_not_have_one_name(shout: None) -> None:
    class Other(Action):
        name = "shout"
        label = "Other"

    with pytest.raises(ValueError, match="There are two actions named “shout”"):
        action(Other)


@pytest.mark.parametrize("name", sorted(ACTIONS))
def test_every_action_can_be_offered_by_the_builder(name: str) -> None:
    kind = ACTIONS[name]
    assert kind.label
    assert kind.help.endswith(".")
    assert kind.icon
    assert kind.group in GROUPS
    for key, field in kind.Config.model_fields.items():
        extra = field.json_schema_extra
        assert field.title, key
        assert isinstance(extra, dict), key
        assert extra.get("input"), key


@pytest.mark.parametrize("name", sorted(ACTIONS))
def test_no_action_takes_what_it_does_not_know(name: str) -> None:
    with pytest.raises(ValidationError):
        ACTIONS[name].Config.model_validate({"record": "", "data": {}, "nothing_like_this": 1})


def test_a_dry_run_leaves_nothing_behind() -> None:
    make_leads()
    make_user("ada", is_superuser=True, email="ada@example.com")
    automation = make_automation(
        step("update_record", "a", data={"status": "x"}),
        step("create_record", "b", object_definition_id="companies", data={"name": "New"}),
        step("add_comment", "c", body="Hi @ada"),
        step("notify", "d", title="x", users=["ada"], by_mail=True),
        step("send_email", "e", to="a@example.com", subject="x"),
        step("webhook", "f", url="https://x.example/"),
        step("delete_record", "g"),
    )
    record = make_lead()
    event = Event.objects.get(type="record.created", subject_id=record.pk)
    tried = dry_run(
        automation=automation,
        document=automation.draft,
        event=event,
        event_name="record.created",
    )
    assert tried.run.status == "succeeded", tried.run.reason
    assert [each.status for each in tried.steps] == ["succeeded"] * 7
    assert Record.objects.get().data["status"] is None
    for model in (Comment, Mail, Notification, WebhookJob, Run, StepRun):
        assert not model.objects.exists(), model
