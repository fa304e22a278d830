"""Change fields of the record that the run is about, or of one that it links to."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Final

from pydantic import Field, model_validator

from automations.changes import changes_between, snapshot_of
from automations.record_values import ATTRIBUTES, Values, work_out
from automations.steps import Action, Answer, Config, Done, Outputs, Scene, action
from automations.targets import RecordSource, described, locked_record, refusals
from records.services import update_record

# What the map of fields is called elsewhere.
_OTHER_NAMES: Final = ("fields", "updates")


class UpdateRecordConfig(Config):
    """`data`: an expression for each field; the map may also be the whole configuration."""

    record: RecordSource = ""
    data: Annotated[
        Values,
        Field(
            title="Fields",
            description="What is left out stays as it is.",
            json_schema_extra={
                "input": "field_map",
                "object_from": "record",
                "attributes": list(ATTRIBUTES),
            },
        ),
    ] = {}

    @model_validator(mode="before")
    @classmethod
    def _bare_map(cls, values: Any) -> Any:
        if not isinstance(values, Mapping) or "data" in values:
            return values
        for name in _OTHER_NAMES:
            if isinstance(values.get(name), Mapping | list):
                rest = {key: value for key, value in values.items() if key != name}
                return {**rest, "data": values[name]}
        if values and "record" not in values:
            return {"data": dict(values)}
        return values


@action
class UpdateRecord(Action):
    name = "update_record"
    label = "Update record"
    help = "Change fields of the record, or of one that it links to."
    icon = "edit"
    group = "Records"
    effects = "records"

    Config: ClassVar = UpdateRecordConfig

    def execute(self, config: UpdateRecordConfig, scene: Scene, prepared: Any) -> Answer:
        record = locked_record(scene, config.record)
        before = snapshot_of(record)
        written = work_out(scene, config.data)
        scene.input = {"record": record.pk, "data": written.shown}
        with refusals("data", config.data):
            update_record(
                record=record, data=written.data, stage=written.stage, owner=written.owner
            )
        scene.forget_record()
        changes = changes_between(before, record)
        note = "" if changes else "Nothing changed: the record has these values already."
        changed = [change["field"] for change in changes]
        return Done({"id": record.pk, "changed": changed}, note=note, changes=changes)

    def outputs(self, config: UpdateRecordConfig) -> Outputs:
        return {"id": "Id of the record", "changed": "Names of the fields that changed"}

    def describe(self, config: UpdateRecordConfig) -> str:
        names = ", ".join(list(config.data)[:5]) or "nothing yet"
        return (
            f"{described('Update', config.record)}: {names}{' …' if len(config.data) > 5 else ''}"
        )
