"""From text to Jinja2's syntax tree.

The words are cut out here, so that each token can carry its character offset where Jinja2 keeps
only a line number, and so that a `}}` within a text or an object does not end the expression. The
grammar is Jinja2's own parser. In the trees made here, `node.lineno` is the offset in the template.
"""

from __future__ import annotations

import re
from typing import Any, Final

from jinja2 import Environment, TemplateSyntaxError, nodes
from jinja2.lexer import TOKEN_EOF, Token, TokenStream, operators
from jinja2.parser import Parser

from .errors import Problem, suggest
from .limits import MAX_BRACKETS, MAX_INTEGER_BITS, MAX_TOKENS

ENVIRONMENT: Final = Environment(autoescape=False)  # noqa: S701 (it only parses, nothing is rendered)

WORDS = re.compile(
    r"""
      (?P<space>\s+)
    | (?P<float>(?<!\.)[0-9][0-9_]*(?:\.[0-9][0-9_]*(?:[eE][+-]?[0-9]+)?|[eE][+-]?[0-9]+))
    | (?P<integer>[0-9][0-9_]*)
    | (?P<name>[^\W\d]\w*)
    | (?P<string>'[^'\\]*(?:\\.[^'\\]*)*'|"[^"\\]*(?:\\.[^"\\]*)*")
    | (?P<operator>===|!==|&&|\|\||\?\?|=>|//|\*\*|==|!=|>=|<=|[-+/*%~\[\](){}><=.:|,;])
    """,
    re.VERBOSE | re.DOTALL,
)
ESCAPE = re.compile(
    r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U(000[0-9a-fA-F]{5}|0010[0-9a-fA-F]{4})|(.))",
    re.DOTALL,
)
ESCAPES: Final = {"n": "\n", "t": "\t", "r": "\r", "\\": "\\", "'": "'", '"': '"', "/": "/"}

OPENING: Final = {"(": ")", "[": "]", "{": "}"}
CLOSING: Final = frozenset(OPENING.values())

# Signs of other languages, and what they are here.
FOREIGN: Final = {
    "&&": "write `and`",
    "||": "write `or`",
    "===": "write `==`",
    "!==": "write `!=`",
    "??": "write `coalesce(a, b)`, or the filter `default(…)`",
    "?": "write `a if condition else b`",
    "!": "write `not`",
    "&": "write `and`, or `~` to join texts",
    "=>": "functions can't be defined; use the filters map and select",
    "`": "put text between straight quotes",
    "$": "names have no `$` here",
    "@": "names have no `@` here",
    "#": "comments are not possible here",
    **dict.fromkeys("“”„‘’‚«»", "use straight quotes: ' or \""),
}


class Tokenizer:
    """Cuts one expression into tokens."""

    def __init__(self, source: str, start: int, *, braces: bool) -> None:
        self.source = source
        self.start = start
        self.place = start
        self.braces = braces  # ends at `}}`; otherwise at the end of the source
        self.open: list[tuple[str, int]] = []
        self.tokens: list[Token] = []

    def run(self) -> tuple[list[Token], int]:
        """Give the tokens, with one for the end, and the place of the closing braces."""
        while not self.at_end():
            match = WORDS.match(self.source, self.place)
            if match is None:
                raise self.unknown()
            group = match.lastgroup or ""
            if group != "space":
                self.take(group, match[0])
            self.place = match.end()
        self.tokens.append(Token(self.place, TOKEN_EOF, ""))
        return self.tokens, self.place

    def at_end(self) -> bool:
        if self.place < len(self.source):
            return self.braces and not self.open and self.source.startswith("}}", self.place)
        if self.open:
            bracket, offset = self.open[-1]
            raise Problem(f"`{bracket}` is never closed; add `{OPENING[bracket]}`", offset)
        if self.braces:
            raise Problem("`{{` is never closed; add `}}`", self.start - 2)
        return True

    def take(self, group: str, word: str) -> None:
        if len(self.tokens) >= MAX_TOKENS:
            raise Problem(
                f"this expression is too long; the limit is {MAX_TOKENS:,} words and signs"
            )
        kind, value = group, self.value(group, word)
        if group == "operator":
            self.balance(word)
            kind = operators[word]
        # Jinja2 says str for the value, but its lexer gives numbers too and its parser wants them.
        self.tokens.append(Token(self.place, kind, value))

    def value(self, group: str, word: str) -> Any:
        if group == "string":
            return unescape(word[1:-1])
        if group in ("integer", "float"):
            return self.number(group, word.replace("_", ""))
        if group == "name" and (not word.isidentifier() or word.startswith("__")):
            raise Problem(f"`{word}` can't be used as a name", self.place)
        if group == "operator" and word in FOREIGN:
            raise Problem(f"`{word}` is not known here; {FOREIGN[word]}", self.place)
        return word

    def number(self, group: str, digits: str) -> int | float:
        number = float(digits) if group == "float" or len(digits) > 300 else int(digits)
        if number == float("inf") or (group == "integer" and number >= 2**MAX_INTEGER_BITS):
            raise Problem("this number is too large", self.place)
        return number

    def balance(self, sign: str) -> None:
        if sign in OPENING:
            self.open.append((sign, self.place))
            if len(self.open) > MAX_BRACKETS:
                raise Problem(f"brackets are nested more than {MAX_BRACKETS} deep", self.place)
        elif sign in CLOSING:
            if not self.open:
                raise Problem(f"`{sign}` closes nothing", self.place)
            bracket, offset = self.open.pop()
            if OPENING[bracket] != sign:
                raise Problem(
                    f"`{bracket}` is never closed; `{OPENING[bracket]}` should come before this"
                    f" `{sign}`",
                    offset,
                )

    def unknown(self) -> Problem:
        sign = self.source[self.place]
        if sign in "'\"":
            return Problem(f"a text is never closed; add {sign} at its end", self.place)
        hint = FOREIGN.get(sign, "")
        return Problem(f"`{sign}` is not known here" + (hint and f"; {hint}"), self.place)


