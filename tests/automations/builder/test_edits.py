"""What people do to a draft, step by step."""

from typing import Any

import pytest

from automations.builder import blocks, cases, edits
from automations.builder.blocks import EditRefused
from automations.document import Document


def a(step_id: str, kind: str = "stop", **more: Any) -> dict[str, Any]:
    return {"id": step_id, "type": kind, "config": {}, **more}


def loop(step_id: str, *steps: Any) -> dict[str, Any]:
    return {
        "id": step_id,
        "type": "for_each",
        "config": {"list": "{{ [1] }}", "steps": list(steps)},
    }


def branch(step_id: str, then: list[Any], otherwise: list[Any]) -> dict[str, Any]:
    arms = [{"if": {"match": "all", "rules": []}, "then": then}, {"else": otherwise}]
    return {"id": step_id, "type": "branch", "config": {"conditions": arms}}


def draft(*steps: Any, fallback: list[Any] | None = None) -> dict[str, Any]:
    settings: dict[str, Any] = {"on_failure": {"steps": fallback}} if fallback is not None else {}
    return {
        "trigger": {"type": "event", "config": {"event": "record.created"}},
        "conditions": None,
        "steps": list(steps),
        "settings": settings,
    }


def order(document: Any) -> list[str]:
    """Every step as block:id, in the order of the page."""
    return [f"{block}:{step['id']}" for block, _, step in blocks.walk(document)]


NESTED = draft(
    a("one"),
    branch("fork", [a("then")], [a("other")]),
    loop("each", a("inner")),
    fallback=[a("mend")],
)
ALL = [":one", ":fork", "fork/0:then", "fork/1:other", ":each", "each:inner", "!:mend"]


def test_the_steps_of_all_blocks_are_found_in_the_order_of_the_page() -> None:
    assert order(NESTED) == ALL


@pytest.mark.parametrize(
    ("block", "place", "expected"),
    [
        ("", 0, [":stop", *ALL]),
        ("", 1, [":one", ":stop", *ALL[1:]]),
        ("", 99, [*ALL[:6], ":stop", "!:mend"]),
        ("fork/0", 0, [*ALL[:2], "fork/0:stop", *ALL[2:]]),
        ("fork/1", 1, [*ALL[:4], "fork/1:stop", *ALL[4:]]),
        ("each", 1, [*ALL[:6], "each:stop", "!:mend"]),
        ("!", 0, [*ALL[:6], "!:stop", "!:mend"]),
    ],
)
def test_a_step_is_added_at_any_place_of_any_block(
    block: str, place: int, expected: list[str]
) -> None:
    changed, step_id = edits.add_step(NESTED, block, place, "stop")

    assert step_id == "stop"
    assert order(changed) == expected
    assert order(NESTED) == ALL, "the draft itself is as it was"


def test_a_first_step_for_failures_makes_their_block() -> None:
    changed, _ = edits.add_step(draft(), "!", 0, "stop")

    assert changed["settings"]["on_failure"]["steps"] == [a("stop")]


def test_a_new_branch_has_a_case_and_otherwise() -> None:
    changed, step_id = edits.add_step(draft(), "", 0, "branch")
    changed, _ = edits.add_step(changed, f"{step_id}/1", 0, "stop")

    assert order(changed) == [":branch", "branch/1:stop"]
    Document.model_validate(changed)


@pytest.mark.parametrize(
    ("wanted", "taken", "expected"),
    [
        ("webhook", set(), "webhook"),
        ("webhook", {"webhook"}, "webhook_2"),
        ("webhook", {"webhook", "webhook_2"}, "webhook_3"),
        ("webhook_2", {"webhook", "webhook_2"}, "webhook_3"),
        ("Send it!", set(), "send_it_"),
        ("2nd", set(), "s2nd"),
        ("x" * 60, {"x" * 35}, "x" * 35 + "_2"),
    ],
)
def test_ids_are_names_with_numbers(wanted: str, taken: set[str], expected: str) -> None:
    assert edits.new_id(wanted, taken) == expected


@pytest.mark.parametrize(
    ("step_id", "block", "place", "expected"),
    [
        ("one", "", 1, [":fork", "fork/0:then", "fork/1:other", ":one", *ALL[4:]]),
        ("one", "each", 0, [*ALL[1:5], "each:one", "each:inner", "!:mend"]),
        ("then", "", 0, [":then", ":one", ":fork", *ALL[3:]]),
        ("mend", "fork/1", 99, [*ALL[:4], "fork/1:mend", *ALL[4:6]]),
        ("each", "fork/0", 0, [":one", ":fork", "fork/0:each", "each:inner", *ALL[2:4], "!:mend"]),
    ],
)
def test_a_step_moves_with_all_that_is_in_it(
    step_id: str, block: str, place: int, expected: list[str]
) -> None:
    assert order(edits.move_step(NESTED, step_id, block, place)) == expected


@pytest.mark.parametrize("block", ["fork/0", "fork/1", "deep"])
def test_a_step_is_not_moved_into_itself(block: str) -> None:
    document = draft(branch("fork", [loop("deep", a("x"))], []))

    with pytest.raises(EditRefused, match="into itself"):
        edits.move_step(document, "fork", block, 0)


