"""Retrying runs from the failed step or the start, on their own version or the current one; cancelling them."""

import pytest

from automations.exceptions import RunHasEnded, RunIsOpen, RunRefused
from automations.generations import bump_generation
from automations.models import Run, RunStatus
from automations.services import (
    cancel_run,
    plan_retries,
    plan_retry,
    publish,
    retry_run,
    retry_runs,
    save_draft,
)
from automations.services.retry_edits import editable_config
from records.models import User
from tests.automations.making import end_job, make_lead, run_of, run_once, step, step_of, work
from webhooks.models import WebhookJob

pytestmark = pytest.mark.django_db

URL = "https://api.example.com/hook"
COUNT = step(
    "update_record", "count", data={"follow_up_count": "{{ (record.follow_up_count or 0) + 1 }}"}
)
BROKEN = step("set_variables", "broken", variables={"a": "{{ record.name / 2 }}"})
END = step("set_variables", "end", variables={"done": True})


def failed_run() -> Run:
    """It counted, and failed at the second of three steps."""
    run = run_once(COUNT, BROKEN, END)
    assert run.status == RunStatus.FAILED
    return run


def mend(run: Run) -> None:
    """Publish a version in which the broken step works."""
    draft = run.automation.published.document
    draft["steps"][1]["config"]["variables"]["a"] = "{{ record.name }}"
    save_draft(automation=run.automation, draft=draft)
    publish(automation=run.automation)
    run.automation.refresh_from_db()


def count_of(run: Run) -> int:
    run.record.refresh_from_db()
    return run.record.data["follow_up_count"]


def test_from_the_failed_step_on_the_current_version_the_rest_is_done_and_nothing_twice():
    run = failed_run()
    mend(run)
    fresh = retry_run(run=run, actor=None, on="current")
    work()
    fresh.refresh_from_db()
    assert (fresh.status, fresh.retry_of_id, fresh.version.number) == (
        RunStatus.SUCCEEDED,
        run.pk,
        2,
    )
    assert [each.path for each in fresh.steps.all()] == ["broken", "end"]
    assert count_of(run) == 1


def test_on_its_own_version_it_fails_again():
    run = failed_run()
    mend(run)
    fresh = retry_run(run=run, actor=None, on="same")
    work()
    fresh.refresh_from_db()
    assert (fresh.status, fresh.version_id) == (RunStatus.FAILED, run.version_id)


def test_from_the_start_everything_is_done_again():
    run = failed_run()
    mend(run)
    fresh = retry_run(run=run, actor=None, begin="start", on="current")
    work()
    fresh.refresh_from_db()
    assert fresh.status == RunStatus.SUCCEEDED
    assert count_of(run) == 2


def test_the_failed_step_can_be_changed_for_one_retry():
    run = failed_run()
    fresh = retry_run(run=run, actor=None, config={"variables": {"a": "by hand"}})
    work()
    fresh.refresh_from_db()
    assert fresh.status == RunStatus.SUCCEEDED
    assert fresh.variables["vars"]["a"] == "by hand"


def test_a_changed_step_with_a_mistake_is_refused_in_words():
    with pytest.raises(RunRefused, match="mistake"):
        retry_run(run=failed_run(), actor=None, config={"variables": {"Not A Name": 1}})
    assert Run.objects.count() == 1


def test_a_second_click_makes_no_second_retry():
    run = failed_run()
    first = retry_run(run=run, actor=None)
    assert retry_run(run=run, actor=None).pk == first.pk


def test_a_step_that_the_current_version_does_not_have_is_refused():
    run = failed_run()
    draft = run.automation.published.document
    del draft["steps"][1]
    save_draft(automation=run.automation, draft=draft)
    publish(automation=run.automation)
    with pytest.raises(RunRefused, match="has no step “broken”"):
        retry_run(run=run, actor=None, on="current")


def test_an_open_run_and_one_that_did_not_fire_can_t_be_retried():
    waiting = run_once(step("wait", "w", duration=1, unit="hours"))
    with pytest.raises(RunIsOpen):
        retry_run(run=waiting, actor=None)
    Run.objects.update(status="skipped")
    with pytest.raises(RunRefused, match="did not fire"):
        retry_run(run=waiting, actor=None)


def test_a_failure_in_a_loop_goes_on_with_the_same_item():
    body = [
        step(
            "update_record",
            "count",
            data={"follow_up_count": "{{ (record.follow_up_count or 0) + 1 }}"},
        ),
        step("webhook", "call", url=URL),
    ]
    run = run_once(step("for_each", "l", list="{{ [1, 2, 3] }}", steps=body))
    end_job(WebhookJob.objects.get())
    work()
    end_job(WebhookJob.objects.latest("pk"), status_code=500)
    work()
    assert run_of(run.automation).error["path"] == "l[1]/call"
    fresh = retry_run(run=run, actor=None)
    for _ in range(2):
        work()
        end_job(WebhookJob.objects.filter(status="pending").latest("pk"))
    work()
    fresh.refresh_from_db()
    assert fresh.status == RunStatus.SUCCEEDED
    assert [each.path for each in fresh.steps.all()] == ["l[1]/call", "l[2]/count", "l[2]/call"]
    assert count_of(run) == 3


