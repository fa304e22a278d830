"""Export, import and comparison of automations."""

from typing import Any

import pytest

from automations.exceptions import DocumentInvalid
from automations.models import AutomationState
from automations.services import publish, save_draft
from automations.services.versions import compare_versions, export_automation, import_automation
from tests.automations.making import make_automation, make_leads, step

pytestmark = pytest.mark.django_db


def test_versions_can_be_compared() -> None:
    make_leads()
    automation = make_automation(step("stop", "end"))
    first = automation.versions.get()
    draft = {**automation.draft, "steps": [step("stop", "end", message="Done")]}
    save_draft(automation=automation, draft=draft)
    second = publish(automation=automation)
    (change,) = compare_versions(first, second)
    assert change.words == "Step 1 · Stop, Message: nothing → “Done”"
    assert compare_versions(second, second) == []


def test_an_export_comes_back_as_it_went() -> None:
    make_leads()
    automation = make_automation(step("stop", "end"), name="Welcome")
    exported = export_automation(automation)
    assert exported["format"] == "signalbox.automation/1"
    imported = import_automation(exported)
    assert export_automation(imported) == {**exported, "name": "Welcome (2)"}


def test_what_is_imported_is_switched_off_and_published_by_nobody() -> None:
    imported = import_automation({"name": "New", "actions": [{"type": "stop"}]})
    assert imported.state == AutomationState.DRAFT
    assert imported.published is None


def test_names_that_are_taken_get_a_number() -> None:
    names = [import_automation({"name": "Welcome", "steps": []}).name for _ in range(3)]
    assert names == ["Welcome", "Welcome (2)", "Welcome (3)"]
    long = [import_automation({"name": "x" * 120, "steps": []}).name for _ in range(2)]
    assert long == ["x" * 120, f"{'x' * 110} (2)"]


@pytest.mark.parametrize(
    "written",
    [
        {"type": "stop", "config": {"message": "x"}},
        [{"type": "stop", "config": {"message": "x"}}],
        {"actions": [{"type": "stop", "config": {"message": "x"}}]},
        {"name": "A", "document": {"steps": [{"type": "stop", "config": {"message": "x"}}]}},
    ],
)
def test_steps_alone_documents_and_exports_are_read(written: Any) -> None:
    (read,) = import_automation(written).draft["steps"]
    assert (read["id"], read["config"]) == ("stop", {"message": "x"})


@pytest.mark.parametrize(
    ("written", "path", "words"),
    [
        (5, "", "An automation is an object"),
        ({"format": "other/2", "document": {}}, "/format", "other/2"),
        ({"name": 5}, "/name", "Enter text"),
        ({"name": "x\0"}, "/name", "Enter text"),
        ({"name": "x" * 121}, "/name", "too long"),
        ({"document": {"steps": [5]}}, "/document/steps/0", "A step is an object"),
        ({"document": {}, "id": 5}, "/id", "not known here"),
        ({"steps": 5}, "/steps", "Steps are a list"),
    ],
)
def test_what_cannot_be_imported_is_told_with_its_place(
    written: Any, path: str, words: str
) -> None:
    with pytest.raises(DocumentInvalid) as refused:
        import_automation(written)
    ((at, message),) = refused.value.mistakes
    assert at == path
    assert words in message
