"""What conditions are about: the values behind paths, each looked up and read once, however many rules ask."""

from collections.abc import Collection, Mapping
from datetime import UTC, date, datetime
from typing import Any, Final

from automations.conditions.values import (
    Number,
    When,
    day,
    identity,
    instant,
    is_empty,
    number_in,
    text_of,
    when_in,
)
from records.expressions import Namespace, Reference, Symbol
from records.expressions.dates import PARTS, part_of
from records.expressions.errors import Problem
from records.expressions.limits import Scope
from records.expressions.missing import explain_part, missing_name, missing_part
from records.expressions.values import describe

# The first names of paths, as far as they are known without a context; any other is a field of the record.
ROOTS: Final = frozenset(
    (
        *("event", "record", "previous", "subject", "object", "actor", "now", "webhook"),
        *("steps", "vars", "secrets", "automation", "run", "error"),
    )
)
RECORD: Final = "record"
PREVIOUS: Final = "previous"
# What was before is known of these: the record or, where the event is about something else, its subject.
TRACKED: Final = (RECORD, "subject")


def full_path(path: str, roots: Collection[str]) -> str:
    """`amount` → `record.amount`; a path that starts with a root stays as it is."""
    return path if path.partition(".")[0] in roots else f"{RECORD}.{path}"


class Facts:
    """One occasion, seen by any number of conditions; not shared between threads.

    `context` is what expressions see (`webhooks.payloads.context_of`, and more beside it). `now` says what the last
    days are, and by its time zone which day a moment is on. Raises Problem for what is not there or can't be read;
    what a value worked out on demand raises, passes through.
    """

    __slots__ = (
        "_days", "_folded", "_gaps", "_numbers", "_problems", "_symbols", "_values", "_whens",
        "context", "now", "today", "zone",
    )  # fmt: skip

    def __init__(self, context: Mapping[str, Any], now: datetime) -> None:
        self.context = context
        self.zone = now.tzinfo or UTC
        self.now = now if now.tzinfo else now.replace(tzinfo=UTC)
        self.today = self.now.date()
        self._values: dict[str, Any] = {}
        self._problems: dict[str, Problem] = {}
        self._symbols: dict[str, Symbol] = {}
        self._gaps: dict[str, tuple[Any, str | int, str]] = {}
        self._numbers: dict[str, Number] = {}
        self._whens: dict[str, When] = {}
        self._days: dict[str, date] = {}
        self._folded: dict[str, str] = {}

    # --- Values ---

    def value(self, path: str) -> Any:
        try:
            return self._values[path]
        except KeyError:
            return self._look_up(path)

    def number(self, path: str) -> Number:
        try:
            return self._numbers[path]
        except KeyError:
            value = self._filled(path)
        number = number_in(value)
        if number is None:
            raise Problem(f"`{path}` is {describe(value)}, not a number")
        self._numbers[path] = number
        return number

    def when(self, path: str) -> When:
        """A date, or a moment in UTC."""
        try:
            return self._whens[path]
        except KeyError:
            value = self._filled(path)
        when = when_in(value)
        if when is None:
            raise Problem(f"`{path}` is {describe(value)}, not a date")
        self._whens[path] = instant(when, self.zone)
        return self._whens[path]

    def day(self, path: str) -> date:
        """The day of a date or moment, in the time zone of `now`."""
        try:
            return self._days[path]
        except KeyError:
            self._days[path] = day(self.when(path), self.zone)
            return self._days[path]

    def folded(self, path: str) -> str:
        """Text for comparisons that ignore case."""
        try:
            return self._folded[path]
        except KeyError:
            self._folded[path] = self.text(path).casefold()
            return self._folded[path]

    def text(self, path: str) -> str:
        value = self.value(path)
        try:
            return text_of(value)
        except Problem:
            raise Problem(f"`{path}` is {describe(value)}, not text") from None

    def sight(self, path: str) -> Any:
        """The value to show for a path: a symbol as it is, None for what is not there."""
        try:
            return self.value(path)
        except Problem:
            return self._symbols.get(path)

    def remark(self, path: str) -> str:
        """Why there is nothing at a path, in words; empty when there is something."""
        gap = self._gaps.get(path)
        return explain_part(*gap)[0] if gap else ""

    def _filled(self, path: str) -> Any:
        value = self.value(path)
        if is_empty(value):
            raise Problem(self.remark(path) or f"`{path}` is empty")
        return value

    # --- What was before ---

    def previous(self, path: str) -> Any:
        """The value that a field of the record had before."""
        return self.value(f"{PREVIOUS}.{self._tracked(path)}")

    def changed(self, path: str) -> bool:
        """Whether the event changed a field: by its own list, or where that does not tell, by comparison.

        An event that changes nothing, such as the creation of a record, lists nothing.
        """
        name = self._tracked(path)
        listed = self._listed_changes()
        if listed is not None and (name in listed or "." not in name):
            return name in listed
        before, after = self.previous(path), self.value(path)
        if is_empty(before) and is_empty(after):
            return False
        return bool(identity(before) != identity(after))

    def _tracked(self, path: str) -> str:
        """`amount` of `record.amount`."""
        root, _, name = full_path(path, self.context).partition(".")
        if root not in TRACKED or not name:
            raise Problem(f"`{path}` is no field of the record, so what it was before is not known")
        return name

    def _listed_changes(self) -> Collection[str] | None:
        event = self.context.get("event")
        if not isinstance(event, Mapping) or "changed" not in event:
            return None
        listed = event["changed"]
        return listed if isinstance(listed, list | tuple | set | frozenset) else None

    # --- Looking up ---

    def _look_up(self, path: str) -> Any:
        if path in self._problems:
            raise self._problems[path].with_traceback(None)
        try:
            value = self._walk(path)
            if isinstance(value, Symbol):
                self._symbols[path] = value
                raise Problem(f"`{path}` is {value.noun}, which conditions can't look at")
        except Problem as problem:
            self._problems[path] = problem
            raise
        self._values[path] = value
        return value

    def _walk(self, path: str) -> Any:
        root, *steps = full_path(path, self.context).split(".")
        if root not in self.context:
            raise missing_name(path.partition(".")[0], Scope(self.context), 0)
        value, where = self.context[root], root
        for step in steps:
            found = self._step(value, step, where)
            if found is _NOTHING:
                is_place = isinstance(value, list | tuple)
                self._gaps[path] = (value, int(step) if is_place else step, where)
                return None
            value, where = found, f"{where}.{step}"
        if isinstance(value, Reference):
            return str(value)
        # What has an id is compared by it.
        return value["id"] if isinstance(value, Namespace) and "id" in value else value

    def _step(self, value: Any, name: str, where: str) -> Any:
        """What is one step further; _NOTHING where data may well have nothing. Raises Problem."""
        if value is None:
            return _NOTHING
        if isinstance(value, Reference):
            value = value.target
        if isinstance(value, Mapping):
            try:
                return value[name]
            except KeyError:
                # A namespace knows its names; other objects are free JSON, where anything may be left out.
                if isinstance(value, Namespace):
                    raise missing_part(value, name, where, 0) from None
                return _NOTHING
        if isinstance(value, list | tuple) and name.isdecimal() and len(name) <= 9:
            return value[int(name)] if int(name) < len(value) else _NOTHING
        if isinstance(value, date) and name in PARTS:
            return part_of(value, name)
        raise missing_part(value, name, where, 0)


_NOTHING: Final = object()