def test_the_plan_says_what_happened_what_is_done_again_and_what_may_be_noticed():
    run = run_once(step("webhook", "call", url=URL), BROKEN, END)
    end_job(WebhookJob.objects.get())
    work()
    run.refresh_from_db()
    from_failed = {each.id: each for each in plan_retry(run=run).steps}
    assert [(each.happened, each.again) for each in from_failed.values()] == [
        (True, False),
        (False, True),
        (False, True),
    ]
    assert plan_retry(run=run).repeats_outside == []
    [again] = plan_retry(run=run, begin="start").repeats_outside
    assert (again.id, again.is_outside) == ("call", True)


def test_many_are_retried_and_what_can_t_be_is_counted():
    failed_run()
    make_lead()
    work()
    waiting = run_once(step("wait", "w", duration=1, unit="hours"), name="Waits")
    failed = sorted(Run.objects.filter(status="failed").values_list("pk", flat=True))
    fresh, refused = retry_runs(ids=[*failed, waiting.pk], actor=None)
    assert ([run.retry_of_id for run in fresh], refused) == (failed, 1)


def test_what_was_retried_before_is_left_alone_when_many_are_retried():
    run = failed_run()
    retry = retry_run(run=run, actor=None)
    work()
    fresh, refused = retry_runs(ids=[run.pk, retry.pk], actor=None)
    assert ([each.retry_of_id for each in fresh], refused) == ([retry.pk], 1)


def test_the_plan_for_many_tells_them_by_version_and_what_is_repeated_outside():
    run = run_once(step("webhook", "call", url=URL, name_="Call"), BROKEN, END)
    end_job(WebhookJob.objects.get())
    work()
    waiting = run_once(step("wait", "w", duration=1, unit="hours"), name="Waits")
    ids = [run.pk, waiting.pk]
    from_failed = plan_retries(ids=ids)
    [group] = from_failed.groups
    assert (from_failed.ids, group.version, group.outside) == ([run.pk], run.version, [])
    assert from_failed.refused == [("The run has not ended yet.", 1)]
    [group] = plan_retries(ids=ids, begin="start").groups
    assert group.outside == [("Call", 1, 1)]


def test_the_plan_for_many_takes_as_many_queries_as_for_one(django_assert_max_num_queries):
    failed_run()
    for _ in range(5):
        make_lead()
        work()
    ids = list(Run.objects.filter(status="failed").values_list("pk", flat=True))
    plan_retries(ids=ids)
    with django_assert_max_num_queries(5):
        assert len(plan_retries(ids=ids).ids) == 6


def test_what_happened_before_an_earlier_retry_is_not_forgotten():
    run = failed_run()
    retry = retry_run(run=run, actor=None)
    work()
    retry.refresh_from_db()
    plan = {each.id: each for each in plan_retry(run=retry).steps}
    assert [(each.happened, each.again) for each in plan.values()] == [
        (True, False),
        (False, True),
        (False, True),
    ]


def test_a_changed_step_is_looked_at_to_the_last_expression():
    run = failed_run()
    with pytest.raises(RunRefused, match="no field `nmae`; did you mean `name`"):
        retry_run(run=run, actor=None, config={"variables": {"a": "{{ record.nmae }}"}})


def test_a_branch_can_t_be_changed_for_one_retry():
    arms = [{"if": {"expression": "record.name / 2 > 1"}, "then": [END]}]
    run = run_once(step("branch", "b", conditions=arms))
    Run.objects.filter(pk=run.pk).update(
        status="failed",
        error={"step": "b", "path": "b", "cursor": [{"block": "", "index": 0}]},
    )
    run.refresh_from_db()
    assert editable_config(run, run.version) is None
    with pytest.raises(RunRefused, match="can't be changed"):
        retry_run(run=run, actor=None, config={"conditions": arms})


def test_cancelling_a_waiting_run_cancels_the_request_it_waits_for():
    run = run_once(step("webhook", "call", url=URL), END)
    person = User.objects.create(username="ada")
    cancelled = cancel_run(run=run, actor=person)
    assert (cancelled.status, "ada" in cancelled.reason) == (RunStatus.CANCELLED, True)
    assert WebhookJob.objects.get().status == "cancelled"
    work()
    assert run_of(run.automation).status == RunStatus.CANCELLED
    assert step_of(run, "call").status == "skipped"
    with pytest.raises(RunHasEnded):
        cancel_run(run=run, actor=person)


def test_a_step_that_was_changed_for_one_retry_is_as_ever_in_the_next_round():
    """What was changed is for the entry that had failed."""
    first = step("set_variables", "first", variables={"n": "{{ item }}"})
    second = step("set_variables", "second", variables={"half": "{{ item / 2 }}"})
    run = run_once(step("for_each", "l", list="{{ ['a', 8] }}", steps=[first, second]))
    assert run.error["path"] == "l[0]/second"
    # As in a version that goes on with the next entry; the change does not work either.
    document = run.version.document
    document["steps"][0]["config"]["on_item_error"] = "continue"
    run.version.save()
    bump_generation()
    fresh = retry_run(run=run, actor=None, config={"variables": {"half": "{{ item / 3 }}"}})
    work()
    fresh.refresh_from_db()
    assert fresh.status == RunStatus.SUCCEEDED
    assert fresh.variables["vars"] == {"n": 8, "half": 4}


def test_what_ended_as_a_whole_can_be_retried_from_the_start_alone():
    run = run_once(END)
    Run.objects.update(status="failed", error={"message": "", "step": "", "path": ""})
    run.refresh_from_db()
    with pytest.raises(RunRefused, match="from the start"):
        retry_run(run=run, actor=None)
    assert retry_run(run=run, actor=None, begin="start").status == RunStatus.PENDING
