"""Start another automation, for the same record or another. Nothing is waited for."""

from typing import Annotated, Any, ClassVar

from pydantic import Field

from automations.compiled import object_of
from automations.document import Document
from automations.models import Automation, AutomationState
from automations.names import CALLED, CALLED_ALONE
from automations.steps import (
    Action,
    Answer,
    Config,
    Done,
    Outputs,
    Scene,
    StepFailed,
    action,
    closest,
)
from automations.targets import RecordSource, locked_record
from records.events import capture, make_event
from records.ids import decode
from records.models import Record
from records.snapshots import snapshot


class RunAutomationConfig(Config):
    """`automation`: its id or its name."""

    automation: Annotated[
        str,
        Field(
            title="Automation",
            description="It starts with its conditions, whatever its trigger is.",
            json_schema_extra={"input": "automation"},
            min_length=1,
            max_length=120,
        ),
    ]
    record: RecordSource = ""


@action
class RunAutomation(Action):
    name = "run_automation"
    label = "Run automation"
    help = "Start another automation for the record, or for another one."
    icon = "account_tree"
    group = "Flow"
    effects = "outside"

    Config: ClassVar = RunAutomationConfig

    def execute(self, config: RunAutomationConfig, scene: Scene, prepared: Any) -> Answer:
        automation = _automation(config.automation)
        is_about_one = bool(config.record.strip()) or scene.run.record_id is not None
        record = locked_record(scene, config.record, deleted=True) if is_about_one else None
        _check_object(automation, record)
        scene.input = {"automation": automation.pk, "record": record.pk if record else None}
        output = {"automation": automation.pk, "record_id": record.pk if record else None}
        if scene.sends_nothing:
            return Done(
                output, note=f"Would have started “{automation.name}”; nothing was started."
            )
        event = make_event(
            CALLED if record else CALLED_ALONE,
            after=snapshot(record) if record else None,
            object_definition=record.object if record else None,
            record=record,
            target=automation.pk,
        )
        capture(event)
        return Done({**output, "event": event.pk}, note=f"Starts “{automation.name}”")

    def texts_without_expressions(self) -> frozenset[str]:
        return frozenset({"automation"})

    def outputs(self, config: RunAutomationConfig) -> Outputs:
        return {
            "automation": "Id of the automation",
            "record_id": "Id of the record",
            "event": "Id of the event that starts it",
        }

    def describe(self, config: RunAutomationConfig) -> str:
        return f"Run “{name_of(config.automation)}”"

    def problems(self, config: RunAutomationConfig, names: Any) -> list[tuple[str, str]]:
        try:
            _find(config.automation)
        except StepFailed as failure:
            return [("automation", failure.message)]
        return []


def name_of(source: str) -> str:
    """What people call the automation with this id; a name, or the id of none, as it is."""
    names = Automation.objects.values_list("name", flat=True)
    return (names.filter(pk=source).first() if _is_id(source) else None) or source


def _automation(source: str) -> Automation:
    """One that reacts just now. Raises StepFailed."""
    automation = _find(source)
    if automation.published is None:
        words = f"Nothing of “{automation.name}” is published yet, so it can't be started."
    elif automation.state not in (AutomationState.ACTIVE, AutomationState.TEST):
        state = automation.get_state_display().lower()
        words = f"“{automation.name}” is switched off ({state}), so it can't be started."
    else:
        return automation
    raise StepFailed(words, field="automation", expression=source)


def _find(source: str) -> Automation:
    automations = Automation.objects.select_related("published")
    if source.startswith("auto_"):
        found = list(automations.filter(pk=source)) if _is_id(source) else []
    else:
        found = list(automations.filter(name=source)[:2])
    if len(found) == 1:
        return found[0]
    if found:
        words = f"There are several automations called “{source}”; name the one by its id."
    else:
        offered = Automation.objects.values_list("name", flat=True)[:500]
        words = closest(f"There is no automation “{source}”", source, offered)
    raise StepFailed(words, field="automation", expression=source)


def _is_id(text: str) -> bool:
    try:
        decode("auto", text)
    except ValueError:
        return False
    return True


def _check_object(automation: Automation, record: Record | None) -> None:
    """An automation about Leads is not started for a company."""
    assert automation.published
    definition = object_of(Document.model_validate(automation.published.document))
    if definition is None or (record is not None and record.object_id == definition.pk):
        return
    given = f"“{record}” is one of {record.object}" if record else "there is no record"
    raise StepFailed(f"“{automation.name}” is about {definition}; {given}.", field="record")
