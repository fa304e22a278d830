"""Templates within a JSON value: every text in it, at any depth, is one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from .errors import ExpressionError, Problem
from .limits import MAX_VALUE_DEPTH, Scope
from .template import Mode, compile_expression, compile_template


def walk(value: Any, visit: Callable[[str], Any], path: str = "", depth: int = 0) -> Any:
    """Rebuild a value with each text replaced; an error gets the path to its text."""
    if isinstance(value, str):
        try:
            return visit(value)
        except ExpressionError as error:
            error.path = path
            raise
    if not isinstance(value, (Mapping, list, tuple)):
        return value
    if depth >= MAX_VALUE_DEPTH:
        message = f"this value is nested more than {MAX_VALUE_DEPTH} levels deep"
        raise ExpressionError(message, path=path)
    if isinstance(value, Mapping):
        return {
            key: walk(value[key], visit, f"{path}/{pointer_token(key)}", depth + 1) for key in value
        }
    return [walk(item, visit, f"{path}/{place}", depth + 1) for place, item in enumerate(value)]


def pointer_token(key: object) -> str:
    """Write a key as a step of a JSON Pointer (RFC 6901)."""
    return str(key).replace("~", "~0").replace("/", "~1")


def render_value(value: Any, context: Mapping[str, Any]) -> Any:
    """Render every text in a JSON value, as `render_typed` does; keys stay as they are.

    Raises ExpressionError, its `path` a JSON Pointer such as `/items/0/name`. The limits on work
    and output hold for the whole value.
    """
    scope = Scope(context)

    def visit(source: str) -> Any:
        if "{" in source:
            return compile_template(source).typed(scope)
        try:
            scope.emit(len(source))
        except Problem as problem:
            raise ExpressionError(problem.message) from None
        return source

    return walk(value, visit)


def check_value(value: Any) -> None:
    """Check the syntax of every text in a JSON value; raises ExpressionError with its `path`."""

    def visit(source: str) -> None:
        compile_template(source)

    walk(value, visit)


def names_used(value: Any, mode: Mode = "text") -> set[str]:
    """Give the dotted paths that the templates in a text or JSON value read: {"secrets.api_key"}.

    A key that is worked out ends its path: `secrets[vars.x]` gives "secrets" and "vars.x". Raises
    ExpressionError for a syntax that is wrong.
    """
    found: set[str] = set()

    def visit(source: str) -> None:
        found.update(compile_template(source, mode).names)

    walk(value, visit)
    return found


def names_used_in_expression(source: str) -> set[str]:
    """Give the dotted paths that a bare expression reads; raises ExpressionError."""
    return set(compile_expression(source).names) if source.strip() else set()
