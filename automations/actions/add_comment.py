"""Say something in the discussion of a record."""

from typing import Annotated, Any, ClassVar

from pydantic import Field

from automations.steps import Action, Answer, Config, Done, Outputs, Scene, action
from automations.targets import RecordSource, described, locked_record, refusals
from records.services import add_comment


class AddCommentConfig(Config):
    record: RecordSource = ""
    body: Annotated[
        str,
        Field(
            title="Comment",
            description="Who is mentioned (@ada) and may see the record is told, and takes part.",
            json_schema_extra={"input": "long_text"},
            min_length=1,
            max_length=20_000,
        ),
    ]


@action
class AddComment(Action):
    name = "add_comment"
    label = "Add comment"
    help = "Say something in the discussion of the record."
    icon = "add_comment"
    group = "Records"
    effects = "records"

    Config: ClassVar = AddCommentConfig

    def execute(self, config: AddCommentConfig, scene: Scene, prepared: Any) -> Answer:
        record = locked_record(scene, config.record)
        body = str(scene.render("body", config.body) or "")
        scene.input = {"record": record.pk, "body": body}
        with refusals("", {"body": config.body}):
            comment = add_comment(record=record, body=body, author=None)
        return Done({"id": comment.pk, "record_id": record.pk}, note=f"On “{record}”")

    def outputs(self, config: AddCommentConfig) -> Outputs:
        return {"id": "Id of the comment", "record_id": "Id of the record"}

    def describe(self, config: AddCommentConfig) -> str:
        return described("Comment on", config.record)
