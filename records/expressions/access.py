"""Values written in an expression, names, attributes and items."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from jinja2 import nodes

from .compiler import Build, Compiler, Evaluate, guarded
from .dates import PARTS, part_of
from .errors import Problem
from .limits import Scope
from .missing import missing_name, missing_part, refuse_here
from .values import ABSENT, Namespace, Reference, kind, need_integer, scalar_text


def constant(compiler: Compiler, node: nodes.Const) -> Evaluate:
    value = node.value
    return lambda scope: value


def name(compiler: Compiler, node: nodes.Name) -> Evaluate:
    wanted, offset = node.name, node.lineno

    def run(scope: Scope) -> Any:
        try:
            return scope.names[wanted]
        except KeyError:
            raise missing_name(wanted, scope, offset) from None

    return run


def sequence(compiler: Compiler, node: nodes.List | nodes.Tuple) -> Evaluate:
    items = [compiler.compile(item) for item in node.items]
    return lambda scope: [item(scope) for item in items]


def mapping(compiler: Compiler, node: nodes.Dict) -> Evaluate:
    pairs = [
        (compiler.compile(pair.key), compiler.compile(pair.value), pair.key.lineno)
        for pair in node.items
    ]

    def run(scope: Scope) -> dict[str, Any]:
        return {
            guarded(key_text, offset, [key(scope)]): value(scope) for key, value, offset in pairs
        }

    return run


def key_text(key: object) -> str:
    """Take a key of an object as text."""
    if isinstance(key, str):
        return key
    if key is None or isinstance(key, (list, tuple, Mapping)):
        raise Problem(f"a key is text, not {kind(key)}")
    return scalar_text(key)


def attribute(compiler: Compiler, node: nodes.Getattr) -> Evaluate:
    inner, wanted, offset = compiler.compile(node.node), node.attr, node.lineno + 1
    where = words_for(compiler, node)

    def run(scope: Scope) -> Any:
        container = inner(scope)
        if isinstance(container, Reference):
            container = container.target
        if type(container) is dict or type(container) is Namespace:
            found = container.get(wanted, ABSENT)
            if found is not ABSENT:
                return found
        elif isinstance(container, Mapping):
            try:
                return container[wanted]
            except KeyError:
                pass
        elif isinstance(container, date) and wanted in PARTS:
            return guarded(part_of, offset, [container, wanted])
        raise missing_part(container, wanted, where, offset)

    return run


def item(compiler: Compiler, node: nodes.Getitem) -> Evaluate:
    if isinstance(node.arg, nodes.Slice):
        return part(compiler, node, node.arg)
    inner, argument = compiler.compile(node.node), compiler.compile(node.arg)
    offset, where = node.lineno + 1, words_for(compiler, node)

    def run(scope: Scope) -> Any:
        container, key = inner(scope), argument(scope)
        refuse_here(key, offset)
        if isinstance(container, Reference) and isinstance(key, str):
            container = container.target
        try:
            if isinstance(container, Mapping):
                return container[guarded(key_text, offset, [key])]
            if isinstance(container, (str, list, tuple)) and isinstance(key, int):
                return container[key]
        except LookupError:
            pass
        raise missing_part(container, key, where, offset)

    return run


def part(compiler: Compiler, node: nodes.Getitem, bounds: nodes.Slice) -> Evaluate:
    inner, offset = compiler.compile(node.node), node.lineno
    parts = [
        compiler.compile(bound or nodes.Const(None, lineno=offset))
        for bound in (bounds.start, bounds.stop, bounds.step)
    ]

    def run(scope: Scope) -> Any:
        return guarded(slice_of, offset, [scope, inner(scope), *(bound(scope) for bound in parts)])

    return run


def slice_of(scope: Scope, value: Any, start: Any, stop: Any, step: Any) -> Any:
    """Cut a part out of a text or list, as Python does."""
    if not isinstance(value, (str, list, tuple)):
        raise Problem(f"{kind(value)} has no parts; only a text or a list does")
    bounds = [None if bound is None else need_integer(bound) for bound in (start, stop, step)]
    if bounds[2] == 0:
        raise Problem("the step can't be 0")
    scope.spend_text(len(value))
    cut = value[slice(*bounds)]
    return list(cut) if isinstance(cut, tuple) else cut


def words_for(compiler: Compiler, node: nodes.Getattr | nodes.Getitem) -> str:
    """Quote the source of what an attribute or item is taken from, if it is a plain path."""
    inner: nodes.Node = node.node
    while isinstance(inner, (nodes.Getattr, nodes.Getitem)):
        inner = inner.node
    if not isinstance(inner, nodes.Name):
        return ""
    return compiler.source[inner.lineno : node.lineno].strip()


BUILDERS: Final[dict[type[nodes.Node], Build]] = {
    nodes.Const: constant,
    nodes.Name: name,
    nodes.List: sequence,
    nodes.Tuple: sequence,
    nodes.Dict: mapping,
    nodes.Getattr: attribute,
    nodes.Getitem: item,
}
