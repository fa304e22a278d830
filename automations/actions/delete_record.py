"""Delete a record, so that it can be restored."""

from typing import Any, ClassVar

from automations.changes import changes_between, snapshot_of
from automations.steps import Action, Answer, Config, Done, Outputs, Scene, action
from automations.targets import RecordSource, described, locked_record
from records.services import delete_record


class DeleteRecordConfig(Config):
    record: RecordSource = ""


@action
class DeleteRecord(Action):
    name = "delete_record"
    label = "Delete record"
    help = "Delete the record, or one that it links to. It can be restored."
    icon = "delete"
    group = "Records"
    effects = "records"

    Config: ClassVar = DeleteRecordConfig

    def execute(self, config: DeleteRecordConfig, scene: Scene, prepared: Any) -> Answer:
        record = locked_record(scene, config.record, deleted=True)
        scene.input = {"record": record.pk}
        output = {"id": record.pk}
        if record.deleted_at is not None:
            return Done(output, note=f"“{record}” was deleted already.")
        before = snapshot_of(record)
        delete_record(record=record)
        scene.forget_record()
        return Done(output, note=f"Deleted “{record}”", changes=changes_between(before, record))

    def outputs(self, config: DeleteRecordConfig) -> Outputs:
        return {"id": "Id of the deleted record"}

    def describe(self, config: DeleteRecordConfig) -> str:
        return described("Delete", config.record)
