"""Every mistake in conditions, with its place."""

import re
from typing import Any

import pytest

from automations.conditions import (
    ROOTS,
    CompareType,
    ConditionProblem,
    check_conditions,
    compile_conditions,
)
from tests.automations.conditions.at_hand import (
    DEEP,
    YES,
    either,
    every,
    facts,
    mistakes,
    rule,
    typed,
)


@pytest.mark.parametrize(
    ("document", "path", "words"),
    [
        ([], "", 'write {"match": "all", "rules": [...]}'),
        ({"rule": []}, "", 'write {"match"'),
        ({"match": "or", "rules": [YES]}, "/match", "did you mean `any`?"),
        ({"match": 10**200, "rules": [YES]}, "/match", "all or any, not a number"),
        ({"match": ["all"], "rules": [YES]}, "/match", "all or any, not a list"),
        ({"match": "all", "rules": "x"}, "/rules", "give a list of rules, not text"),
        (either(), "/rules", "add a rule"),
        (every(either()), "/rules/0/rules", "add a rule"),
        (every(5), "/rules/0", "not a number"),
        (every(YES, {"expression": "1"}), "/rules/1", "an expression stands alone"),
        (every({"field": "a"}), "/rules/0/operator", "choose an operator"),
        (every(rule("a", "eqals", 1)), "/rules/0/operator", "did you mean `equals`?"),
        (every(rule("a", "§", 1)), "/rules/0/operator", "known are equals, not_equals"),
        (every(rule("", "is_empty")), "/rules/0/field", "name the field"),
        (every({"operator": "is_empty"}), "/rules/0/field", "name the field"),
        (every(rule("{{ a }}", "is_empty")), "/rules/0/field", "without braces"),
        (every(rule("a..b", "is_empty")), "/rules/0/field", "single dots"),
        (every(rule("a" * 201, "is_empty")), "/rules/0/field", "limit is 200"),
        (every({**YES, "vlaue": 1}), "/rules/0/vlaue", "did you mean `value`?"),
        (every({**YES, "a/b": 1}), "/rules/0/a~1b", "known are field, operator, value"),
        ({"match": "all", "rules": [], "x": 1}, "/x", "unknown key `x`"),
        (every(rule("a", "equals")), "/rules/0/value", "add a value"),
        (every(rule("a", "is_empty", "x")), "/rules/0/value", "takes no value"),
        (every(rule("a", "between", 5)), "/rules/0/value", "a list of two values"),
        (every(rule("a", "between", ["{{ a }}"])), "/rules/0/value", "not a list of 1"),
        (
            every(rule("a", "between", [1, "2025-01-31"])),
            "/rules/0/value",
            "two numbers or two dates",
        ),
        (every(rule("a", "between", [3, 1])), "/rules/0/value", "swap them"),
        (every(rule("a", "between", ["2025-02-01T00:00", "2025-01-01"])), "/rules/0/value", "swap"),
        (every(rule("a", "in", "won")), "/rules/0/value", "give a list of values"),
        (every(rule("a", "in", [])), "/rules/0/value", "not an empty list"),
        (every(rule("a", "in", [1] * 1001)), "/rules/0/value", "limit is 1,000"),
        (every(rule("a", "greater_than", "much")), "/rules/0/value", "not the text `much`"),
        (every(rule("a", "greater_than", True)), "/rules/0/value", "not a yes/no value"),
        (every(rule("a", "greater_than", float("nan"))), "/rules/0/value", "not a number at all"),
        (every(rule("a", "contains", "")), "/rules/0/value", "give what to look for"),
        (every(rule("a", "contains", ["x"])), "/rules/0/value", "one value, not a list"),
        (every(rule("a", "starts_with", " ")), "/rules/0/value", "only space"),
        (every(rule("a", "matches", "")), "/rules/0/value", "give a pattern"),
        (every(rule("a", "matches", "a([b")), "/rules/0/value", "at position 2"),
        (every(rule("a", "matches", "(?=a)")), "/rules/0/value", "look-around"),
        (every(rule("a", "length", -1)), "/rules/0/value", "whole number from 0"),
        (every(rule("a", "length", 1.5)), "/rules/0/value", "whole number from 0"),
        (every(rule("a", "within_last_days", "soon")), "/rules/0/value", "a number of days"),
        (every(rule("a", "within_next_days", 40_000)), "/rules/0/value", "from 0 to 36,500"),
        (every(rule("a", "equals", "x {{ a + }}")), "/rules/0/value", "(line 1, column 10)"),
        (every(rule("a", "in", ["x", "{{ b( }}"])), "/rules/0/value/1", "`(` is never closed"),
        (every(rule("a", "equals", DEEP)), "/rules/0/value", "more than 64 levels deep"),
        (every(rule("actor.name", "changed")), "/rules/0/operator", "record's fields only"),
        (every(rule("previous.stage", "was", "x")), "/rules/0/operator", "record's fields only"),
        (every(rule("secrets.key", "is_empty")), "/rules/0/field", "can't look at secrets"),
        (every(rule("a", "equals", "{{ secrets.k }}")), "/rules/0/value", "can't look at secrets"),
        ({"expression": "secrets.k"}, "/expression", "can't look at secrets"),
        ({"expression": " "}, "/expression", "write an expression"),
        ({"expression": 5}, "/expression", "write an expression"),
        ({"expression": "record.a >"}, "/expression", "(line 1, column 11)"),
        ({"expression": "1", "rules": []}, "/rules", "unknown key `rules`"),
    ],
)
def test_a_mistake_has_its_place_and_words(document: Any, path: str, words: str) -> None:
    found = mistakes(document)
    assert list(found) == [path]
    assert words in found[path]
    with pytest.raises(ConditionProblem, match=re.escape(words)) as caught:
        compile_conditions(document)
    assert caught.value.path == path


