"""From Jinja2's syntax tree to nested Python functions that work out a value.

Only what is built here and in `access`, `operations` and `calls` can happen: an attribute is a key
of a mapping or one of a few listed parts, a call reaches a listed function, and every operation goes
through `arithmetic`, `library` or `predicates`. No Python attribute is looked up by a name from an
expression and no Python code is generated, so there is nothing to break out of.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from jinja2 import nodes

from .errors import FAILURES, Missing, Problem
from .limits import MAX_DEPTH, Scope
from .missing import refuse_here
from .syntax import start_of
from .values import ABSENT, Symbol, kind, refuse_symbol

Evaluate: TypeAlias = Callable[[Scope], Any]
Build: TypeAlias = "Callable[[Compiler, Any], Evaluate]"


class Compiler:
    """Compiles one expression; `builders` says how for each type of node."""

    def __init__(self, source: str, builders: Mapping[type[nodes.Node], Build]) -> None:
        self.source = source
        self.builders = builders
        self.depth = 0

    def compile(self, node: nodes.Node) -> Evaluate:
        """Build the function for a node; raises Problem."""
        build = self.builders.get(type(node))
        if build is None:
            raise Problem("this is not possible in an expression", node.lineno)
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise Problem("this expression is nested too deeply", node.lineno)
        evaluate = build(self, node)
        self.depth -= 1
        return evaluate

    def condition(self, node: nodes.Node) -> Evaluate:
        """Build the function for something that is taken as yes or no."""
        inner, offset = self.compile(node), start_of(node)

        def run(scope: Scope) -> bool:
            value = inner(scope)
            refuse_here(value, offset)
            return bool(value)

        return run

    def lenient(self, node: nodes.Node) -> Evaluate:
        """Build the function for a value that may be missing, which gives ABSENT."""
        inner = self.compile(node)
        if not isinstance(node, (nodes.Name, nodes.Getattr, nodes.Getitem)):
            return inner

        def run(scope: Scope) -> Any:
            try:
                return inner(scope)
            except Missing:
                return ABSENT

        return run


def guarded(
    function: Callable[..., Any],
    offset: int,
    values: list[Any],
    named: Mapping[str, Any] | None = None,
) -> Any:
    """Call one of our functions; whatever goes wrong in it becomes a Problem at this offset."""
    try:
        for value in values:
            if isinstance(value, Symbol):
                refuse_symbol(value)
        return function(*values, **named) if named else function(*values)
    except Problem as problem:
        if problem.offset is None:
            problem.offset = offset
        raise
    except FAILURES:
        kinds = ", ".join(kind(value) for value in values if not isinstance(value, Scope))
        raise Problem(f"this can't be worked out with {kinds}", offset) from None
