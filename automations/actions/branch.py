"""Go one way or another: the first arm whose condition holds, else the last one."""

from collections.abc import Sequence
from typing import Annotated, Any, ClassVar

from pydantic import Field, model_validator

from automations.conditions import Conditions, Facts, compile_conditions
from automations.document.schema import Part, Step
from automations.steps import Action, Answer, Config, Done, Enter, Outputs, Scene, Setting, action


class Arm(Part):
    """One way: with `if` and `then`, or the last one with `else`."""

    if_: dict[str, Any] | None = Field(default=None, alias="if")
    then: list[Step] | None = None
    else_: list[Step] | None = Field(default=None, alias="else")
    name: str = ""

    @property
    def is_else(self) -> bool:
        return self.else_ is not None

    @model_validator(mode="after")
    def _is_one_of_both(self) -> "Arm":
        if self.is_else == (self.then is not None):
            raise ValueError("An arm has either `if` and `then`, or `else`.")
        return self


class BranchConfig(Config):
    conditions: Annotated[
        list[Arm], Field(title="Cases", max_length=50, json_schema_extra={"input": "hidden"})
    ] = []

    @model_validator(mode="after")
    def _else_is_last(self) -> "BranchConfig":
        if any(arm.is_else for arm in self.conditions[:-1]):
            raise ValueError("`else` is the last arm, and there is one of it.")
        return self


@action
class Branch(Action):
    name = "branch"
    label = "Branch"
    help = "Different steps for different cases."
    icon = "call_split"
    group = "Flow"

    Config: ClassVar = BranchConfig

    def prepare(self, config: BranchConfig, setting: Setting) -> Sequence[Conditions]:
        return [
            compile_conditions(arm.if_, setting.types, roots=setting.roots)
            for arm in config.conditions
            if not arm.is_else
        ]

    def execute(self, config: BranchConfig, scene: Scene, prepared: Sequence[Conditions]) -> Answer:
        facts = Facts(scene.names, scene.now)
        asked: list[dict[str, Any]] = []
        for place, arm in enumerate(config.conditions):
            name = arm.name or ("Otherwise" if arm.is_else else f"Case {place + 1}")
            if arm.is_else:
                return Enter(
                    f"{scene.step_id}/{place}",
                    name,
                    output={"arm": place, "name": name, "asked": asked},
                )
            result = prepared[place].explain(facts)
            asked.append({"name": name, "conditions": result})
            if result["passed"]:
                return Enter(
                    f"{scene.step_id}/{place}",
                    name,
                    output={"arm": place, "name": name, "asked": asked},
                )
        return Done(
            {"arm": None, "name": "", "asked": asked},
            note="No case fits; the run goes on after the branch.",
        )

    def outputs(self, config: BranchConfig) -> Outputs:
        return {}

    def describe(self, config: BranchConfig) -> str:
        count = len(config.conditions)
        return f"Branch into {count} cases" if count != 1 else "Only in one case"
