"""Versions that can't be run any more, because objects, fields or apps have changed since."""

import pytest

from automations import jobs
from automations.exceptions import RunRefused
from automations.generations import bump_generation
from automations.models import Run, RunStatus
from automations.services import plan_retry, retry_run
from records.models import FieldDefinition, Notification
from tests.automations.making import (
    make_automation,
    make_lead,
    make_leads,
    run_of,
    run_once,
    step,
    work,
)

pytestmark = pytest.mark.django_db


def set_(step_id: str = "s1", **variables: object) -> dict:
    return step("set_variables", step_id, variables=variables)


OVER_ONE = {"match": "all", "rules": [{"field": "amount", "operator": "greater_than", "value": 1}]}


def change_kind_of_amount() -> None:
    field = FieldDefinition.objects.get(object__slug="leads", slug="amount")
    field.kind = "boolean"
    field.save()


def test_conditions_that_fit_no_more_pause_their_automation_and_no_other(admin_user):
    make_leads()
    broken = make_automation(set_("one", a=1), conditions=OVER_ONE, name="Broken")
    sound = make_automation(set_("one", a=1), name="Sound")
    change_kind_of_amount()
    make_lead()
    work()
    assert run_of(sound).status == RunStatus.SUCCEEDED
    assert not broken.runs.exists()
    jobs.look_after_runs()
    broken.refresh_from_db()
    assert broken.state == "paused"
    assert "conditions do not fit the fields any more" in broken.paused_reason
    assert Notification.objects.filter(user=admin_user, title__contains="Broken").count() == 1
    jobs.look_after_runs()
    assert Notification.objects.count() == 1


def test_what_waits_in_a_version_that_can_t_be_run_any_more_fails_in_words():
    broken = run_once(step("wait", "w", duration=1), conditions=OVER_ONE, record={"amount": "5"})
    sound = make_automation(set_("one", a=1), name="Sound")
    change_kind_of_amount()
    Run.objects.update(status="pending")
    make_lead(name="Bea")
    work()
    broken.refresh_from_db()
    assert (broken.status, broken.error["kind"]) == (RunStatus.FAILED, "version")
    assert "conditions do not fit" in broken.reason
    assert run_of(sound).status == RunStatus.SUCCEEDED
    assert "conditions do not fit" in plan_retry(run=broken, begin="start").refusal
    with pytest.raises(RunRefused, match="conditions do not fit"):
        retry_run(run=broken, actor=None, begin="start")


@pytest.mark.parametrize("part", ["trigger", "action"])
def test_what_an_uninstalled_app_had_brought_is_missed_in_words(part):
    run = run_once(step("wait", "w", duration=1), set_("two", b=1))
    document = run.version.document
    if part == "trigger":
        document["trigger"]["type"] = "moon_phase"
    else:
        document["steps"][1]["type"] = "moon_phase"
    run.version.save()
    bump_generation()
    Run.objects.update(status="pending")
    work()
    run.refresh_from_db()
    assert run.status == RunStatus.FAILED
    assert "“moon_phase” is not installed" in run.reason
