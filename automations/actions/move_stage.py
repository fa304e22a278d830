"""Move a record to another stage."""

from typing import Annotated, Any, ClassVar

from pydantic import Field

from automations.changes import changes_between, snapshot_of
from automations.steps import Action, Answer, Config, Done, Outputs, Scene, action
from automations.targets import RecordSource, described, locked_record, refusals
from records.services import move_stage


class MoveStageConfig(Config):
    """`stage`: a slug, or an expression that gives one."""

    record: RecordSource = ""
    stage: Annotated[
        str,
        Field(
            title="Stage",
            json_schema_extra={
                "input": "stage",
                "object_from": "record",
                "nothing": "Choose a stage…",
            },
            min_length=1,
            max_length=500,
        ),
    ]


@action
class MoveStage(Action):
    name = "move_stage"
    label = "Move to stage"
    help = "Move the record to another stage."
    icon = "step_into"
    group = "Records"
    effects = "records"

    Config: ClassVar = MoveStageConfig

    def execute(self, config: MoveStageConfig, scene: Scene, prepared: Any) -> Answer:
        record = locked_record(scene, config.record)
        before = snapshot_of(record)
        stage = str(scene.render("stage", config.stage) or "").strip()
        scene.input = {"record": record.pk, "stage": stage}
        with refusals("", {"stage": config.stage}):
            move_stage(record=record, stage=stage)
        scene.forget_record()
        changes = changes_between(before, record)
        note = "" if changes else f"“{record}” is in this stage already."
        output = {"id": record.pk, "from": before["stage"], "to": stage}
        return Done(output, note=note, changes=changes)

    def outputs(self, config: MoveStageConfig) -> Outputs:
        return {"id": "Id of the record", "from": "The stage before", "to": "The stage now"}

    def describe(self, config: MoveStageConfig) -> str:
        return f"{described('Move', config.record)} to {config.stage}"
