"""Create a record of any object."""

from typing import Annotated, Any, ClassVar, Final, Literal

from pydantic import BeforeValidator, Field

from automations.changes import changes_between
from automations.record_values import ATTRIBUTES, Values, work_out
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
from automations.targets import refusals
from records.models import ObjectDefinition, User
from records.services import create_record

_PREFIX: Final = "obj_def_"


def _slug_of(value: Any) -> Any:
    return value.removeprefix(_PREFIX) if isinstance(value, str) else value


class CreateRecordConfig(Config):
    """`object_definition_id`: obj_def_leads or leads."""

    object_definition_id: Annotated[
        str,
        BeforeValidator(_slug_of),
        Field(title="Object", json_schema_extra={"input": "object"}, min_length=1, max_length=60),
    ]
    data: Annotated[
        Values,
        Field(
            title="Fields",
            description="What is left out has its default.",
            json_schema_extra={
                "input": "field_map",
                "object_from": "object_definition_id",
                "attributes": list(ATTRIBUTES),
            },
        ),
    ] = {}
    state: Annotated[
        Literal["submitted", "draft"],
        Field(
            title="State",
            description="A draft need not have the required fields.",
            json_schema_extra={"input": "choice"},
        ),
    ] = "submitted"


@action
class CreateRecord(Action):
    name = "create_record"
    label = "Create record"
    help = "Add a record, of the same object or of another."
    icon = "add_box"
    group = "Records"
    effects = "records"

    Config: ClassVar = CreateRecordConfig

    def execute(self, config: CreateRecordConfig, scene: Scene, prepared: Any) -> Answer:
        definition = _object(config.object_definition_id)
        written = work_out(scene, config.data)
        scene.input = {"object": definition.public_id, "data": written.shown}
        with refusals("data", config.data):
            record = create_record(
                object_definition=definition,
                data=written.data,
                state=config.state,
                stage=written.stage,
                owner=written.owner if isinstance(written.owner, User) else None,
            )
        output = {"id": record.pk, "object_id": definition.public_id, "label": str(record)}
        return Done(output, note=f"Created “{record}”", changes=changes_between(None, record))

    def outputs(self, config: CreateRecordConfig) -> Outputs:
        return {
            "id": "Id of the new record",
            "object_id": "Id of its object",
            "label": "What it is called",
        }

    def describe(self, config: CreateRecordConfig) -> str:
        return f"Create a record of {config.object_definition_id}"


def _object(slug: str) -> ObjectDefinition:
    definition = ObjectDefinition.objects.alive().filter(slug=slug).first()
    if definition is None:
        offered = ObjectDefinition.objects.alive().values_list("slug", flat=True)
        words = closest(f"There is no object “{slug}”", slug, offered)
        raise StepFailed(words, field="object_definition_id", kind="record")
    return definition
