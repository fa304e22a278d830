"""The values that a step writes to a record: a field each, and beside the fields its stage and its owner."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, Field

from automations.jsonvalues import plain
from automations.people import user_named
from automations.steps import Scene, StepFailed
from records.models import User
from records.services import UNSET
from records.services.records import _Unset

# Names that are no fields, and can be written like fields.
ATTRIBUTES: Final = ("stage", "owner")


def _as_mapping(value: Any) -> Any:
    """Also the rows of a form: [{"field": …, "value": …}]."""
    if isinstance(value, list):
        return {
            row["field"]: row.get("value")
            for row in value
            if isinstance(row, dict) and "field" in row
        }
    return value


Values = Annotated[
    dict[str, Any],
    BeforeValidator(_as_mapping),
    Field(max_length=200),
]


@dataclass(frozen=True, slots=True)
class Written:
    """Ready for `records.services`. `owner` is UNSET where it is not to be changed."""

    data: Mapping[str, Any]
    stage: str | None = None
    owner: User | _Unset | None = UNSET
    # All of it by name, for the trace.
    shown: Mapping[str, Any] = field(default_factory=dict)


def work_out(scene: Scene, values: Mapping[str, Any]) -> Written:
    """The expressions worked out. Raises StepFailed, naming the field."""
    given = {name: plain(scene.render(f"data/{name}", value)) for name, value in values.items()}
    data = {name: value for name, value in given.items() if name not in ATTRIBUTES}
    owner: User | _Unset | None = UNSET
    if "owner" in given:
        owner = _owner(given["owner"], values["owner"])
    stage = None
    if "stage" in given:
        stage = _stage(given["stage"], values["stage"])
    return Written(data, stage, owner, given)


def _owner(value: Any, written: Any) -> User | None:
    """Empty: nobody's."""
    if value is None or value == "":
        return None
    return user_named(str(value), "data/owner", written if isinstance(written, str) else "")


def _stage(value: Any, written: Any) -> str:
    if not isinstance(value, str):
        raise StepFailed(
            f"A stage is named by its slug, such as new; this is {str(value)[:100]!r}.",
            field="data/stage",
            expression=written if isinstance(written, str) else "",
        )
    return value.strip()
