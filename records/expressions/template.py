"""Templates: texts with expressions in double braces, cut apart once and rendered many times."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final, Literal, NoReturn
from urllib.parse import quote

from jinja2 import nodes

from . import access, calls, operations
from .compiler import Build, Compiler
from .errors import ExpressionError, Problem
from .limits import MAX_EXPRESSIONS, MAX_TEMPLATE, Scope
from .syntax import Tokenizer, names_in, parse
from .values import Encoded, Symbol, plain, to_text

Mode = Literal["text", "url"]

BUILDERS: Final[dict[type[nodes.Node], Build]] = {
    **access.BUILDERS,
    **operations.BUILDERS,
    **calls.BUILDERS,
}

OPENING: Final = {"text": re.compile(r"\{[{%#]"), "url": re.compile(r"\{[{%#]|\{(?=\s*[^\W\d])")}
SHORT_FORM = re.compile(r"\{\s*[^\W\d]\w*(?:\.\w+)*\s*\}")
STATEMENT: Final = (
    "statements `{% %}` are not possible, only expressions: `a if condition else b` instead of if,"
    " the filters map, select and join instead of for; for the signs themselves write {{ '{%' }}"
)
COMMENT: Final = (
    "comments `{# #}` are not possible, only expressions; for the signs themselves write {{ '{#' }}"
)
WHITE_SPACE: Final = (
    "`{{-` does not take space away here; put a space before the minus sign if one is meant"
)


class Expression:
    """One expression of a template, ready to be worked out; shared between threads."""

    __slots__ = ("names", "offset", "run", "source", "text")

    def __init__(self, source: str, offset: int, end: int, tree: nodes.Expr) -> None:
        self.source = source  # of the whole template
        self.offset = offset
        self.text = source[offset:end]
        self.names = frozenset(names_in(tree))
        self.run = Compiler(source, BUILDERS).compile(tree)

    def value(self, scope: Scope) -> Any:
        """Work out the value, as it is in the context."""
        try:
            return self.run(scope)
        except Problem as problem:
            self.fail(problem)
        except RecursionError:
            self.fail(Problem("this value is nested too deeply"))

    def typed(self, scope: Scope) -> Any:
        """Work out the value, copied into plain lists and dicts."""
        value = self.value(scope)
        try:
            return plain(value, scope.emit)
        except Problem as problem:
            self.fail(problem)

    def written(self, scope: Scope, *, encode: bool = False) -> str:
        """Work out the value as text, percent-encoded for a URL if wanted."""
        value = self.value(scope)
        try:
            if isinstance(value, Symbol):
                text = value.placeholder
            else:
                text = value if type(value) is str else to_text(scope, value)
                if encode and not isinstance(value, Encoded):
                    text = percent_encoded(text)
            scope.emit(len(text))
        except Problem as problem:
            self.fail(problem)
        return text

    def fail(self, problem: Problem) -> NoReturn:
        """Raise the ExpressionError for a problem."""
        message, suggestion = problem.explain()
        offset = self.offset if problem.offset is None else problem.offset
        raise ExpressionError.at(self.source, offset, self.text, message, suggestion) from None


def percent_encoded(text: str) -> str:
    """Encode a text so that it stays one value wherever it stands in a URL."""
    if text in (".", ".."):  # as a step of a path they would lead elsewhere
        return text.replace(".", "%2E")
    try:
        return quote(text, safe="")
    except UnicodeEncodeError:
        raise Problem("this text holds half a character, which a URL can't carry") from None


class Template:
    """A compiled template. Immutable, and shared between threads.

    `source` and `mode` are what it was made of, `parts` its literal texts and expressions in order,
    `names` the dotted paths of the values it reads.
    """

    __slots__ = ("mode", "names", "parts", "source", "whole")

    def __init__(self, source: str, mode: Mode, parts: list[str | Expression]) -> None:
        self.source = source
        self.mode = mode
        self.parts = tuple(parts)
        found = [part for part in parts if isinstance(part, Expression)]
        self.names: frozenset[str] = frozenset().union(*(part.names for part in found))
        alone = len(found) == 1 and not any(
            isinstance(part, str) and part.strip() for part in parts
        )
        self.whole = found[0] if alone and found[0].text.startswith("{{") else None

    def text(self, scope: Scope) -> str:
        """Render to text; a URL that is one whole expression is taken as it is."""
        encode = self.mode == "url"
        if encode and self.whole is not None:
            return self.whole.written(scope)
        return "".join(
            [
                part if isinstance(part, str) else part.written(scope, encode=encode)
                for part in self.parts
            ]
        )

    def typed(self, scope: Scope) -> Any:
        """Render to a value: of its own type when the template is one expression, else a text."""
        return self.text(scope) if self.whole is None else self.whole.typed(scope)


class Scanner:
    """Cuts a template into literal texts and expressions."""

    def __init__(self, source: str, mode: Mode) -> None:
        self.source = source
        self.mode = mode
        self.parts: list[str | Expression] = []

    def run(self) -> list[str | Expression]:
        place, expressions = 0, 0
        while match := OPENING[self.mode].search(self.source, place):
            expressions += 1
            if expressions > MAX_EXPRESSIONS:
                message = f"too many expressions; the limit is {MAX_EXPRESSIONS}"
                raise ExpressionError.at(self.source, match.start(), "", message)
            if match.start() > place:
                self.parts.append(self.source[place : match.start()])
            place = self.expression(match)
        if place < len(self.source):
            self.parts.append(self.source[place:])
        return self.parts

    def expression(self, match: re.Match[str]) -> int:
        """Take the expression that opens here; gives the place after it."""
        start, sign = match.start(), match[0]
        if sign == "{":
            return self.short_form(start)
        if sign != "{{":
            end = self.source.find("}", start) + 1 or len(self.source)
            message = STATEMENT if sign == "{%" else COMMENT
            raise ExpressionError.at(self.source, start, self.source[start:end], message)
        if self.source.startswith("-", start + 2):
            end = self.source.find("}}", start) + 2
            shown = self.source[start : end if end > 1 else len(self.source)]
            raise ExpressionError.at(self.source, start, shown, WHITE_SPACE)
        return self.take(self.source, start, start + 2, braces=True)

    def short_form(self, start: int) -> int:
        """Take `{record.externalId}`, which only URLs have."""
        match = SHORT_FORM.match(self.source, start)
        if match is None:
            end = self.source.find("}", start) + 1 or len(self.source)
            message = (
                "in single braces only a name with dots can stand, {record.id} for example;"
                " for more write {{ … }}, for a brace itself %7B"
            )
            raise ExpressionError.at(self.source, start, self.source[start:end], message)
        self.take(self.source[: match.end() - 1], start, start + 1, braces=False)
        return match.end()

    def take(self, source: str, start: int, inner: int, *, braces: bool) -> int:
        """Compile the expression that starts at `inner`; gives the place after its braces."""
        expression, end = compile_at(self.source, source, start, inner, braces=braces)
        self.parts.append(expression)
        return end


def compile_at(
    template: str, source: str, start: int, inner: int, *, braces: bool
) -> tuple[Expression, int]:
    """Compile one expression of a template; gives it and the place after it."""
    shown_to = template.find("}}", inner) + 2 if braces else len(template)
    try:
        tokens, close = Tokenizer(source, inner, braces=braces).run()
        end = close + (2 if braces else 0)
        return Expression(template, start, end, parse(tokens, source)), end
    except RecursionError:
        raise ExpressionError.at(template, start, "", "this is nested too deeply") from None
    except Problem as problem:
        message, suggestion = problem.explain()
        offset = inner if problem.offset is None else problem.offset
        shown = template[start : shown_to if shown_to > 1 else len(template)]
        raise ExpressionError.at(template, offset, shown, message, suggestion) from None


def check_length(source: str) -> None:
    if len(source) > MAX_TEMPLATE:
        raise ExpressionError(f"this text is too long; the limit is {MAX_TEMPLATE:,} characters")


def build_template(source: str, mode: Mode) -> Template:
    check_length(source)
    return Template(source, mode, Scanner(source, mode).run())


def build_expression(source: str) -> Expression:
    check_length(source)
    if source.strip().startswith("{{"):
        template = build_template(source, "text")
        if template.whole is None:
            raise ExpressionError("one expression is needed here, without text around it")
        return template.whole
    expression, _ = compile_at(source, source, 0, 0, braces=False)
    return expression


# Compiled templates take some 100 times the memory of their source, so the long ones are few.
SHORT = 1_000  # characters
short_templates = lru_cache(maxsize=2048)(build_template)
long_templates = lru_cache(maxsize=32)(build_template)
short_expressions = lru_cache(maxsize=1024)(build_expression)


def compile_template(source: str, mode: Mode = "text") -> Template:
    """Compile a template, or take it from the cache; raises ExpressionError."""
    cache = short_templates if len(source) <= SHORT else long_templates
    return cache(source, mode)


def compile_expression(source: str) -> Expression:
    """Compile a bare expression, or take it from the cache; raises ExpressionError."""
    return short_expressions(source) if len(source) <= SHORT else build_expression(source)


def render_text(source: str, context: Mapping[str, Any]) -> str:
    """Render a template to text; raises ExpressionError.

    None is written as nothing, yes and no as true and false, a date in ISO 8601, a moment in UTC
    with Z, a list or object as compact JSON.
    """
    return compile_template(source).text(Scope(context))


def render_typed(source: str, context: Mapping[str, Any]) -> Any:
    """Render a template that is one expression to a value of its type, any other to text.

    Lists and objects are copied into plain lists and dicts; raises ExpressionError.
    """
    return compile_template(source).typed(Scope(context))


def render_url(source: str, context: Mapping[str, Any]) -> str:
    """Render a URL: each value inserted, also by `{record.id}`, is percent-encoded.

    A URL that is one `{{ expression }}` is taken as it is. Raises ExpressionError.
    """
    return compile_template(source, "url").text(Scope(context)).strip()


def evaluate(source: str, context: Mapping[str, Any]) -> Any:
    """Work out a bare expression, with or without braces around it; raises ExpressionError."""
    return compile_expression(source).typed(Scope(context))


def evaluate_condition(source: str, context: Mapping[str, Any]) -> bool:
    """Work out a bare expression as yes or no; an empty one is yes. Raises ExpressionError.

    No are: false, none, zero, and an empty text, list or object.
    """
    if not source.strip():
        return True
    expression, scope = compile_expression(source), Scope(context)
    value = expression.value(scope)
    if isinstance(value, Symbol):
        expression.fail(Problem(value.refusal))
    return bool(value)


def check(source: str) -> None:
    """Check a template's syntax, and that its functions exist; raises ExpressionError."""
    compile_template(source)


def check_url(source: str) -> None:
    """Check the syntax of a URL template; raises ExpressionError."""
    compile_template(source, "url")


def check_expression(source: str) -> None:
    """Check the syntax of a bare expression; an empty one is fine. Raises ExpressionError."""
    if source.strip():
        compile_expression(source)
