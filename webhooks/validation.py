"""What is wrong with a webhook before it is ever sent: which field, which row, where, and what was meant.

Everything that can be known without a record is checked here; the rest fails its job with words.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from records.expressions import Expression, ExpressionError, compile_expression, compile_template
from webhooks.addresses import NetworkPolicy, Refusal, judge_url
from webhooks.headers import SIGNING_HEADERS, check_headers
from webhooks.jsontext import JSONTextError, read_json
from webhooks.names import SECRETS, Known, Names
from webhooks.rendering import (
    ROW_TYPES,
    RenderError,
    RequestTemplate,
    Rows,
    locate_in_json,
    render_static_row,
)

MAX_ROWS: Final = 50
MAX_NAME_LENGTH: Final = 200
# More than this tells nobody more.
_MAX_MISTAKES: Final = 20
# What stands for the value of an expression while the rest of a URL is judged: a name, a number.
_STAND_INS: Final = ("x", "1")
# Sent twice, these mean something else to each receiver.
_ONCE: Final = frozenset({"authorization", "content-type", "user-agent"})

_WORDS: Final = {" ": "a space; write %20.", "\\": "a backslash; write / or %5C."}
_find_unsafe = re.compile(r"[\x00-\x20\x7f\\\ud800-\udfff]").search
_find_control = re.compile(r"[\x00-\x08\x0a-\x1f\x7f\ud800-\udfff]").search
_BARE: Final = (
    "Filter: a filter is a bare expression: leave the braces out, as in record.value > 5."
)
_is_identifier = re.compile(r"[A-Za-z][A-Za-z0-9_]*").fullmatch

Part = Literal["url", "path_params", "query_params", "headers", "body", "body_rows", "filter"]


@dataclass(frozen=True, slots=True)
class Mistake:
    """`field` of the webhook, `row` of it (from 0) where it has rows, and words that say where and what."""

    field: Part
    message: str
    row: int | None = None


def check_filter(source: str, names: Names) -> list[Mistake]:
    """The mistakes in a filter; an empty one has none. Braces around the whole of it do no harm."""
    if not source.strip():
        return []
    try:
        expression = compile_expression(source)
    except ExpressionError as error:
        if _has_braces(source):
            return [Mistake("filter", _BARE)]
        return [Mistake("filter", str(_located("Filter", error)))]
    errors = _unknown_names("Filter", source, [expression], names, names.known())
    return [Mistake("filter", str(error)) for error in errors]


def _has_braces(source: str) -> bool:
    """Whether a part of a filter is written as in a text: `{{ record.value }} > 5`."""
    if "{{" not in source and not source.lstrip().startswith("{"):
        return False
    try:
        template = compile_template(source, "url")
    except ExpressionError:
        return False
    return len(template.parts) > 1


def check_request(template: RequestTemplate, names: Names) -> list[Mistake]:
    """The mistakes in a request, in the order of the form."""
    known = names.known(SECRETS)
    mistakes = [
        *_check_url(template, names),
        *_check_path_params(template, names),
        *_check_rows("query_params", "Query parameter", template.query_params, names),
        *_check_headers(template.headers, names),
    ]
    if template.body_kind == "json":
        mistakes += [Mistake("body", str(error)) for error in _check_json(template.body, names)]
    elif template.body_kind == "text":
        errors = check_text("Body", template.body, names, known)
        mistakes += [Mistake("body", str(error)) for error in errors]
    elif template.body_kind == "rows":
        mistakes += _check_body_rows(template.body_rows, names)
    return mistakes


def check_text(
    part: str, source: str, names: Names, known: Known, mode: Literal["text", "url"] = "text"
) -> list[RenderError]:
    """The mistakes in a text with expressions."""
    try:
        template = compile_template(source, mode)
    except ExpressionError as error:
        return [_located(part, error)]
    expressions = [piece for piece in template.parts if isinstance(piece, Expression)]
    return _unknown_names(part, source, expressions, names, known)


def judge_destination(source: str, policy: NetworkPolicy) -> Refusal | None:
    """Why a URL can't be called under this policy, as far as its fixed part tells; None otherwise."""
    try:
        template = compile_template(source.strip(), "url")
    except ExpressionError:
        return None
    if not template.parts or not isinstance(template.parts[0], str):
        return None
    verdicts = []
    for stand_in in _STAND_INS:
        pieces = (part if isinstance(part, str) else stand_in for part in template.parts)
        verdicts.append(judge_url("".join(pieces).partition("#")[0], policy))
    refusals = [verdict for verdict in verdicts if isinstance(verdict, Refusal)]
    return refusals[0] if len(refusals) == len(verdicts) else None


