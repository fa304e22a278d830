"""What an action is, what it works with, and what it answers. One action is one file in `automations.actions`."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar, Final, Literal, TypeAlias, TypeVar

from pydantic import BaseModel, ConfigDict

from automations.models import Run, RunMode, StepRun
from records.expressions import ExpressionError, render_typed, render_value
from records.expressions.errors import suggest
from records.models import Record
from webhooks.models import RequestLog, WebhookJob
from webhooks.names import Names

Effects = Literal["none", "records", "outside"]
# Names in an output: each with what it is in words, or with the names within it.
Outputs: TypeAlias = Mapping[str, Any]
C = TypeVar("C", bound="Config")


class Config(BaseModel):
    """What a step of one kind can be told. Texts may hold expressions unless the action says otherwise."""

    model_config = ConfigDict(extra="forbid")


class StepFailed(Exception):
    """A step can't do what it should: which field of its configuration, which expression, where in it (from 1;
    0 is unknown), and why."""

    def __init__(
        self,
        message: str,
        *,
        field: str = "",
        expression: str = "",
        column: int = 0,
        kind: str = "step",
    ) -> None:
        super().__init__(message)
        self.message = message
        self.field = field
        self.expression = expression
        self.column = column
        self.kind = kind

    def to_json(self) -> dict[str, Any]:
        return {
            "message": self.message,
            "field": self.field,
            "expression": self.expression,
            "column": self.column,
            "kind": self.kind,
        }


# --- What an action answers -----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Done:
    """The step is done. `output` is what later steps see as `{{ steps.<id>.… }}`."""

    output: Any = None
    note: str = ""
    # What it changed in records: see `StepRun.changes`.
    changes: Sequence[Mapping[str, Any]] = ()
    # A request that is on its way without anybody waiting for it.
    job: WebhookJob | None = None


@dataclass(frozen=True, slots=True)
class WaitUntil:
    """The run goes on then, with the next step."""

    moment: datetime
    note: str = ""


@dataclass(frozen=True, slots=True)
class WaitForJob:
    """The run goes on when the job has ended; then `Action.resume` is asked what came of it."""

    job: WebhookJob
    note: str = ""


@dataclass(frozen=True, slots=True)
class Enter:
    """The steps of a block come next. With `items`: once for each of them, under the name `as_name`."""

    block: str
    note: str = ""
    items: Sequence[Any] | None = None
    as_name: str = "item"
    # For each arm that was not taken or condition that was asked: what it came to.
    output: Any = None


@dataclass(frozen=True, slots=True)
class End:
    """The run ends here."""

    status: Literal["succeeded", "failed", "halted", "cancelled"]
    message: str = ""
    output: Any = None


Answer = Done | WaitUntil | WaitForJob | Enter | End


# --- What an action works with --------------------------------------------------------------------


@dataclass(slots=True)
class Scene:
    """One step of one run, just now. `names` is what expressions see."""

    run: Run
    automation_name: str
    step_id: str
    step_name: str
    path: str
    names: Mapping[str, Any]
    now: datetime
    # The record that the run is about, fresh from the database; None where there is none (any more).
    load_record: Callable[[], Record | None]
    # The same, locked until the batch is stored: what people do to it meanwhile waits.
    lock_record: Callable[[], Record | None]
    # Caught instead of sent: a run in test mode, or a dry run.
    sends_nothing: bool = False
    # A dry run: everything is rolled back afterwards.
    is_dry: bool = False
    # What the step was told, rendered; secrets by name.
    input: Any = None
    attempt: int = 1
    # Records that were changed: what is known of them has to be loaded anew.
    forget_record: Callable[[], None] = field(default=lambda: None)
    # The last attempt of the job that the step has waited for.
    answer: RequestLog | None = None

    @property
    def is_test(self) -> bool:
        return self.run.mode == RunMode.TEST

    def render(self, name: str, value: Any) -> Any:
        """A text, or a JSON value full of texts, with its expressions worked out. Raises StepFailed."""
        try:
            if isinstance(value, str):
                return render_typed(value, self.names) if "{" in value else value
            return render_value(value, self.names)
        except ExpressionError as error:
            raise failed_expression(name, value, error) from None


def closest(message: str, name: str, candidates: Iterable[str]) -> str:
    """A sentence, with what may be meant: “There is no team “Slaes”; did you mean `Sales`?”"""
    words, close = suggest(message, name, candidates)
    return words if close else f"{words}."


def failed_expression(name: str, value: Any, error: ExpressionError) -> StepFailed:
    """An expression's error as a step's: it names field, expression and position."""
    path = getattr(error, "path", "")
    source = value
    for token in path.split("/")[1:]:
        token = token.replace("~1", "/").replace("~0", "~")
        source = source[int(token)] if isinstance(source, list | tuple) else source[token]
    return StepFailed(
        str(error),
        field=f"{name}{path}",
        expression=source[:500] if isinstance(source, str) else "",
        column=getattr(error, "column", 0) or 0,
        kind="expression",
    )


@dataclass(frozen=True, slots=True)
class Setting:
    """What is known when a version is made ready: how fields compare, and the first names of expressions."""

    types: Callable[[str], Any]
    roots: frozenset[str]


class Action:
    """One kind of step. Subclasses live one to a file and register themselves with `@action`."""

    name: ClassVar[str]
    label: ClassVar[str]
    # One sentence for the gallery of the builder.
    help: ClassVar[str] = ""
    icon: ClassVar[str] = "bolt"
    # Where the builder lists it: "Records", "Messages", "Requests", "Flow", "Data".
    group: ClassVar[str] = "Data"
    Config: ClassVar[type[Config]] = Config
    # Whether it changes records, reaches other systems or people, or nothing but the run itself.
    effects: ClassVar[Effects] = "none"

    def prepare(self, config: Any, setting: "Setting") -> Any:
        """What can be worked out once for a version; the interpreter gives it back in `execute`."""
        return None

    def writes(self, config: Any) -> bool:
        """Whether it may write to the database by itself: then it has a savepoint, to be undone when it fails."""
        return self.effects != "none"

    def execute(self, config: Any, scene: Scene, prepared: Any) -> Answer:
        """Do it. Inside a transaction, which is rolled back to here when StepFailed is raised. No HTTP."""
        raise NotImplementedError

    def resume(self, config: Any, scene: Scene, waited: StepRun, prepared: Any) -> Answer:
        """What came of what it waited for; a job is `waited.job`, None when it is gone."""
        return Done(output=waited.output)

    def describe(self, config: Any) -> str:
        """The step in one line, for cards and traces. Plain text."""
        return self.label

    def texts_without_expressions(self) -> frozenset[str]:
        """Names in the configuration whose texts are taken as they are."""
        return frozenset()

    def outputs(self, config: Any) -> Outputs | None:
        """What later steps see as `{{ steps.<id>.… }}`, as far as that is known beforehand.

        None: not known. Empty: there is nothing to see.
        """
        return None

    def own_names(self, config: Any) -> Collection[str]:
        """First names that the step's expressions see beside those of its place, such as the variables of a mail."""
        return ()

    def problems(self, config: Any, names: Names) -> list[tuple[str, str]]:
        """What is wrong beyond the form: (field of the configuration, words). May ask the database.

        `names` are those that expressions can use in this step. Syntax and names in texts are checked anyway.
        """
        return []


ACTIONS: Final[dict[str, Action]] = {}


def action(kind: type[Action]) -> type[Action]:
    """Register an action. Other Django apps do it in a module that their `AppConfig.ready` imports."""
    if kind.name in ACTIONS and type(ACTIONS[kind.name]) is not kind:
        raise ValueError(f"There are two actions named “{kind.name}”.")
    ACTIONS[kind.name] = kind()
    return kind
