"""The failed step, changed for one retry: what is kept of it, and whom it concerns."""

import pytest

from automations.exceptions import StepHasMistakes
from automations.models import Run, RunStatus
from automations.services import publish, retry_run, save_draft
from automations.services.retry_edits import config_of_run, editable_config
from tests.automations.making import run_once, step, work
from tests.records.making import make_user

pytestmark = pytest.mark.django_db

BROKEN = step(
    "set_variables", "broken", variables={"a": "{{ record.name / 2 }}", "b": 1}, name_="Halve"
)
STILL_BROKEN = {"variables": {"a": "{{ record.name / 3 }}", "b": 1}}
MENDED = {"variables": {"a": "{{ record.name }}", "b": 1}}


@pytest.fixture
def failed() -> Run:
    return run_once(BROKEN)


def retried(run: Run, **values) -> Run:
    fresh = retry_run(run=run, actor=values.pop("actor", None), **values)
    work()
    fresh.refresh_from_db()
    return fresh


def test_only_what_differs_is_kept_with_the_name_of_who_changed_it(failed):
    fresh = retried(failed, actor=make_user("ada"), config=MENDED)
    assert fresh.status == RunStatus.SUCCEEDED
    assert fresh.edited == {
        "path": "broken",
        "step": "broken",
        "by": "ada",
        "changes": [
            {
                "field": "variables",
                "before": {"a": "{{ record.name / 2 }}", "b": 1},
                "after": {"a": "{{ record.name }}", "b": 1},
            }
        ],
    }


def test_what_changes_nothing_is_no_edit(failed):
    fresh = retry_run(run=failed, actor=None, config=editable_config(failed, failed.version))
    assert fresh.edited is None
    assert "config" not in fresh.cursor[-1]


def test_a_retry_of_a_changed_run_does_what_that_run_did(failed):
    second = retried(failed, actor=make_user("ada"), config=STILL_BROKEN)
    assert config_of_run(second, second.version) == STILL_BROKEN
    third = retry_run(run=second, actor=make_user("bob"))
    assert third.cursor[-1]["config"] == STILL_BROKEN
    assert (third.edited["by"], third.started_by.username) == ("ada", "bob")


def test_back_to_what_the_version_says_is_back(failed):
    second = retried(failed, config=STILL_BROKEN)
    third = retry_run(run=second, actor=None, config=editable_config(second, second.version))
    assert third.edited is None
    assert "config" not in third.cursor[-1]


def test_on_another_version_nothing_of_an_earlier_change_is_left(failed):
    second = retried(failed, config=STILL_BROKEN)
    draft = failed.automation.published.document
    draft["steps"][0]["config"] = MENDED
    save_draft(automation=failed.automation, draft=draft)
    publish(automation=failed.automation)
    third = retried(second, on="current")
    assert (third.status, third.edited) == (RunStatus.SUCCEEDED, None)


def test_from_the_start_nothing_is_changed(failed):
    fresh = retry_run(run=failed, actor=None, begin="start", config=MENDED)
    assert fresh.edited is None


def test_a_mistake_names_its_place(failed):
    config = {"variables": {"a": "{{ record.nmae }}"}}
    with pytest.raises(StepHasMistakes, match="did you mean `name`") as caught:
        retry_run(run=failed, actor=None, config=config)
    assert [mistake.path for mistake in caught.value.mistakes] == ["/steps/0/config/variables/a"]
