"""From a document to conditions that can be asked many times; they are shared between threads."""

from collections.abc import Callable, Collection
from typing import Any, Final

from automations.conditions.document import Formula, Group, Node, Reader, Rule
from automations.conditions.facts import PREVIOUS, RECORD, ROOTS, TRACKED, Facts, full_path
from automations.conditions.mistakes import ConditionProblem, Mistake
from automations.conditions.operators import OPERATORS, Operator
from automations.conditions.parts import FormulaPart, GroupPart, Part, RulePart
from automations.conditions.values import CompareType
from records.expressions import ExpressionError, names_used
from records.expressions.errors import Problem

# The type of the field behind a full path ("record.amount"); None where it is not known. What a field was before,
# `previous.amount`, is of its type.
Types = Callable[[str], CompareType | None]
# What is wrong with a full path, in words; None when nothing is known to be.
NameProblem = Callable[[str], str | None]

_SECRETS: Final = "secrets"


def _untyped(path: str) -> CompareType | None:
    return None


def _any_name(path: str) -> str | None:
    return None


class Conditions:
    """Whether the facts meet the conditions, in short or with what each rule found."""

    __slots__ = ("_root", "passes")

    def __init__(self, root: "Part") -> None:
        self._root = root
        # No more rules are looked at than needed; always what `explain` says. It is the root's own: a call less
        # for each of a thousand automations.
        self.passes: Callable[[Facts], bool] = root.passes

    def explain(self, facts: Facts) -> dict[str, Any]:
        """Every rule with the actual value, as JSON for the trace.

        {"match": "all", "passed": false, "rules": [{"field": "amount", "operator": "greater_than", "value": 10,
        "actual": 5, "passed": false, "note": ""}, …]}, or {"expression": "…", "passed": true, "note": "",
        "actuals": {"record.amount": 50}}. Rules on changes also have "previous", values with expressions the
        "template" they come from.
        """
        return self._root.explain(facts)


def compile_conditions(
    document: Any, types: Types = _untyped, *, roots: Collection[str] = ROOTS
) -> Conditions:
    """Read conditions; raises ConditionProblem for their first mistake.

    `roots` are the first names that are not fields of the record: those of ROOTS, and inside of a loop the name of its
    item.
    """
    assembly = Assembly(types, _any_name, roots)
    conditions = assembly.conditions(document)
    if assembly.mistakes:
        raise ConditionProblem(assembly.mistakes[0].path, assembly.mistakes[0].message)
    return conditions


def check_conditions(
    document: Any,
    types: Types = _untyped,
    problem_with_name: NameProblem | None = None,
    *,
    roots: Collection[str] = ROOTS,
) -> list[Mistake]:
    """All mistakes, in the order of the document; none when it can be compiled and all names are known."""
    assembly = Assembly(types, problem_with_name or _any_name, roots)
    assembly.conditions(document)
    return assembly.mistakes


class Assembly:
    """Makes the parts of a document, noting the mistakes of the document and of what its rules compare."""

    def __init__(
        self, types: Types, problem_with_name: NameProblem, roots: Collection[str]
    ) -> None:
        self.types = types
        self.problem_with_name = problem_with_name
        self.roots = roots
        self.mistakes: list[Mistake] = []

    def conditions(self, document: Any) -> Conditions:
        reader = Reader()
        part = self._part(reader.read(document))
        self.mistakes = sorted([*reader.mistakes, *self.mistakes], key=_place)
        return Conditions(part or GroupPart("all", ()))

    def _part(self, node: Node) -> Part | None:
        if isinstance(node, Rule):
            return self._rule(node)
        if isinstance(node, Formula):
            return self._formula(node)
        return self._group(node)

    def _group(self, group: Group) -> Part:
        parts = [self._part(member) for member in group.members]
        return GroupPart(group.match, [part for part in parts if part is not None])

    def _formula(self, formula: Formula) -> Part | None:
        try:
            part = FormulaPart(formula.source)
        except ExpressionError as error:
            self._report(formula.pointer, located(error))
            return None
        self._check_names(formula.pointer, part.expression.names, "")
        return part

    def _rule(self, rule: Rule) -> Part | None:
        path = full_path(rule.field, self.roots)
        self._check_names(f"{rule.pointer}/field", [path], "")
        chosen = OPERATORS.get(rule.operator)
        if chosen is None:
            return None
        compare_type = self._type(path)
        if message := _misfit(rule, path, chosen, compare_type):
            self._report(f"{rule.pointer}/operator", message)
            return None
        start = f"`{rule.field}` {chosen.label}: "
        try:
            part = RulePart(rule, compare_type)
            if part.is_dynamic:
                self._check_names(f"{rule.pointer}/value", names_used(rule.value), start)
        except ExpressionError as error:
            self._report(f"{rule.pointer}/value{error.path}", start + located(error))
        except Problem as problem:
            self._report(f"{rule.pointer}/value", start + problem.explain()[0])
        else:
            return part
        return None

    def _type(self, path: str) -> CompareType | None:
        """What a field was before is of the field's type."""
        root, _, name = path.partition(".")
        return self.types(f"{RECORD}.{name}" if root == PREVIOUS and name else path)

    def _check_names(self, pointer: str, paths: Collection[str], start: str) -> None:
        for path in sorted(paths):
            if path.partition(".")[0] == _SECRETS:
                message: str | None = f"`{path}`: conditions can't look at secrets; take it out"
            else:
                message = self.problem_with_name(path)
            if message:
                self._report(pointer, start + message)

    def _report(self, pointer: str, message: str) -> None:
        self.mistakes.append(Mistake(pointer, message))


def _misfit(rule: Rule, path: str, chosen: Operator, compare_type: CompareType | None) -> str:
    """Why the operator can't be used with this field; empty when it can."""
    root, _, name = path.partition(".")
    if chosen.is_about_changes and (root not in TRACKED or not name):
        return (
            f"“{chosen.label}” asks what was before, which is known of the record's fields only;"
            f" `{rule.field}` is none"
        )
    if compare_type is None or compare_type in chosen.suits:
        return ""
    fitting = [name for name, other in OPERATORS.items() if compare_type in other.suits]
    return (
        f"“{chosen.label}” makes no sense for `{rule.field}`, a field of type {compare_type};"
        f" use one of {', '.join(fitting)}"
    )


def located(error: ExpressionError) -> str:
    """An expression's error with the place in its text."""
    return f"{error} (line {error.line}, column {error.column})"


def _place(mistake: Mistake) -> list[tuple[int, str]]:
    """The order of the document: rule 10 comes after rule 9."""
    return [(int(step), "") if step.isdecimal() else (-1, step) for step in mistake.path.split("/")]
