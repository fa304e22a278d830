"""The same steps for each entry of a list."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Final, Literal

from pydantic import Field

from automations.document.schema import Step
from automations.jsonvalues import plain
from automations.steps import Action, Answer, Config, Enter, Outputs, Scene, StepFailed, action

MAX_ITEMS: Final = 1000


class ForEachConfig(Config):
    """`limit`: a longer list is an error; nothing of it is done. `as`: the entry's name in expressions."""

    source: Annotated[
        str,
        Field(
            alias="list",
            title="List",
            description="An expression that gives a list: {{ record.items }} or {{ steps.lookup.response.orders }}.",
            json_schema_extra={"input": "expression"},
            max_length=4000,
        ),
    ]
    as_: Annotated[
        str,
        Field(
            alias="as",
            title="Name of the entry",
            description="What the steps inside call it: {{ item.name }}. Its place is {{ index }}, from 0.",
            json_schema_extra={"input": "text"},
            pattern=r"^[a-z][a-z0-9_]{0,39}$",
        ),
    ] = "item"
    limit: Annotated[
        int,
        Field(
            title="At most",
            description="A longer list is an error, and nothing of it is done.",
            json_schema_extra={"input": "number"},
            ge=1,
            le=MAX_ITEMS,
        ),
    ] = 100
    on_item_error: Annotated[
        Literal["stop", "continue"],
        Field(
            title="When an entry fails",
            json_schema_extra={
                "input": "choice",
                "labels": {"stop": "The run fails", "continue": "Go on with the next entry"},
            },
        ),
    ] = "stop"
    steps: Annotated[list[Step], Field(title="Steps", json_schema_extra={"input": "hidden"})] = []


@action
class ForEach(Action):
    name = "for_each"
    label = "For each"
    help = "The same steps for every entry of a list; each entry's result is kept."
    icon = "repeat"
    group = "Flow"

    Config: ClassVar = ForEachConfig

    def execute(self, config: ForEachConfig, scene: Scene, prepared: Any) -> Answer:
        items = plain(scene.render("list", config.source))
        if isinstance(items, Mapping):
            items = [{"key": key, "value": value} for key, value in items.items()]
        if items is None or items == "":
            items = []
        if not isinstance(items, list):
            raise StepFailed(
                f"A list is needed here, and this is {type(items).__name__}: {str(items)[:100]}",
                field="list",
                expression=config.source,
            )
        scene.input = {"list": items[:20], "count": len(items)}
        if len(items) > config.limit:
            raise StepFailed(
                f"The list has {len(items):,} entries and the step allows {config.limit:,}; nothing of it was done. "
                "Allow more, or cut the list.",
                field="limit",
            )
        count = f"{len(items)} entries" if len(items) != 1 else "1 entry"
        return Enter(scene.step_id, count, items=items, as_name=config.as_)

    def outputs(self, config: ForEachConfig) -> Outputs:
        return {
            "count": "How many entries there were",
            "failed": "How many of them failed",
            "results": "What came of each: index, item, status, error and outputs",
        }

    def describe(self, config: ForEachConfig) -> str:
        return f"For each {config.as_} of {config.source}"