def unescape(text: str) -> str:
    r"""Resolve \n \t \r \\ \' \" \/ \xHH \uHHHH; others stay, so that '\d' can be a pattern."""
    if "\\" not in text:
        return text

    def character(match: re.Match[str]) -> str:
        digits = match[1] or match[2] or match[3]
        return chr(int(digits, 16)) if digits else ESCAPES.get(match[4], match[0])

    # Halves of a pair written one by one meet in UTF-16; a half alone can't be sent or stored.
    resolved = ESCAPE.sub(character, text)
    return resolved.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


EXPECTED = re.compile(r"expected token '(.*)', got '(.*)'", re.DOTALL)
UNFINISHED = re.compile(r"unexpected end of template, expected '(.*)'\.", re.DOTALL)
UNEXPECTED = re.compile(r"unexpected '(.*)'", re.DOTALL)
TOKEN_WORDS: Final = {
    "name": "a name",
    "string": "a text",
    "integer": "a number",
    "float": "a number",
}


def in_plain_words(message: str) -> str:
    """Say what Jinja2's parser found wrong without its vocabulary."""
    if match := EXPECTED.fullmatch(message):
        expected, got = match.groups()
        return f"expected {word(expected)}, found {word(got)}"
    if match := UNFINISHED.fullmatch(message):
        return f"the expression ends too early; expected {word(match[1])}"
    if match := UNEXPECTED.fullmatch(message):
        if match[1] == "end of template":
            return "the expression ends too early"
        return f"{word(match[1])} is not expected here"
    if message.startswith("invalid syntax for function call"):
        return "arguments by name come after the others"
    if message.startswith("You cannot chain"):
        return "write a second test with `and`"
    return message[:1].lower() + message[1:]


def word(found: str) -> str:
    return TOKEN_WORDS.get(found, "the end" if found == "end of template" else f"`{found}`")


def after_expression(token: Token, source: str) -> Problem:
    """Say what may be meant by something that follows a complete expression."""
    found = TOKEN_WORDS.get(token.type, "")
    if token.type == "name":
        found, _ = suggest(f"`{token.value}`", token.value, ("and", "or", "if", "is", "in", "not"))
    elif not found:
        found = f"`{source[token.lineno : token.lineno + 1]}`"
    hint = "; write `==` to compare" if token.type == "assign" else ""
    return Problem(f"the expression should end before {found}{hint}", token.lineno)


def parse(tokens: list[Token], source: str) -> nodes.Expr:
    """Parse tokens to a tree; raises Problem."""
    start = tokens[0].lineno
    if len(tokens) == 1:
        raise Problem("there is no expression here", start)
    parser = Parser(ENVIRONMENT, "")
    parser.stream = TokenStream(tokens, None, None)
    try:
        tree = parser.parse_expression()
    except TemplateSyntaxError as error:
        raise Problem(in_plain_words(error.message or "this can't be read"), error.lineno) from None
    except RecursionError:
        raise Problem("this expression is nested too deeply", start) from None
    if not parser.stream.eos:
        raise after_expression(parser.stream.current, source)
    return tree


def start_of(node: nodes.Node) -> int:
    """Give the offset where a node's leftmost part begins."""
    while True:
        inner = LEFTMOST.get(type(node))
        if inner is None:
            if not isinstance(node, nodes.BinExpr):
                return node.lineno
            inner = "left"
        node = node.nodes[0] if isinstance(node, nodes.Concat) else getattr(node, inner)


LEFTMOST: Final[dict[type[nodes.Node], str]] = {
    nodes.Getattr: "node",
    nodes.Getitem: "node",
    nodes.Call: "node",
    nodes.Filter: "node",
    nodes.Test: "node",
    nodes.Compare: "expr",
    nodes.Concat: "nodes",
}


def names_in(tree: nodes.Expr) -> set[str]:
    """Give the dotted paths of names a tree reads, functions and methods called left out."""
    found: set[str] = set()
    waiting: list[nodes.Node] = [tree]
    while waiting:
        node = waiting.pop()
        path = path_of(node)
        if path is not None:
            found.add(path)
        elif isinstance(node, nodes.Call) and isinstance(node.node, (nodes.Name, nodes.Getattr)):
            if isinstance(node.node, nodes.Getattr):
                waiting.append(node.node.node)
            waiting.extend(child for child in node.iter_child_nodes() if child is not node.node)
        else:
            waiting.extend(node.iter_child_nodes())
    return found


def path_of(node: nodes.Node) -> str | None:
    """Give `a.b.0.c` for a chain of names and fixed keys, None for anything else."""
    steps: list[str] = []
    while True:
        if isinstance(node, nodes.Name):
            return ".".join([node.name, *reversed(steps)])
        if isinstance(node, nodes.Getattr):
            steps.append(node.attr)
        elif isinstance(node, nodes.Getitem) and isinstance(node.arg, nodes.Const):
            steps.append(str(node.arg.value))
        else:
            return None
        node = node.node
