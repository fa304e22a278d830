"""Telling people: a notification in the app, a mail, or both. Mails are sent by workers, never in a request."""

import logging
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Final

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from config.queues import ring_on_commit
from records.models import Mail, Notification, Urgency, User

logger = logging.getLogger(__name__)

# A mail server that can't be reached now can be reached later.
RETRY_DELAYS_S: Final = (60, 300, 1800, 7200)
# Longer than any mail server takes; a worker that dies in between delays the mail by this much.
_LEASE_S: Final = 120
_BATCH_SIZE: Final = 20


def notify(
    users: Iterable[User],
    *,
    title: str,
    body: str = "",
    url: str = "",
    urgency: Urgency = Urgency.MEDIUM,
    by_mail: bool = False,
) -> None:
    """Tell people in the app, and by mail those who have an address if `by_mail`."""
    users = list(users)
    now = timezone.now()
    with transaction.atomic():
        Notification.objects.bulk_create(
            Notification(
                user=user, title=title, body=body, url=url, urgency=urgency, created_at=now
            )
            for user in users
        )
        if by_mail:
            for user in users:
                if user.email:
                    queue_mail(to=[user.email], subject=title, body=with_link(body, url))


def with_link(body: str, url: str) -> str:
    """The text of a mail that leads to a page of this installation."""
    return f"{body}\n\n{settings.PUBLIC_URL}{url}".strip() if url else body


def admins() -> list[User]:
    """Who hears of what goes wrong with the installation."""
    return list(User.objects.filter(is_superuser=True, is_active=True))


def queue_mail(*, to: Sequence[str], subject: str, body: str, cc: Sequence[str] = ()) -> Mail:
    """Write a mail down; a worker sends it once the surrounding transaction is committed."""
    now = timezone.now()
    one_line = " ".join(subject.split())[:300]  # a line break would let the subject write headers
    mail = Mail.objects.create(
        to=list(to), cc=list(cc), subject=one_line, body=body, created_at=now, next_attempt_at=now
    )
    ring_on_commit("chores")
    return mail


def send_mails() -> int:
    """Send what is due. How many were taken."""
    mails = _claim()
    for mail in mails:
        try:
            EmailMessage(mail.subject, mail.body, to=mail.to, cc=mail.cc).send()
        except Exception as error:  # noqa: BLE001  (whatever a mail server or an address does wrong)
            logger.warning("Mail %s could not be sent: %s", mail.pk, error)
            _put_off(mail, str(error))
        else:
            Mail.objects.filter(pk=mail.pk).update(
                sent_at=timezone.now(), next_attempt_at=None, error=""
            )
    return len(mails)


def _claim() -> list[Mail]:
    now = timezone.now()
    with transaction.atomic():
        mails = list(Mail.objects.due(now).select_for_update(skip_locked=True)[:_BATCH_SIZE])
        Mail.objects.filter(pk__in=[mail.pk for mail in mails]).update(
            next_attempt_at=now + timedelta(seconds=_LEASE_S), attempts=F("attempts") + 1
        )
    for mail in mails:
        mail.attempts += 1
    return mails


def _put_off(mail: Mail, error: str) -> None:
    delay_s = RETRY_DELAYS_S[mail.attempts - 1] if mail.attempts <= len(RETRY_DELAYS_S) else None
    next_attempt_at = None if delay_s is None else timezone.now() + timedelta(seconds=delay_s)
    Mail.objects.filter(pk=mail.pk).update(next_attempt_at=next_attempt_at, error=error)
