"""Notifications and mails: written with the change, sent by workers, tried again when the mail server is away."""

import time
from datetime import timedelta
from functools import partial

import pytest
from django.core import mail as outbox
from django.core.mail.backends.smtp import EmailBackend
from django.db import transaction
from django.utils import timezone

from config.leases import renewing
from config.queues import LEASE_S, TookTooLong
from records.messages import RETRY_DELAYS_S, admins, notify, queue_mail, send_mails
from records.models import Mail, Notification, User

pytestmark = pytest.mark.django_db


def make_user(name, **values):
    return User.objects.create_user(name, email=f"{name}@example.com", **values)


def let_time_pass():
    Mail.objects.update(next_attempt_at=timezone.now() - timedelta(seconds=1))


def test_everybody_gets_a_notification_and_a_mail():
    people = [make_user("ann"), make_user("bob")]
    notify(people, title="A destination was disabled", body="Look at it.", url="/x/", by_mail=True)
    send_mails()
    assert {note.user.username for note in Notification.objects.all()} == {"ann", "bob"}
    assert sorted(message.to[0] for message in outbox.outbox) == [
        "ann@example.com",
        "bob@example.com",
    ]
    assert outbox.outbox[0].subject == "A destination was disabled"


def test_without_an_address_there_is_only_the_notification():
    notify([User.objects.create_user("ann")], title="Hello", by_mail=True)
    assert (Notification.objects.count(), Mail.objects.count()) == (1, 0)


def test_admins_are_active_superusers():
    make_user("ann")
    boss = make_user("boss", is_superuser=True)
    make_user("gone", is_superuser=True, is_active=False)
    assert admins() == [boss]


def test_a_mail_is_sent_once():
    queue_mail(to=["ann@example.com"], subject="Hello", body="…")
    assert (send_mails(), send_mails()) == (1, 0)
    assert len(outbox.outbox) == 1
    assert Mail.objects.get().sent_at is not None


def test_a_rolled_back_change_sends_no_mail():
    def fail_after_mailing():
        with transaction.atomic():
            queue_mail(to=["ann@example.com"], subject="Hello", body="…")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_after_mailing()
    assert send_mails() == 0


def test_a_subject_with_line_breaks_can_not_write_headers():
    queue_mail(to=["ann@example.com"], subject="Hello\r\nBcc: all@example.com", body="…")
    send_mails()
    assert outbox.outbox[0].subject == "Hello Bcc: all@example.com"


def test_a_mail_server_that_is_away_delays_the_mail(monkeypatch):
    def refuse(self):
        raise ConnectionRefusedError("no mail server")

    monkeypatch.setattr("django.core.mail.EmailMessage.send", refuse)
    queue_mail(to=["ann@example.com"], subject="Hello", body="…")
    send_mails()
    mail = Mail.objects.get()
    assert (mail.attempts, mail.error, mail.sent_at) == (1, "no mail server", None)
    assert 55 < (mail.next_attempt_at - timezone.now()).total_seconds() <= 60


def test_a_mail_is_given_up_in_the_end(monkeypatch):
    def refuse(self):
        raise ConnectionRefusedError("no mail server")

    monkeypatch.setattr("django.core.mail.EmailMessage.send", refuse)
    queue_mail(to=["ann@example.com"], subject="Hello", body="…")
    for _ in RETRY_DELAYS_S:
        send_mails()
        let_time_pass()
    send_mails()
    mail = Mail.objects.get()
    assert (mail.attempts, mail.next_attempt_at) == (len(RETRY_DELAYS_S) + 1, None)


def test_a_worker_that_dies_while_sending_leaves_the_mail_to_others(monkeypatch):
    def die(self):
        raise SystemExit

    queue_mail(to=["ann@example.com"], subject="Hello", body="…")
    with monkeypatch.context() as patch:
        patch.setattr("django.core.mail.EmailMessage.send", die)
        with pytest.raises(SystemExit):
            send_mails()
    assert send_mails() == 0  # its lease still holds
    let_time_pass()
    assert send_mails() == 1


def test_a_dead_workers_mail_waits_for_its_lease_and_no_longer(monkeypatch):
    def die(self):
        raise SystemExit

    for _ in range(3):
        queue_mail(to=["ann@example.com"], subject="Hello", body="…")
    with monkeypatch.context() as patch:
        patch.setattr("django.core.mail.EmailMessage.send", die)
        with pytest.raises(SystemExit):
            send_mails()
    assert send_mails() == 2  # only the one in the air waits
    now = timezone.now()
    assert Mail.objects.due(now + timedelta(seconds=LEASE_S)).count() == 1


def test_a_worker_that_is_told_to_stop_while_sending_leaves_the_mail_as_it_is(monkeypatch):
    def take_too_long(self):
        raise TookTooLong("120 seconds")

    monkeypatch.setattr("django.core.mail.EmailMessage.send", take_too_long)
    queue_mail(to=["ann@example.com"], subject="Hello", body="…")
    with pytest.raises(TookTooLong):
        send_mails()
    assert Mail.objects.get().error == ""


@pytest.mark.django_db(transaction=True)
def test_a_mail_server_that_takes_its_time_gets_the_mail_once(monkeypatch):
    monkeypatch.setattr("records.messages.LEASE_S", 0.5)
    monkeypatch.setattr("records.messages.renewing", partial(renewing, every_s=0.05))
    others = []

    def take_time(self):
        ends = time.monotonic() + 1.2
        while time.monotonic() < ends:
            time.sleep(0.1)
            others.append(Mail.objects.due(timezone.now()).count())

    monkeypatch.setattr("django.core.mail.EmailMessage.send", take_time)
    queue_mail(to=["ann@example.com"], subject="Hello", body="…")
    assert send_mails() == 1
    assert len(others) > 5
    assert set(others) == {0}
    mail = Mail.objects.get()
    assert (mail.attempts, mail.next_attempt_at) == (1, None)


def test_each_step_of_the_talk_with_a_mail_server_has_an_end():
    assert 0 < EmailBackend().timeout <= 10
