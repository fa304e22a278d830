"""Telling people: a notification in the app, a mail, or both. Mails are sent by workers, never in a request."""

import logging
import time
from collections.abc import Iterable, Sequence
from datetime import timedelta
from functools import partial
from typing import Final

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.utils import timezone

from config.clocks import shared_now
from config.leases import renewing
from config.queues import LEASE_S, TookTooLong, ring_on_commit, stopping
from records.models import Mail, Notification, Urgency, User

logger = logging.getLogger(__name__)

# A mail server that can't be reached now can be reached later.
RETRY_DELAYS_S: Final = (60, 300, 1800, 7200)
# How long a worker goes on sending before it listens to other bells; the sweep rings for the rest.
_STINT_S: Final = 30.0


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


def queue_mail(
    *,
    to: Sequence[str],
    subject: str,
    body: str,
    cc: Sequence[str] = (),
    is_private: bool = False,
) -> Mail:
    """Write a mail down; a worker sends it once the surrounding transaction is committed.

    The text of a private one is forgotten as soon as it is sent or given up: it holds a link that lets in
    whoever has it.
    """
    now = timezone.now()
    one_line = " ".join(subject.split())[:300]  # a line break would let the subject write headers
    mail = Mail.objects.create(
        to=list(to),
        cc=list(cc),
        subject=one_line,
        body=body,
        created_at=now,
        next_attempt_at=now,
        is_private=is_private,
    )
    ring_on_commit("chores")
    return mail


def send_mails() -> int:
    """Send what is due, one after the other, for a while. How many were taken."""
    taken, until = 0, time.monotonic() + _STINT_S
    while time.monotonic() < until and not stopping.is_set() and (mail := _claim()):
        taken += 1
        try:
            # A mail server may take its time: the lease is renewed meanwhile.
            with renewing(partial(_renew, mail)):
                EmailMessage(mail.subject, mail.body, to=mail.to, cc=mail.cc).send()
        except TookTooLong:
            raise
        except Exception as error:  # noqa: BLE001  (whatever a mail server or an address does wrong)
            logger.warning("Mail %s could not be sent: %s", mail.pk, error)
            _put_off(mail, str(error))
        else:
            Mail.objects.filter(pk=mail.pk).update(
                sent_at=timezone.now(), next_attempt_at=None, error="", **_forgotten(mail)
            )
    return taken


def _claim() -> Mail | None:
    """The mail that is due for longest, with a lease: whoever claims it and dies delays it by no more than that."""
    with transaction.atomic():
        now = shared_now()
        due = Mail.objects.due(now).order_by("next_attempt_at", "pk")
        mail = due.select_for_update(skip_locked=True).first()
        if mail is not None:
            mail.attempts += 1
            mail.next_attempt_at = now + timedelta(seconds=LEASE_S)
            mail.save(update_fields=["attempts", "next_attempt_at"])
    return mail


def _renew(mail: Mail) -> None:
    until = shared_now() + timedelta(seconds=LEASE_S)
    Mail.objects.filter(pk=mail.pk, sent_at=None).update(next_attempt_at=until)


def _put_off(mail: Mail, error: str) -> None:
    delay_s = RETRY_DELAYS_S[mail.attempts - 1] if mail.attempts <= len(RETRY_DELAYS_S) else None
    next_attempt_at = None if delay_s is None else shared_now() + timedelta(seconds=delay_s)
    Mail.objects.filter(pk=mail.pk).update(
        next_attempt_at=next_attempt_at,
        error=error,
        **(_forgotten(mail) if next_attempt_at is None else {}),
    )


def _forgotten(mail: Mail) -> dict[str, str]:
    """What becomes of the text of a mail that needs it no more."""
    return {"body": ""} if mail.is_private else {}