# --- URL and path parameters ----------------------------------------------------------------------


def _check_url(template: RequestTemplate, names: Names) -> list[Mistake]:
    source = template.url.strip()
    if not source:
        return [Mistake("url", "Enter the address to call, such as https://example.com/hook.")]
    params = [str(row["name"]) for row in template.path_params]
    errors = check_text("URL", source, names, names.known(SECRETS, *params), "url")
    errors = errors or _unsafe_characters(source)
    if not errors:
        refusal = judge_destination(source, NetworkPolicy())
        if refusal and refusal.kind == "invalid":
            errors = [RenderError("URL", refusal.reason)]
    return [Mistake("url", str(error)) for error in errors]


def _unsafe_characters(source: str) -> list[RenderError]:
    """Characters of the fixed parts that no address can have; expressions may hold them."""
    place = 0
    for part in compile_template(source, "url").parts:
        if not isinstance(part, str):
            place = part.offset + len(part.text)
            continue
        place = source.index(part, place)
        found = _find_unsafe(part)
        if found:
            words = _WORDS.get(found[0], "a character that no address can have.")
            return [RenderError("URL", words, line=1, column=place + found.start() + 1)]
    return []


def _check_path_params(template: RequestTemplate, names: Names) -> list[Mistake]:
    mistakes = _check_rows("path_params", "Path parameter", template.path_params, names)
    known = names.known(SECRETS)
    try:
        used = {path.partition(".")[0] for path in compile_template(template.url, "url").names}
    except ExpressionError:
        return mistakes
    for place, row in enumerate(template.path_params):
        name = str(row["name"])
        words = ""
        if not _is_identifier(name):
            words = "a name has letters, digits and underscores only, and begins with a letter."
        elif name in known:
            words = f"`{name}` has a meaning of its own in expressions; choose another name."
        elif name not in used:
            words = f"the URL does not use it. Write {{{name}}} where it belongs."
        if words and name:
            mistakes.append(Mistake("path_params", f"Path parameter `{name}`: {words}", place))
    return mistakes + _twice("path_params", "Path parameter", template.path_params)


# --- Rows -----------------------------------------------------------------------------------------


def _check_headers(rows: Rows, names: Names) -> list[Mistake]:
    mistakes = _check_rows("headers", "Header", rows, names)
    for place, row in enumerate(rows):
        name = str(row["name"])
        if not name:
            continue
        for _, reason in check_headers([(name, "")], reserved=SIGNING_HEADERS):
            mistakes.append(Mistake("headers", f"Header `{name[:60]}`: {reason}", place))
        found = _find_control(str(row["value"]))
        if found:
            words = "The value has a line break or another control character."
            mistakes.append(Mistake("headers", f"Header `{name[:60]}`: {words}", place))
    once = [row if str(row["name"]).lower() in _ONCE else {"name": ""} for row in rows]
    return mistakes + _twice("headers", "Header", once)


def _check_body_rows(rows: Rows, names: Names) -> list[Mistake]:
    mistakes = []
    for place, row in enumerate(rows):
        part, source = f"Body row `{row['name']}`", str(row["value"])
        if row.get("type") not in ROW_TYPES:
            types = ", ".join(ROW_TYPES)
            mistakes.append(Mistake("body_rows", f"{part}: the type is one of {types}.", place))
        elif "{" not in source or (row["type"] == "json" and not source.strip().startswith("{{")):
            errors = _check_static(row, source, names)
            mistakes += [Mistake("body_rows", str(error), place) for error in errors]
    checked = _check_rows("body_rows", "Body row", rows, names)
    broken = {mistake.row for mistake in mistakes}
    mistakes += [mistake for mistake in checked if mistake.row not in broken]
    return mistakes + _twice("body_rows", "Body row", rows)


def _check_static(row: Mapping[str, Any], source: str, names: Names) -> list[RenderError]:
    """A value without expressions is known now; JSON may hold some in its texts."""
    if row["type"] == "json" and source.strip():
        return _check_json(source, names, f"Body row `{row['name']}`")
    try:
        render_static_row(row)
    except RenderError as error:
        return [error]
    return []


