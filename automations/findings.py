"""What conditions came to, for people: the tree that `Conditions.explain` left in a run, rule by rule in words."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from automations.conditions.operators import OPERATORS

_MAX_TEXT: Final = 200
_JOINERS: Final = {"all": "All of these", "any": "At least one of these"}


@dataclass(frozen=True, slots=True)
class Fact:
    """A name that was looked at, and its value then."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Finding:
    """A rule, an expression, or a group with `members`; `words` is what was asked."""

    passed: bool
    words: str
    # Of a rule: the field as it is written in the document, what it is compared with, and what it was.
    field: str = ""
    operator: str = ""
    wanted: str = ""
    actual: str | None = None
    previous: str | None = None
    # The expression that `wanted` came from.
    template: str = ""
    note: str = ""
    facts: Sequence[Fact] = ()
    members: Sequence["Finding"] = ()
    is_expression: bool = False


def finding_of(explained: Any, labels: Mapping[str, str] | None = None) -> Finding | None:
    """The tree; None where there were no conditions. `labels` are the fields' by their slugs."""
    if not isinstance(explained, Mapping) or "passed" not in explained:
        return None
    return _finding(explained, labels or {})


def value_text(value: Any) -> str:
    """A value as people read it."""
    if value is None or value in ("", [], {}):
        return "empty"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        return _cut(value)
    if isinstance(value, list) and all(isinstance(entry, str | int | float) for entry in value):
        return _cut(", ".join(map(value_text, value)))
    return _cut(json.dumps(value, ensure_ascii=False))


def _finding(explained: Mapping[str, Any], labels: Mapping[str, str]) -> Finding:
    passed = bool(explained["passed"])
    if "rules" in explained:
        members = [_finding(rule, labels) for rule in explained["rules"]]
        words = _JOINERS.get(str(explained.get("match")), _JOINERS["all"])
        return Finding(passed, words if members else "Always", members=members)
    note = str(explained.get("note") or "")
    if "expression" in explained:
        facts = [
            Fact(name, value_text(value)) for name, value in explained.get("actuals", {}).items()
        ]
        source = str(explained["expression"])
        return Finding(passed, source, note=note, facts=facts, is_expression=True)
    return _rule(explained, passed, note, labels)


def _rule(
    explained: Mapping[str, Any], passed: bool, note: str, labels: Mapping[str, str]
) -> Finding:
    field, operator = str(explained.get("field", "")), str(explained.get("operator", ""))
    chosen = OPERATORS.get(operator)
    template = explained.get("template")
    return Finding(
        passed,
        labels.get(field.removeprefix("record."), field),
        field=field,
        operator=chosen.label if chosen else operator,
        wanted=value_text(explained["value"]) if "value" in explained else "",
        actual=value_text(explained.get("actual")),
        previous=value_text(explained["previous"]) if "previous" in explained else None,
        template=_cut(template if isinstance(template, str) else json.dumps(template))
        if template is not None
        else "",
        note=note,
    )


def _cut(text: str) -> str:
    return text if len(text) <= _MAX_TEXT else text[: _MAX_TEXT - 1] + "…"