@pytest.mark.parametrize(
    ("compare_type", "operator", "value", "words"),
    [
        ("number", "equals", "ten", "give a number, not the text `ten`"),
        ("number", "contains", "1", "makes no sense for `x`, a field of type number"),
        ("number", "in", [1, "two"], "give a number, not the text `two`"),
        ("boolean", "equals", "maybe", "give yes or no"),
        ("boolean", "greater_than", 1, "a field of type boolean"),
        ("date", "greater_than", 5, "give a date"),
        ("datetime", "equals", "tomorrow", "give a date"),
        ("list", "equals", "a", "give a list of all its entries"),
        ("text", "equals", ["a"], "give a text, not a list"),
    ],
)
def test_a_value_has_to_suit_the_type_of_the_field(
    compare_type: CompareType, operator: str, value: Any, words: str
) -> None:
    found = check_conditions(every(rule("x", operator, value)), typed(compare_type))
    assert len(found) == 1
    assert words in found[0].message


def test_all_mistakes_are_told_in_the_order_of_the_document() -> None:
    document = {
        "match": "xor",
        "rules": [
            rule("a", "equals"),
            *[YES] * 9,
            {"field": "nmae", "operator": "eqals", "valu": 1},
            every(rule("a", "matches", "(")),
        ],
    }
    found = check_conditions(
        document, problem_with_name=lambda path: "no such field" if "nmae" in path else None
    )
    assert [mistake.path for mistake in found] == [
        "/match",
        "/rules/0/value",
        "/rules/10/field",
        "/rules/10/operator",
        "/rules/10/valu",
        "/rules/11/rules/0/value",
    ]


def test_names_are_asked_about_wherever_they_stand() -> None:
    def ask(path: str) -> str:
        return f"?{path}"

    document = every(rule("a", "equals", "{{ previous.b }}"), rule("actor.c", "in", ["{{ now }}"]))
    assert mistakes(document, problem_with_name=ask) == {
        "/rules/0/field": "?record.a",
        "/rules/0/value": "`a` is: ?previous.b",
        "/rules/1/field": "?actor.c",
        "/rules/1/value": "`actor.c` is one of: ?now",
    }
    formula = {"expression": "record.a == vars.b"}
    found = check_conditions(formula, problem_with_name=ask)
    assert [mistake.message for mistake in found] == ["?record.a", "?vars.b"]


def test_types_are_asked_by_full_path_and_what_was_before_is_of_the_same() -> None:
    asked = []

    def types(path: str) -> CompareType | None:
        asked.append(path)
        return "number" if path == "record.amount" else None

    document = every(*(rule(path, "equals", "10.0") for path in ("amount", "previous.amount")))
    compile_conditions(document, types)
    item = every(rule("item.amount", "equals", "x"))
    compile_conditions(item, types, roots=[*ROOTS, "item"])
    assert list(dict.fromkeys(asked)) == ["record.amount", "item.amount"]
    assert compile_conditions(document, types).passes(facts(amount="10"))
    assert not compile_conditions(document).passes(facts(amount="10"))


def nested(depth: int) -> dict[str, Any]:
    return every(YES) if depth == 1 else every(nested(depth - 1))


def test_depth_and_number_of_rules_are_bounded() -> None:
    assert mistakes(nested(10)) == {}
    assert list(mistakes(nested(11))) == ["/rules/0" * 10]
    assert mistakes(every(*[YES] * 200)) == {}
    assert list(mistakes(every(*[YES] * 5_000))) == ["/rules/200"]
    deep: Any = YES
    for _ in range(100_000):
        deep = {"rules": [deep]}
    assert len(mistakes(deep)) == 1
