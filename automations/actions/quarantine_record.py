"""Set a record aside until a person releases it."""

from typing import Annotated, Any, ClassVar

from pydantic import Field

from automations.changes import changes_between, snapshot_of
from automations.steps import Action, Answer, Config, Done, Outputs, Scene, action
from automations.targets import RecordSource, described, locked_record
from records.services import quarantine_record


class QuarantineRecordConfig(Config):
    record: RecordSource = ""
    reason: Annotated[
        str,
        Field(
            title="Reason",
            description="What the person who looks at it should know.",
            json_schema_extra={"input": "long_text"},
            max_length=4000,
        ),
    ] = ""


@action
class QuarantineRecord(Action):
    name = "quarantine_record"
    label = "Quarantine record"
    help = "Set the record aside: no automation reacts to it until a person releases it."
    icon = "gpp_maybe"
    group = "Records"
    effects = "records"

    Config: ClassVar = QuarantineRecordConfig

    def execute(self, config: QuarantineRecordConfig, scene: Scene, prepared: Any) -> Answer:
        record = locked_record(scene, config.record)
        reason = str(scene.render("reason", config.reason) or "").strip()
        reason = reason or f"Set aside by the automation “{scene.automation_name}”."
        scene.input = {"record": record.pk, "reason": reason}
        output = {"id": record.pk}
        if record.quarantined_at is not None:
            return Done(output, note=f"“{record}” is in quarantine already.")
        before = snapshot_of(record)
        quarantine_record(record=record, reason=reason)
        scene.forget_record()
        if record.pk == scene.run.record_id:
            # Whoever set it aside goes on; only others wait until it is released.
            scene.run.variables["quarantined"] = True
        return Done(output, changes=changes_between(before, record))

    def outputs(self, config: QuarantineRecordConfig) -> Outputs:
        return {"id": "Id of the record"}

    def describe(self, config: QuarantineRecordConfig) -> str:
        return described("Quarantine", config.record)