def _check_rows(field: Part, what: str, rows: Rows, names: Names) -> list[Mistake]:
    """What holds for rows of any kind: they have a name, and their values are sound."""
    mistakes = []
    if len(rows) > MAX_ROWS:
        mistakes.append(Mistake(field, f"There are {len(rows)} rows; {MAX_ROWS} are the most."))
    known = names.known(SECRETS)
    for place, row in enumerate(rows[:MAX_ROWS]):
        name, value = str(row["name"]), str(row["value"])
        if not name.strip():
            mistakes.append(Mistake(field, f"{what} {place + 1}: it has no name.", place))
        elif len(name) > MAX_NAME_LENGTH:
            words = f"the name is longer than {MAX_NAME_LENGTH} characters."
            mistakes.append(Mistake(field, f"{what} {place + 1}: {words}", place))
        elif _find_control(name):
            words = "the name has a control character."
            mistakes.append(Mistake(field, f"{what} {place + 1}: {words}", place))
        part = f"{what} `{name}`" if name.strip() else f"{what} {place + 1}"
        if row.get("type") == "json" and not value.strip().startswith("{{"):
            continue  # read as JSON
        errors = check_text(part, value, names, known)
        mistakes += [Mistake(field, str(error), place) for error in errors]
    return mistakes


def _twice(field: Part, what: str, rows: Rows) -> list[Mistake]:
    seen: set[str] = set()
    mistakes = []
    for place, row in enumerate(rows):
        name = str(row["name"])
        key = name.lower() if field == "headers" else name
        if name and key in seen:
            mistakes.append(Mistake(field, f"{what} `{name}`: it stands here twice.", place))
        seen.add(key)
    return mistakes


# --- JSON -----------------------------------------------------------------------------------------


def _check_json(source: str, names: Names, part: str = "Body") -> list[RenderError]:
    """The mistakes in a JSON document and in the expressions of its texts."""
    try:
        document = read_json(source)
    except JSONTextError as error:
        return [RenderError(part, str(error), line=error.line, column=error.column)]
    known = names.known(SECRETS)
    errors: list[RenderError] = []
    for path, text, is_key in texts_of(document):
        if len(errors) >= _MAX_MISTAKES:
            break
        if is_key:
            words = f"the key `{text[:60]}` has an expression; keys are sent as they are written."
            errors.append(RenderError(part, words))
            continue
        for mistake in _errors_in(text, names, known):
            mistake.path = path
            errors.append(locate_in_json(part, source, mistake))
    return errors


def texts_of(value: Any, path: str = "") -> Iterable[tuple[str, str, bool]]:
    """(JSON Pointer, text, whether it is a key) of everything that may hold an expression."""
    waiting = [(value, path)]
    while waiting:
        item, path = waiting.pop()
        if isinstance(item, str) and "{" in item:
            yield path, item, False
        elif isinstance(item, Mapping):
            yield from ((path, key, True) for key in item if "{{" in key)
            steps = [(child, f"{path}/{_step(key)}") for key, child in item.items()]
            waiting += reversed(steps)
        elif isinstance(item, list):
            waiting += reversed([(child, f"{path}/{n}") for n, child in enumerate(item)])


def _step(key: str) -> str:
    return key.replace("~", "~0").replace("/", "~1")


def _errors_in(text: str, names: Names, known: Known) -> Iterable[ExpressionError]:
    try:
        template = compile_template(text)
    except ExpressionError as error:
        yield error
        return
    for expression in template.parts:
        if isinstance(expression, Expression):
            yield from _errors_of(text, expression, names, known)


# --- Expressions ----------------------------------------------------------------------------------


def _unknown_names(
    part: str, source: str, expressions: Iterable[Expression], names: Names, known: Known
) -> list[RenderError]:
    return [
        _located(part, error)
        for expression in expressions
        for error in _errors_of(source, expression, names, known)
    ][:_MAX_MISTAKES]


def _errors_of(
    source: str, expression: Expression, names: Names, known: Known
) -> Iterable[ExpressionError]:
    for path in sorted(expression.names):
        problem = names.problem_with(path, known)
        if problem:
            words, step = problem
            within = re.search(rf"(?<!\w){re.escape(step)}(?!\w)", expression.text)
            offset = expression.offset + (within.start() if within else 0)
            yield ExpressionError.at(source, offset, expression.text, words)


def _located(part: str, error: ExpressionError) -> RenderError:
    return RenderError(part, str(error), line=error.line, column=error.column)
