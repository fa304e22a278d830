"""Functions, methods, filters and tests in an expression; what they do is in `library`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

from jinja2 import nodes

from .compiler import Build, Compiler, Evaluate, guarded
from .errors import Problem
from .library import FILTERS, FUNCTIONS, METHODS, Function, check_arguments
from .limits import Scope
from .lists import attribute_of, need_attribute
from .missing import refuse_here, unknown_filter, unknown_function, unknown_method, unknown_test
from .predicates import PREDICATES, truth
from .values import ABSENT, kind, need_list

Call: TypeAlias = nodes.Call | nodes.Filter | nodes.Test
Each: TypeAlias = Callable[[Scope, Any], Any]

NAMED_AS_TEXT = "the attribute is named by a text"


def arguments_of(
    compiler: Compiler, node: Call, skip: int = 0
) -> tuple[list[Evaluate], dict[str, Evaluate]]:
    """Compile the arguments of a call, without the first few."""
    named = {str(keyword.key): compiler.compile(keyword.value) for keyword in node.kwargs}
    return [compiler.compile(argument) for argument in node.args[skip:]], named


def refuse_unpacking(node: Call) -> None:
    if node.dyn_args is not None or node.dyn_kwargs is not None:
        raise Problem("arguments can't be unpacked with * here", node.lineno)


def check_call(
    name: str, function: Function, node: Call, offset: int, given: int, skip: int = 0
) -> None:
    """Raise Problem, at this offset, unless the function takes what the call gives."""
    named = [str(keyword.key) for keyword in node.kwargs]
    try:
        check_arguments(name, function, given, len(node.args) - skip, named)
    except Problem as problem:
        problem.offset = offset
        raise


def invocation(
    compiler: Compiler,
    name: str,
    function: Function,
    node: Call,
    offset: int,
    before: list[Evaluate],
) -> Evaluate:
    """Compile the call of a listed function, with the values that stand before it."""
    refuse_unpacking(node)
    check_call(name, function, node, offset, len(before))
    arguments, named = arguments_of(compiler, node)
    given = [*before, *arguments]

    def run(scope: Scope) -> Any:
        values = [scope, *[argument(scope) for argument in given]]
        return guarded(function, offset, values, options(scope, named, offset))

    return run


def options(scope: Scope, named: Mapping[str, Evaluate], offset: int) -> dict[str, Any] | None:
    """Work out the arguments given by name."""
    if not named:
        return None
    values = {key: value(scope) for key, value in named.items()}
    for value in values.values():
        refuse_here(value, offset)
    return values


def call(compiler: Compiler, node: nodes.Call) -> Evaluate:
    if isinstance(node.node, nodes.Getattr):
        return method(compiler, node, node.node)
    if not isinstance(node.node, nodes.Name):
        raise Problem("this can't be called; only functions can", node.lineno)
    name, offset = node.node.name, node.node.lineno
    if name == "coalesce":
        return coalesce(compiler, node)
    if name not in FUNCTIONS:
        raise unknown_function(name, offset)
    return invocation(compiler, name, FUNCTIONS[name], node, offset, [])


def coalesce(compiler: Compiler, node: nodes.Call) -> Evaluate:
    """Compile the choice of the first value that is there, not none and not an empty text."""
    refuse_unpacking(node)
    offset = node.node.lineno
    if node.kwargs or not node.args:
        raise Problem("`coalesce` takes the values to choose from: coalesce(a, b)", offset)
    values = [compiler.lenient(argument) for argument in node.args]

    def run(scope: Scope) -> Any:
        for value in values:
            found = value(scope)
            refuse_here(found, offset)
            if found is not ABSENT and found is not None and found != "":
                return found
        return None

    return run


def method(compiler: Compiler, node: nodes.Call, target: nodes.Getattr) -> Evaluate:
    name, offset = target.attr, target.lineno + 1
    if name not in METHODS:
        raise unknown_method(name, offset)
    owner, function = METHODS[name]
    inner = compiler.compile(target.node)

    def subject(scope: Scope) -> Any:
        value = inner(scope)
        refuse_here(value, offset)
        if isinstance(value, Mapping) and name in value:
            raise Problem(f"`{name}` is a value here, so it can't be called", offset)
        if not isinstance(value, owner):
            raise Problem(f"{kind(value)} has no `{name}()`", offset)
        return value

    return invocation(compiler, name, function, node, offset, [subject])


def filtered(node: nodes.Filter) -> nodes.Expr:
    """Give what stands before a filter."""
    if node.node is None:
        raise Problem("a filter needs a value before it", node.lineno)
    return node.node


def filter_(compiler: Compiler, node: nodes.Filter) -> Evaluate:
    refuse_unpacking(node)
    if node.name in SPECIAL:
        return SPECIAL[node.name](compiler, node)
    if node.name not in FILTERS:
        raise unknown_filter(node.name, node.lineno)
    subject = compiler.compile(filtered(node))
    return invocation(compiler, node.name, FILTERS[node.name], node, node.lineno, [subject])


def test(compiler: Compiler, node: nodes.Test) -> Evaluate:
    function = predicate_named(node.name, node.lineno)
    may_be_missing = node.name in ("defined", "undefined")
    subject = compiler.lenient(node.node) if may_be_missing else compiler.compile(node.node)
    return invocation(compiler, node.name, function, node, node.lineno, [subject])


def predicate_named(name: str, offset: int) -> Function:
    if name not in PREDICATES:
        raise unknown_test(name, offset)
    return PREDICATES[name]


def default_arguments(
    scope: Scope, value: Any, default_value: Any = "", boolean: Any = False
) -> None:
    """The arguments of `default`, for the check; its work is done by what `default` builds."""


def default(compiler: Compiler, node: nodes.Filter) -> Evaluate:
    check_call(node.name, default_arguments, node, node.lineno, 1)
    inner, offset = compiler.lenient(filtered(node)), node.lineno
    arguments, named = arguments_of(compiler, node)
    given = dict(zip(("default_value", "boolean"), arguments, strict=False)) | named
    fallback, boolean = given.get("default_value"), given.get("boolean")

    def run(scope: Scope) -> Any:
        value = inner(scope)
        refuse_here(value, offset)
        if value is ABSENT or (boolean is not None and boolean(scope) and not value):
            return "" if fallback is None else fallback(scope)
        return value

    return run


def over_list(compiler: Compiler, node: nodes.Filter, each: Each, keep: bool | None) -> Evaluate:
    """Do something with each item: for the results, or to keep the items for which it is so."""
    inner, offset = compiler.compile(filtered(node)), node.lineno

    def go_through(scope: Scope, value: Any) -> list[Any]:
        items = need_list(scope, value)
        if keep is None:
            return [each(scope, item) for item in items]
        return [item for item in items if bool(each(scope, item)) is keep]

    return lambda scope: guarded(go_through, offset, [scope, inner(scope)])


def for_each(
    compiler: Compiler, node: nodes.Filter, name: str, function: Function, skip: int
) -> Each:
    """Compile the call of a function on each item, with the arguments that follow its name."""
    offset = node.lineno
    check_call(name, function, node, offset, 1, skip)
    arguments, named = arguments_of(compiler, node, skip)

    def each(scope: Scope, item: Any) -> Any:
        values = [scope, item, *[argument(scope) for argument in arguments]]
        return guarded(function, offset, values, options(scope, named, offset))

    return each


def map_(compiler: Compiler, node: nodes.Filter) -> Evaluate:
    if not node.args:
        return over_list(compiler, node, taking(compiler, node), None)
    name = constant_text(node.args[0], "map takes the name of a filter, as a text")
    if name not in FILTERS:
        raise unknown_filter(name, node.args[0].lineno)
    return over_list(compiler, node, for_each(compiler, node, name, FILTERS[name], 1), None)


def taking(compiler: Compiler, node: nodes.Filter) -> Each:
    """Compile map(attribute='…', default=…)."""
    given = {str(keyword.key): keyword.value for keyword in node.kwargs}
    if "attribute" not in given or given.keys() - {"attribute", "default"}:
        raise Problem("write map('filter') or map(attribute='name')", node.lineno)
    path = constant_text(given["attribute"], NAMED_AS_TEXT, numbers=True)
    if "default" not in given:
        return lambda scope, item: need_attribute(item, path)
    fallback = compiler.compile(given["default"])

    def take(scope: Scope, item: Any) -> Any:
        found = attribute_of(item, path)
        return fallback(scope) if found is ABSENT else found

    return take


def select(compiler: Compiler, node: nodes.Filter) -> Evaluate:
    keep = node.name.startswith("select")
    if not node.name.endswith("attr"):
        return over_list(compiler, node, testing(compiler, node, 0), keep)
    if not node.args:
        raise Problem(f"write {node.name}('attribute'), then a test if you like", node.lineno)
    path = constant_text(node.args[0], NAMED_AS_TEXT, numbers=True)
    holds = testing(compiler, node, 1)
    return over_list(
        compiler, node, lambda scope, item: holds(scope, attribute_of(item, path)), keep
    )


def testing(compiler: Compiler, node: nodes.Filter, skip: int) -> Each:
    """Compile the test of `select` and its kin; without one, items are taken as yes or no."""
    if len(node.args) == skip:
        if node.kwargs:
            raise Problem(f"`{node.name}` takes no arguments by name", node.lineno)
        return truth
    name = constant_text(node.args[skip], f"{node.name} takes the name of a test, as a text")
    function = predicate_named(name, node.args[skip].lineno)
    holds = for_each(compiler, node, name, function, skip + 1)
    if name in ("defined", "undefined"):
        return holds
    # Only those two know what to do with an attribute that is not there.
    return lambda scope, item: (truth if item is ABSENT else holds)(scope, item)


def constant_text(node: nodes.Node, message: str, *, numbers: bool = False) -> str:
    """Take a text that stands in the template itself, so that it can be checked beforehand."""
    if isinstance(node, nodes.Const):
        if isinstance(node.value, str):
            return node.value
        if numbers and isinstance(node.value, int):
            return str(node.value)
    raise Problem(message, node.lineno)


SPECIAL: Final[dict[str, Callable[[Compiler, nodes.Filter], Evaluate]]] = {
    "d": default,
    "default": default,
    "map": map_,
    "select": select,
    "reject": select,
    "selectattr": select,
    "rejectattr": select,
}

BUILDERS: Final[dict[type[nodes.Node], Build]] = {
    nodes.Call: call,
    nodes.Filter: filter_,
    nodes.Test: test,
}
