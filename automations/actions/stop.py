"""End the run here."""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from automations.steps import Action, Answer, Config, End, Outputs, Scene, action


class StopConfig(Config):
    outcome: Annotated[
        Literal["succeeded", "failed"],
        Field(
            title="The run has",
            description="A failed run goes the way of all failures: fallback steps, notices, retries.",
            json_schema_extra={"input": "choice"},
        ),
    ] = "succeeded"
    message: Annotated[
        str, Field(title="Message", json_schema_extra={"input": "expression"}, max_length=2000)
    ] = ""


@action
class Stop(Action):
    name = "stop"
    label = "Stop"
    help = "End the run, as a success or as a failure with a message."
    icon = "stop_circle"
    group = "Flow"

    Config: ClassVar = StopConfig

    def execute(self, config: StopConfig, scene: Scene, prepared: Any) -> Answer:
        message = str(scene.render("message", config.message) or "")
        scene.input = {"outcome": config.outcome, "message": message}
        return End(config.outcome, message)

    def outputs(self, config: StopConfig) -> Outputs:
        return {}

    def describe(self, config: StopConfig) -> str:
        word = "Stop" if config.outcome == "succeeded" else "Stop as failed"
        return f"{word}: {config.message}" if config.message else word