@pytest.mark.parametrize(
    ("step_id", "by", "expected"),
    [
        ("one", -1, ALL),
        ("fork", -1, [":fork", "fork/0:then", "fork/1:other", ":one", *ALL[4:]]),
        ("one", 1, [":fork", "fork/0:then", "fork/1:other", ":one", *ALL[4:]]),
        ("then", -1, [":one", ":then", ":fork", *ALL[3:]]),
        ("then", 1, [":one", ":fork", "fork/1:other", ":then", *ALL[4:]]),
        ("inner", 1, [*ALL[:5], ":inner", "!:mend"]),
        ("mend", 1, ALL),
    ],
)
def test_up_and_down_leave_a_block_at_its_ends(step_id: str, by: int, expected: list[str]) -> None:
    assert order(edits.shift_step(NESTED, step_id, by)) == expected


def test_a_copy_has_new_ids_and_its_references_follow_them() -> None:
    inner = a("look", "webhook") | {"config": {"url": "https://x.test/{steps.before.id}"}}
    tell = a("tell") | {"config": {"message": "{{ steps.look.response.id }}"}, "name": "Tell"}
    changed, step_id = edits.duplicate_step(draft(a("before"), loop("each", inner, tell)), "each")

    assert step_id == "each_2"
    assert order(changed)[-3:] == [":each_2", "each_2:look_2", "each_2:tell_2"]
    copied = {step["id"]: step for _, _, step in blocks.walk(changed)}
    assert copied["tell_2"]["config"]["message"] == "{{ steps.look_2.response.id }}"
    assert copied["look_2"]["config"]["url"] == "https://x.test/{steps.before.id}"


@pytest.mark.parametrize("step_id", ["one", "fork", "then", "each", "inner", "mend"])
def test_what_was_removed_comes_back_where_it_was(step_id: str) -> None:
    changed, removed = edits.remove_step(NESTED, step_id)

    assert f":{step_id}" not in "".join(order(changed))
    assert order(edits.restore_step(changed, **removed)) == ALL


def test_a_step_whose_block_is_gone_comes_back_at_the_end() -> None:
    without_inner, removed = edits.remove_step(NESTED, "inner")
    without_loop, _ = edits.remove_step(without_inner, "each")

    assert order(edits.restore_step(without_loop, **removed))[-2:] == [":inner", "!:mend"]


def test_a_step_does_not_come_back_twice() -> None:
    changed, removed = edits.remove_step(NESTED, "one")
    back = edits.restore_step(changed, **removed)

    with pytest.raises(EditRefused, match="again"):
        edits.restore_step(back, **removed)


def test_a_step_is_switched_off_and_on() -> None:
    off = edits.toggle_step(NESTED, "inner")

    assert blocks.find_step(off, "inner")[2]["disabled"] is True
    assert edits.toggle_step(off, "inner") == NESTED


def test_the_form_of_a_loop_leaves_its_steps_as_they_are() -> None:
    changed = edits.set_step(
        NESTED, "each", {"config": {"list": "{{ record.tags }}"}, "name": "Tags"}
    )

    step = blocks.find_step(changed, "each")[2]
    assert step["config"] == {"list": "{{ record.tags }}", "steps": [a("inner")]}
    assert step["name"] == "Tags"


def test_cases_come_before_otherwise_and_keep_their_steps() -> None:
    changed = cases.add_case(NESTED, "fork")
    rules = {"match": "all", "rules": [{"field": "name", "operator": "is_empty"}]}
    changed = cases.set_case(changed, "fork", 1, {"if": rules, "name": "Nameless"})

    arms = blocks.find_step(changed, "fork")[2]["config"]["conditions"]
    assert [list(arm) for arm in arms] == [["if", "then"], ["if", "then", "name"], ["else"]]
    assert arms[1] == {"if": rules, "then": [], "name": "Nameless"}
    assert cases.remove_case(changed, "fork", 1) == NESTED
    without = cases.remove_case(NESTED, "fork", 1)
    assert blocks.find_step(cases.add_otherwise(without, "fork"), "fork")[2]["config"][
        "conditions"
    ][-1] == {"else": []}


@pytest.mark.parametrize("place", [0, 1])
def test_a_removed_case_comes_back_with_its_steps(place: int) -> None:
    arm = blocks.find_step(NESTED, "fork")[2]["config"]["conditions"][place]
    without = cases.remove_case(NESTED, "fork", place)

    assert cases.restore_case(without, "fork", place, arm) == NESTED
    with pytest.raises(EditRefused, match="again"):
        cases.restore_case(NESTED, "fork", place, arm)


def test_settings_keep_the_steps_for_failures() -> None:
    changed = edits.set_settings(NESTED, {"max_depth": 3, "on_failure": {"quarantine": True}})

    assert changed["settings"] == {
        "max_depth": 3,
        "on_failure": {"quarantine": True, "steps": [a("mend")]},
    }


def test_nesting_has_an_end() -> None:
    document = draft()
    block = ""
    for number in range(8):
        document, step_id = edits.add_step(document, block, 0, "for_each")
        block = step_id
        assert blocks.depth_of(document, block) == number + 1

    with pytest.raises(EditRefused, match="nested at most 8"):
        edits.add_step(document, block, 0, "for_each")


@pytest.mark.parametrize(
    "edit",
    [
        lambda document: edits.toggle_step(document, "gone"),
        lambda document: edits.move_step(document, "one", "gone", 0),
        lambda document: edits.add_step(document, "fork/7", 0, "stop"),
        lambda document: cases.remove_case(document, "fork", 5),
        lambda document: cases.add_case(document, "one"),
    ],
)
def test_what_is_not_there_any_more_is_refused(edit: Any) -> None:
    with pytest.raises(EditRefused):
        edit(NESTED)
