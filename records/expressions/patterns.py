"""Regular expressions that can't hang: all ways through a pattern are followed at once.

Python's `re` tries one way after another; on a short text that can take longer than the universe
lasts, and nothing can interrupt it. Here the pattern becomes a graph of states (Thompson's
construction) and the text is read once, so the work is at most the text's length times the
pattern's, and is paid for. Look-around and back references need the other kind of engine and are refused.
https://swtch.com/~rsc/regexp/regexp1.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import lru_cache

# The standard library's own parser; its public name `sre_parse` is deprecated, the module is not.
from re import _constants as sre  # type: ignore[attr-defined]
from re import _parser  # type: ignore[attr-defined]
from typing import Any

from .errors import Problem, shorten
from .limits import Scope
from .values import need_text

MAX_PATTERN = 500  # characters
MAX_STATES = 2_000  # after counted repetitions are written out
MAX_SUBJECT = 100_000  # characters of the text searched
MAX_NESTING = 50

Accepts = Callable[[str], bool]


@dataclass(slots=True)
class State:
    """One place in a pattern: either it accepts a character, or it leads on without one."""

    accepts: Accepts | None = None
    position: Any = None  # a condition on the place in the text, such as ^ or \b
    nexts: list[int] = field(default_factory=list)


@dataclass(slots=True)
class Graph:
    """The states of a pattern; 0 is the beginning, the last one the end."""

    states: list[State] = field(default_factory=list)
    end: int = -1

    def new(self, accepts: Accepts | None = None, position: Any = None) -> int:
        if len(self.states) >= MAX_STATES:
            raise Problem("this pattern repeats too much; shorten it or lower its counts")
        self.states.append(State(accepts, position))
        return len(self.states) - 1

    def link(self, start: int, end: int) -> None:
        self.states[start].nexts.append(end)


CATEGORIES: dict[Any, Accepts] = {
    sre.CATEGORY_DIGIT: str.isdecimal,
    sre.CATEGORY_NOT_DIGIT: lambda c: not c.isdecimal(),
    sre.CATEGORY_SPACE: str.isspace,
    sre.CATEGORY_NOT_SPACE: lambda c: not c.isspace(),
    sre.CATEGORY_WORD: lambda c: c.isalnum() or c == "_",
    sre.CATEGORY_NOT_WORD: lambda c: not (c.isalnum() or c == "_"),
}


def fold(accepts: Accepts) -> Accepts:
    """Accept a character in either case."""
    return lambda c: accepts(c) or accepts(c.lower()) or accepts(c.upper())


def member(item: tuple[Any, Any]) -> Accepts:
    """Make the test for one item of a character class."""
    kind, argument = item
    if kind is sre.LITERAL:
        wanted = chr(argument)
        return lambda c: c == wanted
    if kind is sre.RANGE:
        low, high = chr(argument[0]), chr(argument[1])
        return lambda c: low <= c <= high
    return CATEGORIES[argument]


def character_class(items: list[tuple[Any, Any]], ignore_case: bool) -> Accepts:
    """Make the test for a class such as [a-z_] or [^,]."""
    negated = bool(items) and items[0][0] is sre.NEGATE
    tests = [member(item) for item in items[negated:]]

    def accepts(c: str) -> bool:
        return any(test(c) for test in tests)

    matches = fold(accepts) if ignore_case else accepts
    return (lambda c: not matches(c)) if negated else matches


def single(operation: Any, argument: Any, flags: int) -> Accepts | None:
    """Make the test for a part of a pattern that takes exactly one character."""
    ignore_case = bool(flags & re.IGNORECASE)
    if operation is sre.LITERAL:
        return character_class([(sre.LITERAL, argument)], ignore_case)
    if operation is sre.NOT_LITERAL:
        return character_class([(sre.NEGATE, None), (sre.LITERAL, argument)], ignore_case)
    if operation is sre.IN:
        return character_class(argument, ignore_case)
    if operation is sre.ANY:
        return (lambda c: True) if flags & re.DOTALL else (lambda c: c != "\n")
    return None


class Builder:
    """Turns a parsed pattern into a graph."""

    def __init__(self) -> None:
        self.graph = Graph()

    def sequence(self, start: int, parts: Iterable[tuple[Any, Any]], flags: int, depth: int) -> int:
        """Append parts after a state; gives the state where they end."""
        if depth > MAX_NESTING:
            raise Problem("this pattern is nested too deeply")
        for operation, argument in parts:
            start = self.part(start, operation, argument, flags, depth)
        return start

    def part(self, start: int, operation: Any, argument: Any, flags: int, depth: int) -> int:
        accepts = single(operation, argument, flags)
        if accepts is not None:
            return self.step(start, accepts)
        if operation is sre.AT:
            at = self.graph.new(position=anchor(argument, flags))
            self.graph.link(start, at)
            return at
        if operation is sre.SUBPATTERN:
            _, added, removed, parts = argument
            return self.sequence(start, parts, (flags | added) & ~removed, depth + 1)
        if operation is sre.BRANCH:
            return self.branch(start, argument[1], flags, depth)
        if operation in (sre.MAX_REPEAT, sre.MIN_REPEAT):
            return self.repeat(start, argument, flags, depth)
        raise Problem("a pattern here can't use look-around, back references or atomic groups")

    def step(self, start: int, accepts: Accepts) -> int:
        taken, after = self.graph.new(accepts), self.graph.new()
        self.graph.link(start, taken)
        self.graph.link(taken, after)
        return after

    def branch(self, start: int, branches: list[Any], flags: int, depth: int) -> int:
        ends = [self.sequence(start, parts, flags, depth + 1) for parts in branches]
        after = self.graph.new()
        for end in ends:
            self.graph.link(end, after)
        return after

    def repeat(self, start: int, argument: Any, flags: int, depth: int) -> int:
        least, most, parts = argument
        for _ in range(least):
            start = self.once(start, parts, flags, depth)
        after = self.graph.new()
        if most is sre.MAXREPEAT:
            again = self.graph.new()
            self.graph.link(start, again)
            self.graph.link(self.sequence(again, parts, flags, depth + 1), again)
            self.graph.link(again, after)
            return after
        self.graph.link(start, after)
        for _ in range(most - least):
            start = self.once(start, parts, flags, depth)
            self.graph.link(start, after)
        return after

    def once(self, start: int, parts: Any, flags: int, depth: int) -> int:
        """Append one repetition, with a state of its own so that empty ones are counted too."""
        own = self.graph.new()
        self.graph.link(start, own)
        return self.sequence(own, parts, flags, depth + 1)


def anchor(kind: Any, flags: int) -> Any:
    """Take ^ and $ for the ends of lines when the pattern says (?m)."""
    if flags & re.MULTILINE:
        return {
            sre.AT_BEGINNING: sre.AT_BEGINNING_LINE,
            sre.AT_END: sre.AT_END_LINE,
        }.get(kind, kind)
    return kind


def holds(position: Any, text: str, place: int) -> bool:
    """Tell whether an anchor holds between two characters of the text."""
    first, last = place == 0, place == len(text)
    if position in (sre.AT_BEGINNING, sre.AT_BEGINNING_STRING):
        return first
    if position is sre.AT_END_STRING:
        return last
    if position is sre.AT_BEGINNING_LINE:
        return first or text[place - 1] == "\n"
    if position is sre.AT_END_LINE:
        return last or text[place] == "\n"
    if position is sre.AT_END:
        return last or (place == len(text) - 1 and text[place] == "\n")
    word = CATEGORIES[sre.CATEGORY_WORD]
    before = not first and word(text[place - 1])
    after = not last and word(text[place])
    return (before != after) == (position is sre.AT_BOUNDARY)


@lru_cache(maxsize=256)
def build(pattern: str) -> Graph:
    """Parse a pattern; raises Problem when it is wrong or asks for too much."""
    if len(pattern) > MAX_PATTERN:
        raise Problem(f"this pattern is too long; the limit is {MAX_PATTERN} characters")
    try:
        parsed = _parser.parse(pattern)
    except (re.error, ValueError, OverflowError, RecursionError, FutureWarning) as error:
        raise Problem(f"the pattern `{shorten(pattern)}` is wrong: {error}") from None
    builder = Builder()
    end = builder.sequence(builder.graph.new(), parsed, parsed.state.flags, 0)
    builder.graph.end = end
    return builder.graph


def reach(graph: Graph, start: Iterable[int], text: str, place: int) -> set[int]:
    """Follow all ways that take no character, from some states."""
    states = graph.states
    found: set[int] = set()
    waiting = list(start)
    while waiting:
        number = waiting.pop()
        if number in found:
            continue
        state = states[number]
        if state.position is not None and not holds(state.position, text, place):
            continue
        found.add(number)
        if state.accepts is None:
            waiting.extend(state.nexts)
    return found


def search(scope: Scope, text: str, pattern: str) -> bool:
    """Tell whether the pattern is found anywhere in the text."""
    if len(text) > MAX_SUBJECT:
        raise Problem(f"this text is too long for a pattern; the limit is {MAX_SUBJECT:,}")
    graph = build(pattern)
    active: set[int] = set()
    for place in range(len(text) + 1):
        active.add(0)
        current = reach(graph, active, text, place)
        scope.spend(1 + len(current) // 2)
        if graph.end in current:
            return True
        if place < len(text):
            active = following(graph, current, text[place])
    return False


def following(graph: Graph, current: set[int], character: str) -> set[int]:
    """Find the states reached by taking one character."""
    after: set[int] = set()
    for number in current:
        state = graph.states[number]
        if state.accepts is not None and state.accepts(character):
            after.update(state.nexts)
    return after


def regex_match(scope: Scope, text: object, pattern: object) -> bool:
    """Tell whether a pattern is found in a text; anchor it with ^ and $ to match the whole."""
    return search(scope, need_text(text), need_text(pattern))
