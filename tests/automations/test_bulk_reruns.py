"""Bulk retries of runs: everything that failed, once each, little by little, whoever dies meanwhile."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.db import transaction
from django.utils import timezone

from automations import bulk_reruns, chores
from automations.bulk_reruns import (
    Outcomes,
    cancel_bulk_rerun,
    go_on_with_bulk_reruns,
    outcomes_of,
    query_of,
    start_bulk_rerun,
    which_of,
)
from automations.history import RunsQuery
from automations.models import BulkRerun, Run, RunStatus
from automations.services import publish, retry_run, save_draft
from records.models import Event
from tests.automations.making import make_lead, run_once, step, work
from tests.automations.runs_at_hand import a_run, an_automation
from tests.records.making import make_user
from webhooks.retention_rules import RULES

pytestmark = pytest.mark.django_db

BROKEN = step("set_variables", "broken", variables={"a": "{{ record.name / 2 }}"})
CURSOR = [{"block": "", "index": 0}]
ERROR = {"step": "s1", "path": "s1", "cursor": CURSOR, "kind": "expression", "message": "No."}


@pytest.fixture(autouse=True)
def small_steps(monkeypatch):
    monkeypatch.setattr(bulk_reruns, "BATCH_SIZE", 4)
    monkeypatch.setattr(bulk_reruns, "WINDOW", 3)
    monkeypatch.setattr(bulk_reruns, "STEP_BUDGET_S", 60.0)


@pytest.fixture
def version():
    return an_automation("Score", step("set_variables", "s1", variables={"a": "1"}))


def failed(version, count=1, **values):
    given = {"status": "failed", "error": ERROR, "reason": "No.", **values}
    return [a_run(version, **given).pk for _ in range(count)]


def start(query=None, **values):
    return start_bulk_rerun(query=query or RunsQuery(), actor=values.pop("actor", None), **values)


def go_on():
    """One step, as if a second had passed."""
    BulkRerun.objects.update(step_at=timezone.now() - timedelta(seconds=1))
    return go_on_with_bulk_reruns()


def finish(bulk, steps=50):
    for _ in range(steps):
        go_on()
        bulk.refresh_from_db()
        if not bulk.is_running:
            return bulk
    pytest.fail("It does not come to an end.")


def retried():
    return set(Run.objects.filter(retry_of__isnull=False).values_list("retry_of_id", flat=True))


def fail_again():
    now = timezone.now() + timedelta(milliseconds=1)
    Run.objects.filter(status="pending").update(status="failed", error=ERROR, finished_at=now)


# --- which runs -----------------------------------------------------------------------------------


def test_everything_that_failed_is_retried_and_nothing_else(version):
    wanted = failed(version, 10)
    for status in ("succeeded", "halted", "cancelled", "skipped", "waiting"):
        a_run(version, status=status)
    bulk = finish(start())
    assert (bulk.status, bulk.total, bulk.done, bulk.left) == ("finished", 10, 10, 0)
    assert retried() == set(wanted)
    assert set(bulk.runs.values_list("retry_of_id", flat=True)) == set(wanted)


@pytest.mark.parametrize(
    ("query", "fits"),
    [
        ({"error_kind": "dns"}, {"error": {**ERROR, "kind": "dns"}}),
        ({"text": "teapot"}, {"reason": "I am a teapot."}),
        ({"mode": "test"}, {"mode": "test"}),
    ],
)
def test_the_filters_of_the_list_hold(version, query, fits):
    wanted = failed(version, 2, **fits)
    failed(version, 3)
    finish(start(RunsQuery(**query)))
    assert retried() == set(wanted)


def test_of_one_automation_and_of_a_time(version):
    now = timezone.now()
    other = an_automation("Other", step("set_variables", "s1", variables={"a": "1"}))
    wanted = failed(version, 5)
    failed(other, 2)
    query = RunsQuery(automation_id=version.automation_id, since=now - timedelta(hours=1))
    bulk = finish(start(query))
    assert retried() == set(wanted)
    assert query_of(bulk) == query


def test_filters_are_kept_as_json_without_tab_and_status():
    now = timezone.now()
    query = RunsQuery(tab="failures", status="failed", error_kind="dns", until=now)
    assert which_of(query) == {"error_kind": "dns", "until": now.isoformat()}


def test_what_fails_after_the_question_is_none_of_it(version):
    wanted = failed(version, 2)
    asked_at = timezone.now()
    failed(version, 2, finished_at=asked_at + timedelta(seconds=1))
    bulk = finish(start(until=asked_at))
    assert retried() == set(wanted)
    assert bulk.total == 2


def test_twelve_hundred_runs_are_retried_once_each(version, monkeypatch):
    monkeypatch.setattr(bulk_reruns, "BATCH_SIZE", 100)
    monkeypatch.setattr(bulk_reruns, "MAX_READY", 10_000)
    monkeypatch.setattr(bulk_reruns, "WINDOW", 20_000)
    now = timezone.now()
    Run.objects.bulk_create(
        Run(
            automation_id=version.automation_id,
            version=version,
            event_name="record.created",
            status="failed",
            error=ERROR,
            created_at=now,
            finished_at=now,
        )
        for _ in range(1200)
    )
    bulk = start()
    assert go_on() == 100
    bulk = finish(bulk)
    assert (bulk.total, bulk.done, bulk.left) == (1200, 1200, 0)
    assert len(retried()) == Run.objects.filter(retry_of__isnull=False).count() == 1200


# --- once each --------------------------------------------------------------------------------------


def test_a_retry_that_fails_at_once_is_not_retried(version):
    failed(version, 10)
    bulk = start()
    for _ in range(10):
        go_on()
        fail_again()
    bulk.refresh_from_db()
    assert (bulk.status, bulk.done) == ("finished", 10)
    assert Run.objects.filter(retry_of__isnull=False).count() == 10


def test_what_was_retried_by_hand_meanwhile_is_left_alone(version):
    ids = failed(version, 10)
    bulk = start()
    go_on()
    by_hand = retry_run(run=Run.objects.get(pk=ids[-1]), actor=make_user("ada"))
    bulk = finish(bulk)
    assert (bulk.total, bulk.done, bulk.left) == (10, 9, 1)
    assert Run.objects.filter(retry_of=ids[-1]).get() == by_hand


def test_a_worker_that_dies_in_the_middle_of_a_step_has_done_nothing(version, monkeypatch):
    failed(version, 10)
    bulk = start()
    go_on()

    def die(*args, **kwargs):
        retry_runs(*args, **kwargs)
        raise SystemExit  # as far as it got nothing is committed

    retry_runs = bulk_reruns.retry_runs
    with monkeypatch.context() as patch:
        patch.setattr(bulk_reruns, "retry_runs", die)
        with pytest.raises(SystemExit), transaction.atomic():
            go_on()
    bulk.refresh_from_db()
    assert bulk.done == len(retried()) == 4
    bulk = finish(bulk)
    assert bulk.done == len(retried()) == Run.objects.filter(retry_of__isnull=False).count() == 10


def test_two_of_the_same_are_one(version):
    failed(version, 2)
    assert start() == start()
    assert start(begin="start") != start()


def test_two_that_overlap_retry_each_run_once(version):
    failed(version, 6)
    one, other = start(), start(RunsQuery(automation_id=version.automation_id))
    finish(one)
    finish(other)
    one.refresh_from_db()
    other.refresh_from_db()
    assert one.done + other.done == 6
    assert Run.objects.filter(retry_of__isnull=False).count() == 6


# --- how fast, and how it ends ------------------------------------------------------------------------


def test_it_waits_while_many_of_its_runs_wait_for_a_worker(version, monkeypatch):
    monkeypatch.setattr(bulk_reruns, "MAX_READY", 6)
    failed(version, 10)
    bulk = start()
    assert [go_on(), go_on(), go_on()] == [4, 2, 0]
    Run.objects.filter(status="pending").update(status="waiting")
    assert go_on() == 4
    assert finish(bulk).done == 10


def test_a_second_passes_between_two_steps(version):
    failed(version, 10)
    start()
    assert go_on_with_bulk_reruns() == 4
    assert go_on_with_bulk_reruns() == 0


def test_the_sweep_rings_for_it(version, monkeypatch):
    rung = []
    monkeypatch.setattr(chores, "ring", rung.append)
    chores.ring_for_timers()
    assert rung == []
    start()
    chores.ring_for_timers()
    assert rung == ["chores"]


def test_it_can_be_stopped_and_what_was_begun_goes_on(version):
    failed(version, 10)
    bulk = start()
    go_on()
    assert cancel_bulk_rerun(bulk=bulk) is True
    assert go_on() == 0
    assert cancel_bulk_rerun(bulk=bulk) is False
    bulk.refresh_from_db()
    assert (bulk.status, bulk.done) == ("cancelled", 4)
    assert Run.objects.filter(status="pending").count() == 4


def test_it_tells_what_the_runs_have_come_to(version):
    failed(version, 4)
    bulk = finish(start())
    one, two, three, _ = bulk.runs.order_by("pk")
    Run.objects.filter(pk=one.pk).update(status="succeeded")
    Run.objects.filter(pk=two.pk).update(status="failed")
    Run.objects.filter(pk=three.pk).update(status="halted")
    assert outcomes_of(bulk) == Outcomes(succeeded=1, failed=1, open=1, others=1)


def test_ended_ones_are_cleaned_up_and_their_runs_stay(version):
    failed(version, 2)
    bulk = finish(start())
    rule = RULES["bulk_reruns"]
    assert rule.rows().filter(rule.which(timezone.now())).get() == bulk
    rule.clean([bulk.pk])
    assert Run.objects.filter(retry_of__isnull=False, bulk=None).count() == 2


# --- from where, on which version ------------------------------------------------------------------------


def real_failures(count, **values):
    run = run_once(BROKEN, **values)
    for number in range(count - 1):
        make_lead(name=f"Lead {number}")
    work()
    return run


def test_on_the_current_version_they_do_what_was_mended_and_the_actor_is_known():
    run = real_failures(5)
    draft = run.automation.published.document
    draft["steps"][0]["config"]["variables"]["a"] = "{{ record.name }}"
    save_draft(automation=run.automation, draft=draft)
    publish(automation=run.automation)
    ada = make_user("ada")
    bulk = finish(start(on="current", actor=ada))
    work()
    assert set(bulk.runs.values_list("status", "started_by")) == {(RunStatus.SUCCEEDED, ada.pk)}


def test_what_the_current_version_does_not_have_is_left_as_it_is():
    run = real_failures(3)
    draft = run.automation.published.document
    draft["steps"][0]["id"] = "other"
    save_draft(automation=run.automation, draft=draft)
    publish(automation=run.automation)
    bulk = finish(start(on="current"))
    assert (bulk.done, bulk.left) == (0, 3)


def test_records_in_quarantine_are_released_by_whoever_may():
    real_failures(3, settings={"on_failure": {"quarantine": True}})
    ada = make_user("ada", is_staff=True)
    ada.user_permissions.set(Permission.objects.filter(codename="change_record"))
    finish(start(releases=True, actor=ada))
    assert not Run.objects.filter(record__quarantined_at__isnull=False).exists()
    assert set(Event.objects.filter(type="record.released").values_list("actor", flat=True)) == {
        ada.pk
    }


def test_whoever_may_not_change_records_releases_none():
    real_failures(2, settings={"on_failure": {"quarantine": True}})
    bulk = finish(start(releases=True, actor=make_user("ada", is_staff=True)))
    assert bulk.done == 2
    assert Run.objects.filter(retry_of=None, record__quarantined_at=None).count() == 0
