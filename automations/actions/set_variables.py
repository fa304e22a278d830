"""Give values a name: `{{ vars.total }}` in all steps that follow."""

from typing import Annotated, Any, ClassVar

from pydantic import BeforeValidator, Field

from automations.jsonvalues import plain
from automations.steps import Action, Answer, Config, Done, Outputs, Scene, action

VariableName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]


def _as_mapping(value: Any) -> Any:
    """Also the rows of a form: [{"name": …, "value": …}]."""
    if isinstance(value, list):
        return {
            row["name"]: row.get("value")
            for row in value
            if isinstance(row, dict) and "name" in row
        }
    return value


class SetVariablesConfig(Config):
    variables: Annotated[
        dict[VariableName, Any],
        BeforeValidator(_as_mapping),
        Field(
            title="Variables",
            description="Later steps see them as {{ vars.total }}. One expression alone keeps its type.",
            json_schema_extra={"input": "rows", "noun": "variable"},
            max_length=100,
        ),
    ] = {}


@action
class SetVariables(Action):
    name = "set_variables"
    label = "Set variables"
    help = "Work something out once and use it in later steps."
    icon = "data_object"
    group = "Data"

    Config: ClassVar = SetVariablesConfig

    def execute(self, config: SetVariablesConfig, scene: Scene, prepared: Any) -> Answer:
        values = {
            name: plain(scene.render(f"variables/{name}", value))
            for name, value in config.variables.items()
        }
        scene.input = values
        scene.run.variables.setdefault("vars", {}).update(values)
        return Done(output=values)

    def outputs(self, config: SetVariablesConfig) -> Outputs:
        return dict.fromkeys(config.variables, "As it was set here")

    def describe(self, config: SetVariablesConfig) -> str:
        return f"Set {', '.join(config.variables) or 'no variables yet'}"
