"""The error path: counting, pausing, quarantine, telling people, and the event that a run has failed."""

from datetime import timedelta

import pytest
import time_machine
from django.contrib.auth.models import Group

from automations import failures
from automations.failures import is_digest_due, tell_of_failures
from automations.models import AutomationState
from records.models import Event, Mail, Notification, User
from tests.automations.making import make_automation, make_lead, make_leads, step, work
from webhooks.models import Webhook

pytestmark = pytest.mark.django_db

BROKEN = step("set_variables", "broken", variables={"a": "{{ record.name / 2 }}"})
MAYBE = step(
    "branch", "b",
    conditions=[{"if": {"expression": "record.status == 'bad'"}, "then": [BROKEN]}],
)  # fmt: skip


@pytest.fixture(autouse=True)
def admin() -> User:
    make_leads()
    return User.objects.create(username="root", email="root@example.com", is_superuser=True)


def fail(times: int = 1) -> None:
    for _ in range(times):
        make_lead(status="bad")
        work()


def test_failures_in_a_row_are_counted_and_a_success_ends_the_row():
    automation = make_automation(MAYBE)
    fail(3)
    automation.refresh_from_db()
    assert automation.failures_in_a_row == 3
    make_lead(status="good")
    work()
    automation.refresh_from_db()
    assert automation.failures_in_a_row == 0


def test_after_so_many_it_is_paused_and_says_why(admin):
    automation = make_automation(MAYBE, settings={"on_failure": {"pause_after": 2}})
    fail(3)
    automation.refresh_from_db()
    assert (automation.state, "2 failed runs" in automation.paused_reason) == (
        AutomationState.PAUSED,
        True,
    )
    assert automation.runs.filter(status="failed").count() == 2
    assert Notification.objects.filter(user=admin, title__contains="paused").exists()


def test_people_are_told_at_once_and_then_at_most_once_an_hour(admin):
    with time_machine.travel("2026-01-01T10:00:00Z", tick=False) as clock:
        make_automation(MAYBE)
        fail(1)
        clock.shift(timedelta(seconds=10))
        fail(3)
        assert Notification.objects.filter(user=admin).count() == 1
        assert Mail.objects.count() == 1
        clock.shift(timedelta(minutes=61))
        assert tell_of_failures() == 1
        assert tell_of_failures() == 0
    latest = Notification.objects.latest("pk")
    assert "3 runs failed" in latest.title
    assert Mail.objects.count() == 2


def test_nothing_is_due_where_nothing_more_has_failed():
    with time_machine.travel("2026-01-01T10:00:00Z", tick=False) as clock:
        make_automation(MAYBE)
        fail(1)
        clock.shift(timedelta(hours=2))
        assert tell_of_failures() == 0
        from django.utils import timezone

        assert not is_digest_due(timezone.now())


def test_teams_are_told_and_admins_only_if_they_are_to_be(admin):
    team = Group.objects.create(name="Sales")
    member = User.objects.create(username="ada", email="ada@example.com")
    member.groups.add(team)
    make_automation(
        MAYBE, settings={"on_failure": {"notify_admins": False, "notify_teams": ["Sales"]}}
    )
    fail()
    assert list(Notification.objects.values_list("user__username", flat=True)) == ["ada"]


def test_the_record_is_put_in_quarantine_with_the_reason():
    make_automation(MAYBE, settings={"on_failure": {"quarantine": True}}, name="Welcome")
    lead = make_lead(status="bad")
    work()
    lead.refresh_from_db()
    assert lead.quarantined_at is not None
    assert "Welcome" in lead.quarantine_reason
    assert "broken" in lead.quarantine_reason


def test_a_failed_run_is_an_event_for_whoever_listens_and_goes_round_once():
    make_automation(MAYBE, name="First")
    fail()
    assert not Event.objects.filter(type="run.failed").exists()
    listener = make_automation(
        step("set_variables", "s", variables={"a": "{{ subject.automation }}: {{ subject.step }}"}),
        step("set_variables", "broken", variables={"a": "{{ event.name / 2 }}"}),
        trigger={"type": "event", "config": {"event": "run.failed"}},
        name="Listener",
    )
    fail()
    assert Event.objects.filter(type="run.failed").count() == 1
    run = listener.runs.get()
    assert (run.status, run.variables["steps"]["s"]["a"]) == ("failed", "First: broken")
    assert run.caused_by is not None


def test_webhooks_hear_of_failed_runs_too():
    Webhook.objects.create(name="Pager", event="run.failed", url="https://pager.example.com")
    make_automation(MAYBE)
    fail()
    assert Event.objects.get(type="run.failed").webhook_jobs.count() == 1


def test_a_run_ends_although_what_follows_from_that_breaks(monkeypatch):
    automation = make_automation(MAYBE)
    monkeypatch.setattr(failures, "notify", lambda *args, **kwargs: 1 / 0)
    fail()
    assert automation.runs.get().status == "failed"
