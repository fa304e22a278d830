"""Arithmetic, comparison and choice in an expression; what they do is in `arithmetic`."""

from __future__ import annotations

from typing import Any, Final

from jinja2 import nodes

from .arithmetic import BINARY, COMPARE, Operation, concat, negate, positive
from .compiler import Build, Compiler, Evaluate, guarded
from .limits import Scope
from .missing import refuse_here
from .syntax import start_of

SIGNS: Final[dict[type[nodes.Node], str]] = {
    nodes.Add: "+",
    nodes.Sub: "-",
    nodes.Mul: "*",
    nodes.Div: "/",
    nodes.FloorDiv: "//",
    nodes.Mod: "%",
    nodes.Pow: "**",
}


def two_sided(operation: Operation, left: Evaluate, right: Evaluate, offset: int) -> Evaluate:
    return lambda scope: guarded(operation, offset, [scope, left(scope), right(scope)])


def binary(compiler: Compiler, node: nodes.BinExpr) -> Evaluate:
    left, right = compiler.compile(node.left), compiler.compile(node.right)
    return two_sided(BINARY[SIGNS[type(node)]], left, right, start_of(node))


def unary(compiler: Compiler, node: nodes.UnaryExpr) -> Evaluate:
    inner, offset = compiler.compile(node.node), node.lineno
    operation = negate if isinstance(node, nodes.Neg) else positive
    return lambda scope: guarded(operation, offset, [scope, inner(scope)])


def concatenation(compiler: Compiler, node: nodes.Concat) -> Evaluate:
    parts, offset = [compiler.compile(part) for part in node.nodes], start_of(node)
    return lambda scope: guarded(concat, offset, [scope, [part(scope) for part in parts]])


def comparison(compiler: Compiler, node: nodes.Compare) -> Evaluate:
    first, offset = compiler.compile(node.expr), start_of(node)
    links = [(COMPARE[link.op], compiler.compile(link.expr)) for link in node.ops]
    if len(links) == 1:
        return two_sided(links[0][0], first, links[0][1], offset)

    def run(scope: Scope) -> bool:
        left = first(scope)
        for compare, operand in links:
            right = operand(scope)
            if not guarded(compare, offset, [scope, left, right]):
                return False
            left = right
        return True

    return run


def negation(compiler: Compiler, node: nodes.Not) -> Evaluate:
    holds = compiler.condition(node.node)
    return lambda scope: not holds(scope)


def either(compiler: Compiler, node: nodes.Or | nodes.And) -> Evaluate:
    left, right = compiler.compile(node.left), compiler.compile(node.right)
    go_on, offset = isinstance(node, nodes.And), start_of(node.left)

    def run(scope: Scope) -> Any:
        value = left(scope)
        refuse_here(value, offset)
        return right(scope) if bool(value) is go_on else value

    return run


def choice(compiler: Compiler, node: nodes.CondExpr) -> Evaluate:
    holds, then = compiler.condition(node.test), compiler.compile(node.expr1)
    otherwise = compiler.compile(node.expr2 or nodes.Const(None, lineno=node.lineno))
    return lambda scope: then(scope) if holds(scope) else otherwise(scope)


BUILDERS: Final[dict[type[nodes.Node], Build]] = {
    **dict.fromkeys(SIGNS, binary),
    nodes.Neg: unary,
    nodes.Pos: unary,
    nodes.Concat: concatenation,
    nodes.Compare: comparison,
    nodes.Not: negation,
    nodes.And: either,
    nodes.Or: either,
    nodes.CondExpr: choice,
}
