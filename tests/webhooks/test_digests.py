"""Mails about failures: soon after the first, then at most one an hour for each group."""

from datetime import timedelta

import pytest
from django.utils import timezone

from records.dispatch import dispatch_events
from records.models import Mail, User
from records.services import submit_record
from tests.webhooks.jobs_at_hand import a_failed_job, a_record, a_webhook
from webhooks.digests import alert_addresses, is_digest_due, send_digests
from webhooks.failures import FIRST_MAIL_AFTER, MAIL_INTERVAL, note_failed_jobs
from webhooks.models import FailureGroup

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def boss():
    return User.objects.create_superuser("boss", "boss@example.com", "secret")


@pytest.fixture
def clock(monkeypatch):
    """The time as the mails see it; ids go on as they are."""

    class Clock:
        now = timezone.now()

        def pass_by(self, span):
            self.now += span

    clock = Clock()
    monkeypatch.setattr("webhooks.digests.shared_now", lambda: clock.now)
    return clock


def fail(clock, **values):
    job = a_failed_job(**values)
    note_failed_jobs([job.pk], clock.now)
    return job


def test_the_first_failure_is_told_within_a_minute(clock):
    fail(clock)
    assert send_digests() == 0
    clock.pass_by(timedelta(seconds=59))
    assert timedelta(minutes=1) > FIRST_MAIL_AFTER
    assert send_digests() == 1
    mail = Mail.objects.get()
    assert mail.to == ["boss@example.com"]
    assert "1 failure of Notify CRM: 500 Internal Server Error" in mail.subject


def test_then_at_most_once_an_hour(clock):
    fail(clock)
    clock.pass_by(FIRST_MAIL_AFTER)
    send_digests()
    for _ in range(59):
        clock.pass_by(timedelta(minutes=1))
        fail(clock)
        assert send_digests() == 0
    clock.pass_by(timedelta(minutes=1))
    assert send_digests() == 1
    assert Mail.objects.count() == 2
    latest = Mail.objects.order_by("-pk")[0]
    assert "59 failures" in latest.subject
    assert "60 since" in latest.body


def test_nothing_new_is_nothing_to_tell(clock):
    fail(clock)
    clock.pass_by(FIRST_MAIL_AFTER)
    send_digests()
    clock.pass_by(3 * MAIL_INTERVAL)
    assert not is_digest_due(clock.now)
    assert send_digests() == 0


def test_one_mail_tells_of_every_group_with_what_to_do(clock, settings):
    hook = a_webhook(name="Billing")
    first = fail(clock, webhook=hook, webhook_name="Billing", status_code=401)
    fail(clock, webhook=hook, webhook_name="Billing", status_code=None, error_kind="timeout")
    clock.pass_by(FIRST_MAIL_AFTER)
    assert send_digests() == 2
    body = Mail.objects.get().body
    assert "Billing: 401 Unauthorized" in body
    assert "Billing: Timeout" in body
    assert "What to do: The receiver wants a valid login." in body
    assert f"{settings.PUBLIC_URL}/admin/webhooks/webhookjob/{first.pk}/change/" in body
    assert f"{settings.PUBLIC_URL}/admin/webhooks/failuregroup/" in body


def test_another_group_need_not_wait_for_the_hour_of_the_first(clock):
    fail(clock, status_code=500)
    clock.pass_by(FIRST_MAIL_AFTER)
    send_digests()
    fail(clock, status_code=500)
    fail(clock, status_code=404)
    clock.pass_by(FIRST_MAIL_AFTER)
    assert send_digests() == 1
    assert "404" in Mail.objects.order_by("-pk")[0].subject


def test_everybody_gets_a_mail_of_their_own(clock, settings):
    settings.ALERT_EMAILS = ["ops@example.com", "BOSS@example.com"]
    fail(clock)
    clock.pass_by(FIRST_MAIL_AFTER)
    send_digests()
    assert sorted(mail.to[0].lower() for mail in Mail.objects.all()) == [
        "boss@example.com",
        "ops@example.com",
    ]
    assert len(alert_addresses()) == 2


def test_it_can_be_switched_off(clock, settings):
    settings.FAILURE_DIGEST = False
    fail(clock)
    clock.pass_by(MAIL_INTERVAL)
    assert not is_digest_due(clock.now)
    assert send_digests() == 0
    assert not Mail.objects.exists()


def test_with_nobody_to_tell_it_counts_as_told(clock):
    User.objects.all().delete()
    fail(clock)
    clock.pass_by(FIRST_MAIL_AFTER)
    send_digests()
    assert not is_digest_due(clock.now)


def test_a_clock_that_was_ahead_does_not_silence_it(clock):
    fail(clock)
    FailureGroup.objects.update(mail_due_at=clock.now + timedelta(days=400))
    assert send_digests() == 1


def test_names_can_not_write_lines_into_a_mail(clock):
    fail(clock, webhook_name="Evil\nBcc: all@example.com")
    clock.pass_by(FIRST_MAIL_AFTER)
    send_digests()
    mail = Mail.objects.get()
    assert "\n" not in mail.subject
    assert "\nBcc" not in mail.body


def test_a_mistake_in_a_webhook_is_told_although_nothing_was_sent():
    a_webhook(name="Broken", body_kind="json", body='{"a": {{ record.nothing.there }} }')
    dispatch_events(1000)
    record = a_record()
    submit_record(record=record)
    dispatch_events(1000)
    group = FailureGroup.objects.get()
    assert (group.webhook_name, group.error_kind, group.unmailed) == ("Broken", "template", 1)
