"""What conditions are made of, ready to be asked: rules, groups and the expression."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from automations.conditions.comparing import Test
from automations.conditions.document import Match, Rule
from automations.conditions.facts import Facts
from automations.conditions.operators import NO_VALUE, OPERATORS, Operator, check_form
from automations.conditions.showing import shown, shown_text
from automations.conditions.values import CompareType
from records.expressions import (
    Expression,
    ExpressionError,
    Symbol,
    check_value,
    compile_expression,
    render_value,
)
from records.expressions.errors import Problem
from records.expressions.limits import MAX_VALUE_DEPTH, Scope

# A rule or expression that raises one of these can't be decided, and is false.
UNDECIDED: Final = (Problem, ExpressionError)
MAX_ACTUALS: Final = 50  # values shown of what an expression read


class RulePart:
    """One rule. What is not the same for all occasions, `{{ … }}`, makes its test anew for each."""

    __slots__ = ("chosen", "is_dynamic", "passes", "rule", "test")

    def __init__(self, rule: Rule, compare_type: CompareType | None) -> None:
        """Raises Problem and ExpressionError when the value makes no sense."""
        self.rule = rule
        self.chosen: Operator = OPERATORS[rule.operator]
        self.is_dynamic = has_template(rule.value)
        if self.is_dynamic:
            if not isinstance(rule.value, str):
                check_form(self.chosen, rule.value)
            check_value(rule.value)
            self.test = self._rendered_test(compare_type)
        else:
            self.test = self._test_of(rule.value, compare_type)
        self.passes: Test = guarded(self.test)

    def _test_of(self, value: Any, compare_type: CompareType | None) -> Test:
        check_form(self.chosen, value)
        return self.chosen.build(self.rule.field, compare_type, value)

    def _rendered_test(self, compare_type: CompareType | None) -> Test:
        value = self.rule.value
        return lambda facts: self._test_of(render_value(value, facts.context), compare_type)(facts)

    def explain(self, facts: Facts) -> dict[str, Any]:
        rule, note = self.rule, ""
        try:
            passed = self.test(facts)
        except UNDECIDED as error:
            passed, note = False, words_of(error)
        result = {"field": rule.field, "operator": rule.operator, **self._value(facts)}
        result["actual"] = shown(facts.sight(rule.field))
        if self.chosen.is_about_changes:
            result["previous"] = shown(_previous(facts, rule.field))
        note = note or facts.remark(rule.field)
        return {**result, "passed": passed, "note": shown_text(note)}

    def _value(self, facts: Facts) -> dict[str, Any]:
        """What the rule compares with, as far as it can be said."""
        value = self.rule.value
        if self.chosen.takes == "none" or value is NO_VALUE:
            return {}
        if not self.is_dynamic:
            return {"value": shown(value)}
        try:
            return {"value": shown(render_value(value, facts.context)), "template": shown(value)}
        except ExpressionError:
            return {"value": None, "template": shown(value)}


class GroupPart:
    """All or any of some parts; all of none is true."""

    __slots__ = ("match", "members", "passes")

    def __init__(self, match: Match, members: Iterable["Part"]) -> None:
        self.match = match
        self.members = tuple(members)
        self.passes: Test = _all_pass(self.members) if match == "all" else _any_passes(self.members)

    def explain(self, facts: Facts) -> dict[str, Any]:
        rules = [member.explain(facts) for member in self.members]
        passed = (all if self.match == "all" else any)(rule["passed"] for rule in rules)
        return {"match": self.match, "passed": passed, "rules": rules}


class FormulaPart:
    """The one expression, taken as yes or no."""

    __slots__ = ("expression", "passes")

    def __init__(self, source: str) -> None:
        """Raises ExpressionError."""
        self.expression: Expression = compile_expression(source)
        self.passes: Test = guarded(self.test)

    def test(self, facts: Facts) -> bool:
        value = self.expression.value(Scope(facts.context))
        if isinstance(value, Symbol):
            raise Problem(value.refusal)
        return bool(value)

    def explain(self, facts: Facts) -> dict[str, Any]:
        note = ""
        try:
            passed = self.test(facts)
        except UNDECIDED as error:
            passed, note = False, words_of(error)
        return {
            "expression": shown_text(self.expression.source),
            "passed": passed,
            "note": shown_text(note),
            "actuals": self._actuals(facts),
        }

    def _actuals(self, facts: Facts) -> dict[str, Any]:
        """What the expression read, as far as it is there."""
        names = sorted(self.expression.names)[:MAX_ACTUALS]
        known = [name for name in names if name.partition(".")[0] in facts.context]
        return {shown_text(name): shown(facts.sight(name)) for name in known}


Part = RulePart | GroupPart | FormulaPart


def guarded(test: Test) -> Test:
    """What can't be decided is false."""

    def passes(facts: Facts) -> bool:
        try:
            return test(facts)
        except UNDECIDED:
            return False

    return passes


def words_of(error: Problem | ExpressionError) -> str:
    return error.explain()[0] if isinstance(error, Problem) else str(error)


def has_template(value: Any, depth: int = 0) -> bool:
    """Whether there is a `{{` in any text of a rule's value; raises Problem when it is nested too deeply."""
    if depth > MAX_VALUE_DEPTH:
        raise Problem(f"this value is nested more than {MAX_VALUE_DEPTH} levels deep")
    if isinstance(value, str):
        return "{{" in value
    items = value.values() if isinstance(value, dict) else value
    return isinstance(value, list | dict) and any(has_template(item, depth + 1) for item in items)


def _all_pass(members: Sequence[Part]) -> Test:
    """What can't be decided is false, and so is the whole: one guard is enough for all rules."""
    tests = [member.test if isinstance(member, RulePart) else member.passes for member in members]

    def all_pass(facts: Facts) -> bool:
        try:
            for holds in tests:
                if not holds(facts):
                    return False
        except UNDECIDED:
            return False
        return True

    return all_pass


def _any_passes(members: Sequence[Part]) -> Test:
    tests = [member.passes for member in members]

    def any_passes(facts: Facts) -> bool:
        for passes in tests:  # noqa: SIM110 (a generator would cost as much as the rules)
            if passes(facts):
                return True
        return False

    return any_passes


def _previous(facts: Facts, path: str) -> Any:
    try:
        return facts.previous(path)
    except Problem:
        return None
