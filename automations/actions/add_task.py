"""Give people something to do, about a record or about none."""

from datetime import date, datetime
from typing import Annotated, Any, ClassVar

from django.utils import timezone
from pydantic import Field

from automations.people import members_of, owner_of, united, users_in
from automations.steps import Action, Answer, Config, Done, Outputs, Scene, StepFailed, action
from automations.targets import RecordSource, locked_record, refusals
from records.expressions.dates import read
from records.services import add_task


class AddTaskConfig(Config):
    """`due`: a date, or an expression that gives one, such as {{ date_add(now, 3, 'days') }}."""

    title: Annotated[
        str,
        Field(
            title="What is to be done",
            json_schema_extra={"input": "expression"},
            min_length=1,
            max_length=2000,
        ),
    ]
    note: Annotated[
        str, Field(title="Note", json_schema_extra={"input": "long_text"}, max_length=20_000)
    ] = ""
    assignees: Annotated[
        list[str],
        Field(
            title="People",
            description="By user name or e-mail address; expressions such as {{ record.owner }} too.",
            json_schema_extra={"input": "users"},
            max_length=50,
        ),
    ] = []
    teams: Annotated[
        list[str],
        Field(
            title="Teams",
            description="Everybody in them.",
            json_schema_extra={"input": "teams"},
            max_length=20,
        ),
    ] = []
    owner: Annotated[
        bool, Field(title="Who owns the record", json_schema_extra={"input": "checkbox"})
    ] = False
    due: Annotated[
        str,
        Field(
            title="Due",
            description="A date, or an expression: {{ date_add(now, 3, 'days') }}.",
            json_schema_extra={"input": "moment"},
            max_length=2000,
        ),
    ] = ""
    record: RecordSource = ""


@action
class AddTask(Action):
    name = "add_task"
    label = "Add task"
    help = "Give people something to do, with a date until when."
    icon = "add_task"
    group = "Records"
    effects = "records"

    Config: ClassVar = AddTaskConfig

    def execute(self, config: AddTaskConfig, scene: Scene, prepared: Any) -> Answer:
        is_about_one = bool(config.record.strip()) or scene.run.record_id is not None
        record = locked_record(scene, config.record) if is_about_one else None
        owner = owner_of(scene) if config.owner else None
        people = united(
            users_in(scene, "assignees", config.assignees),
            members_of(scene, "teams", config.teams),
            [owner] if owner else [],
        )
        title = str(scene.render("title", config.title) or "")
        note = str(scene.render("note", config.note) or "")
        due_on = _day(scene, config.due)
        scene.input = {
            "title": title,
            "note": note,
            "assignees": [user.username for user in people],
            "due_on": due_on.isoformat() if due_on else None,
            "record": record.pk if record else None,
        }
        with refusals("", {"title": config.title, "note": config.note}):
            task = add_task(record=record, title=title, note=note, assignees=people, due_on=due_on)
        return Done({"id": task.pk, "due_on": scene.input["due_on"]}, note=f"“{task.title}”")

    def outputs(self, config: AddTaskConfig) -> Outputs:
        return {"id": "Id of the task", "due_on": "When it is due"}

    def describe(self, config: AddTaskConfig) -> str:
        return f"Task: {config.title}"


def _day(scene: Scene, source: str) -> date | None:
    """The day in the installation's time zone; empty: no date."""
    value = scene.render("due", source.strip())
    if value is None or value == "":
        return None
    found = read(value) if isinstance(value, str) else value
    if isinstance(found, datetime):
        return timezone.localdate(found)
    if not isinstance(found, date):
        raise StepFailed(
            f"“{str(value)[:100]}” is no date; write one as 2026-03-01, or as an expression.",
            field="due",
            expression=source[:500],
        )
    return found
