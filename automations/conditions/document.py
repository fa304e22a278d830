"""The form of a document of conditions: groups and rules, each with the place where it stands."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from automations.conditions.mistakes import Mistake
from automations.conditions.operators import NO_VALUE, OPERATORS
from records.expressions.documents import pointer_token
from records.expressions.errors import suggest
from records.expressions.values import kind

Match = Literal["all", "any"]

MAX_DEPTH: Final = 10  # groups in groups
MAX_RULES: Final = 200
MAX_PATH: Final = 200  # characters of a field

_GROUP_KEYS: Final = ("match", "rules")
_RULE_KEYS: Final = ("field", "operator", "value")
_MATCHES: Final[Mapping[str, Match]] = {"all": "all", "any": "any", "and": "all", "or": "any"}


@dataclass(frozen=True, slots=True)
class Rule:
    """`value` is NO_VALUE where none is given; `operator` may be an unknown one, which was reported."""

    pointer: str
    field: str
    operator: str
    value: Any = NO_VALUE


@dataclass(frozen=True, slots=True)
class Group:
    pointer: str
    match: Match
    members: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Formula:
    """The one expression."""

    pointer: str
    source: str


Node = Rule | Group | Formula


@dataclass(slots=True)
class Reader:
    """Reads a document and notes its mistakes; what has some is left out of what is read."""

    mistakes: list[Mistake] = field(default_factory=list)
    rules: int = 0

    def report(self, pointer: str, message: str) -> None:
        self.mistakes.append(Mistake(pointer, message))

    def read(self, document: Any) -> Node:
        if document is None or document == {}:
            return Group("", "all", ())
        if isinstance(document, dict) and "expression" in document:
            return self._formula(document)
        if isinstance(document, dict) and ("match" in document or "rules" in document):
            return self._group(document, "", 1)
        self.report("", 'write {"match": "all", "rules": [...]} or {"expression": "..."}')
        return Group("", "all", ())

    def _formula(self, document: dict[Any, Any]) -> Node:
        self._check_keys(document, "", ("expression",))
        source = document["expression"]
        if not isinstance(source, str) or not source.strip():
            self.report(
                "/expression",
                "write an expression, such as record.amount > 10000; for none, leave the conditions out",
            )
            return Group("", "all", ())
        return Formula("/expression", source)

    def _group(self, group: dict[Any, Any], pointer: str, depth: int) -> Group:
        self._check_keys(group, pointer, _GROUP_KEYS)
        match, rules = self._match(group, pointer), group.get("rules", [])
        if not isinstance(rules, list):
            self.report(f"{pointer}/rules", f"give a list of rules, not {kind(rules)}")
        elif not rules and match == "any":
            self.report(f"{pointer}/rules", "any of no rules is never true; add a rule")
        elif depth > MAX_DEPTH:
            self.report(pointer, f"groups are nested more than {MAX_DEPTH} deep; use fewer levels")
        else:
            members = [
                self._member(rule, f"{pointer}/rules/{place}", depth)
                for place, rule in enumerate(rules)
                if self._has_room(f"{pointer}/rules/{place}")
            ]
            return Group(pointer, match, tuple(member for member in members if member))
        return Group(pointer, match, ())

    def _match(self, group: dict[Any, Any], pointer: str) -> Match:
        match = group.get("match", "all")
        if match not in ("all", "any"):
            given = f"`{match[:50]}`" if isinstance(match, str) else kind(match)
            message = f"`match` is all or any, not {given}"
            meant = _MATCHES.get(match.strip().lower()) if isinstance(match, str) else None
            if meant:
                message += f"; did you mean `{meant}`?"
            self.report(f"{pointer}/match", message)
            return "all"
        return _MATCHES[match]

    def _member(self, member: Any, pointer: str, depth: int) -> Node | None:
        if not isinstance(member, dict):
            self.report(
                pointer, f"a rule is an object with field, operator and value, not {kind(member)}"
            )
        elif "expression" in member:
            self.report(pointer, "an expression stands alone, not among rules; write rules instead")
        elif "rules" in member or "match" in member:
            return self._group(member, pointer, depth + 1)
        else:
            return self._rule(member, pointer)
        return None

    def _has_room(self, pointer: str) -> bool:
        """Groups count too: an empty one is also something to go through."""
        self.rules += 1
        if self.rules == MAX_RULES + 1:
            self.report(
                pointer, f"more than {MAX_RULES} rules and groups; use fewer, or an expression"
            )
        return self.rules <= MAX_RULES

    def _rule(self, rule: dict[Any, Any], pointer: str) -> Rule | None:
        self._check_keys(rule, pointer, _RULE_KEYS)
        path, name = rule.get("field"), rule.get("operator")
        if message := _operator_problem(name):
            self.report(f"{pointer}/operator", message)
        if message := _field_problem(path):
            self.report(f"{pointer}/field", message)
            return None
        return Rule(pointer, str(path), str(name), rule.get("value", NO_VALUE))

    def _check_keys(self, part: dict[Any, Any], pointer: str, known: Collection[str]) -> None:
        for key in part:
            if key not in known:
                message, close = suggest(f"unknown key `{str(key)[:50]}`", key, known)
                hint = "" if close else f"; known are {', '.join(known)}"
                self.report(f"{pointer}/{pointer_token(key)}", message + hint)


def _field_problem(path: Any) -> str:
    if not isinstance(path, str) or not path.strip():
        return "name the field to look at, such as amount or previous.stage"
    if "{" in path or "}" in path:
        return "write the name of the field without braces"
    if len(path) > MAX_PATH:
        return f"this name is too long; the limit is {MAX_PATH} characters"
    if any(not step or step != step.strip() for step in path.split(".")):
        return (
            f"`{path}` is no path; write names with single dots between them, such as record.amount"
        )
    return ""


def _operator_problem(name: Any) -> str:
    if isinstance(name, str) and name in OPERATORS:
        return ""
    if not isinstance(name, str) or not name:
        return "choose an operator, such as equals"
    message, close = suggest(f"unknown operator `{name[:50]}`", name, OPERATORS)
    return message if close else f"{message}; known are {', '.join(OPERATORS)}"
